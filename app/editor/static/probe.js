/* The cursor over the panes: the outline of the brush, and the line that says what lies below it. */

import {stampOrigin} from './raster.js';
import {readout} from './readout.js';

const VALUES_AFTER_MS = 70;

export class Probe {
  constructor(editor) {
    this.editor = editor;
    Object.assign(this, {cursor: null, shift: false, hoverCode: undefined, values: null,
      keys: undefined, images: [], shows: ''});
  }

  /* {label, provenance, original} of the pixel under the cursor, or null. */
  get pixel() {
    return this.cursor && this.editor.scene.pixel(Math.floor(this.cursor.y), Math.floor(this.cursor.x));
  }

  /* The cursor in a pane, in CSS pixels; the middle of the pane without one. */
  get place() {
    const {transform, size} = this.editor.view, {cursor} = this;
    if (!cursor) return {x: size.width / 2, y: size.height / 2};
    return {x: cursor.x * transform.scale + transform.x, y: cursor.y * transform.scale + transform.y};
  }

  hover(at, keys) {
    this.cursor = at;
    this.shift = keys.shift;
    this.keys = keys;
    this.showGhost();
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.cursor) this.editor.scene.approach(this.cursor, this.editor.hand.wish());
      this.#showReadout();
    });
  }

  /* Begin the read-out with what a tool knows of the place: a list of [name, value, colour?], or null. */
  setNote(note) {
    const none = !note && !this.note;
    this.note = note;
    if (this.cursor && !none) this.hover(this.cursor, this.keys);
  }

  setShift(shift) {
    if (shift === this.shift) return;
    this.shift = shift;
    if (this.cursor) this.hover(this.cursor, {...this.keys, shift});
  }

  exit() {
    this.cursor = null;
    this.editor.view.point(null, null);
    this.#showReadout();
  }

  /* The panes may show other images than before, or another tile: what was read of the old ones is not
     shown any more, and the new ones are asked. */
  renew() {
    const {scene, display} = this.editor, {images} = display;
    const shows = [scene.tile.id, ...images.map((layer) =>
      `${layer.id} ${display.expressionsOf(layer)} ${layer.nudge?.y} ${layer.nudge?.x}`)].join('|');
    if (shows === this.shows) return;
    Object.assign(this, {shows, images, values: null});
    if (this.cursor) this.#showReadout();
  }

  showGhost() {
    const {cursor, editor} = this, {hand, manifest} = editor;
    if (!cursor) return;
    const stamp = manifest.readonly ? null : (hand.gesture?.stamp?.(this.keys) ?? null);
    editor.view.point(cursor, stamp && {...stamp,
      origin: stampOrigin(cursor.y, cursor.x, stamp.diameter),
      from: this.shift && !hand.stroke ? hand.lastEnd : null});
  }

  #showReadout() {
    const {editor, cursor} = this, {scene, manifest, panel} = editor;
    if (!cursor || !scene) return panel.showReadout([]);
    const row = Math.floor(cursor.y), col = Math.floor(cursor.x), {pixel} = this;
    if (pixel?.label !== this.hoverCode) {
      this.hoverCode = pixel?.label;
      panel.showHover(this.hoverCode);
    }
    this.#askValues(row, col);
    panel.showReadout([...(this.note ?? []), ...readout({row, col, pixel, manifest, maps: scene.at(row, col),
      values: this.values?.at === `${row}/${col}` ? this.values.items : this.images.map((layer) => ({layer}))})]);
  }

  /* Ask for the band values once the cursor rests: moving over them needs none. */
  #askValues(row, col) {
    const {scene, server, display} = this.editor, {shows} = this, at = `${row}/${col}`;
    if (this.values?.at === at) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      if (!scene.pixel(row, col)) return;
      const asked = display.images.map((layer) => pixelOf(layer, scene.tile, row, col)).filter(Boolean);
      const found = await Promise.all(asked.map(({layer, row: y, col: x}) =>
        server.json(`/tile/${scene.tile.id}/values/${layer.id}?row=${y}&col=${x}${asksFor(display.expressionsOf(layer))}`).catch(() => null)));
      if (scene !== this.editor.scene || shows !== this.shows) return;
      this.values = {at, items: asked.map(({layer}, i) => ({layer, found: found[i]}))};
      this.#showReadout();
    }, VALUES_AFTER_MS);
  }
}

const asksFor = (expressions) => expressions.map((expr) => `&expr=${encodeURIComponent(expr)}`).join('');

/* The pixel of an image that is shown at a place: a nudge moves the image. Null outside of it. */
function pixelOf(layer, {height, width}, row, col) {
  const {y = 0, x = 0} = layer.nudge ?? {}, at = {row: Math.floor(row + 0.5 - y), col: Math.floor(col + 0.5 - x)};
  return at.row < 0 || at.col < 0 || at.row >= height || at.col >= width ? null : {layer, ...at};
}
