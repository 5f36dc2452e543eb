/* Panes that share one transform: the same ground in the middle of each. Drawing happens at most once
per animation frame, and only in the panes and the rectangle that changed. */

import {union} from './labels.js';
import {nodataChecker, place, reach} from './layers.js';
import {Marks} from './views/marks.js';

const MAX_SCALE = 64;
// Panes that differ by less come from rounding, and share their upper left corner.
const SAME_PX = 3;

export class View {
  /* `slots` lists {id, element}: all panes that there may be. `arrange` says which are shown. */
  constructor(slots, timings) {
    this.timings = timings;
    this.tile = {height: 1, width: 1};
    this.transform = {scale: 1, x: 0, y: 0};
    this.size = {width: 1, height: 1};
    this.ratio = 1;
    this.cursor = null;
    this.ghost = null;
    this.requested = 0;
    this.fitted = true;
    /* Called after the place or the zoom changed. */
    this.onChange = () => {};
    this.onMove = () => {};
    /* Layers drawn last in every pane. */
    this.overlays = [];
    /* Called after each drawing, with the frame of the largest pane: what is placed over the panes by
       others. A pane lies `dx` and `dy` away from it. */
    this.onFrame = () => {};
    this.panes = slots.map(({id, element}) => makePane(id, element));
    this.observer = new ResizeObserver(() => this.#resize());
    for (const {element} of this.panes) this.observer.observe(element);
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.requested);
  }

  /* The panes on the screen. */
  get shown() {
    return this.panes.filter(({shown}) => shown);
  }

  /* The pane that has the mouse, else the first that shows labels. */
  get active() {
    const {shown} = this;
    return shown.find(({hovered}) => hovered) ?? shown.find(({follows}) => follows.has('label')) ?? shown[0];
  }

  pane(id) {
    return this.panes.find((pane) => pane.id === id && pane.shown);
  }

  /* Show the first `count` panes. */
  arrange(count) {
    this.panes.forEach((pane, i) => {
      pane.shown = i < count;
      pane.element.hidden = !pane.shown;
      if (!pane.shown) pane.hovered = false;
    });
    this.#resize();
  }

  /* What a pane shows: `layers` from below, and `follows`, the names of what they change with. */
  setPane(pane, {id, layers, follows}) {
    Object.assign(pane, {id, layers, follows: new Set(follows), rim: rimOf(layers)});
    pane.element.dataset.pane = id;
    this.#invalidate(pane, null);
  }

  /* What a pane shows beside its own layers: {layers, follows, from}; `from` is the share of its width
     where it begins, 0 for all of the pane. Null takes it away. */
  setSecond(pane, second) {
    pane.second = second && {...second, follows: new Set(second.follows), rim: rimOf(second.layers)};
    this.#invalidate(pane, null);
  }

  /* Show another tile; the place is kept when its shape is the same. */
  setTile(tile) {
    const same = tile.height === this.tile.height && tile.width === this.tile.width;
    this.tile = tile;
    if (!same) this.fit();
    this.draw();
  }

  #resize() {
    this.ratio = devicePixelRatio || 1;
    const {shown} = this, area = ({width, height}) => width * height;
    for (const pane of this.panes) this.#measure(pane);
    const largest = shown.reduce((best, pane) => (area(pane) > area(best) ? pane : best), shown[0]);
    if (!largest?.width || !largest.height) return;
    const before = this.size;
    this.size = {width: largest.width, height: largest.height};
    for (const pane of shown) {
      const dx = (pane.width - this.size.width) / 2, dy = (pane.height - this.size.height) / 2;
      pane.dx = Math.abs(dx) < SAME_PX ? 0 : Math.round(dx);
      pane.dy = Math.abs(dy) < SAME_PX ? 0 : Math.round(dy);
    }
    // What showed the whole tile goes on doing so; else the middle stays in the middle.
    if (this.fitted) this.fit();
    else this.#shift((this.size.width - before.width) / 2, (this.size.height - before.height) / 2);
  }

  /* Take over the size of a pane; its canvas is emptied by that, and only then. */
  #measure(pane) {
    const {canvas, element, shown} = pane, {clientWidth: width, clientHeight: height} = element;
    const across = shown ? Math.round(width * this.ratio) : 0;
    const down = shown ? Math.round(height * this.ratio) : 0;
    Object.assign(pane, {width, height});
    if (canvas.width === across && canvas.height === down) return;
    Object.assign(canvas, {width: across, height: down});
    pane.checker = null;
    this.#invalidate(pane, null);
  }

  #fitScale() {
    const {width, height} = this.size;
    return Math.min(width / this.tile.width, height / this.tile.height) * 0.985;
  }

  #leastScale() {
    return Math.min(1, this.#fitScale()) * 0.5;
  }

  /* The whole tile, centred. */
  fit() {
    const {width, height} = this.size, scale = this.#fitScale();
    this.fitted = true;
    this.transform = {
      scale,
      x: (width - this.tile.width * scale) / 2,
      y: (height - this.tile.height * scale) / 2,
    };
    this.#moved();
  }

  /* What is in the middle, and how large: {y, x, scale}; null while the whole tile is shown. */
  get place() {
    const {scale} = this.transform, {x, y} = this.toTile(this.size.width / 2, this.size.height / 2);
    return this.fitted ? null : {y, x, scale};
  }

  /* Go to a place, also before the panes have their size. */
  set place({y, x, scale}) {
    this.fitted = false;
    const held = Math.max(this.#leastScale(), Math.min(MAX_SCALE, scale));
    this.transform = {scale: held, x: this.size.width / 2 - x * held, y: this.size.height / 2 - y * held};
    if (this.size.width > 1) this.#moved();
  }

  /* Zoom by a factor; the tile pixel under (x, y) stays where it is. The place is one of the largest
     pane, or of `pane`. */
  zoom(factor, x = this.size.width / 2, y = this.size.height / 2, pane = null) {
    const {scale} = this.transform, at = {x: x - (pane?.dx ?? 0), y: y - (pane?.dy ?? 0)};
    const next = Math.max(this.#leastScale(), Math.min(MAX_SCALE, scale * factor));
    const ratio = next / scale;
    this.fitted = false;
    this.transform = {
      scale: next,
      x: at.x - (at.x - this.transform.x) * ratio,
      y: at.y - (at.y - this.transform.y) * ratio,
    };
    this.#moved();
  }

  pan(dx, dy) {
    this.fitted = false;
    this.#shift(dx, dy);
  }

  #shift(dx, dy) {
    this.transform = {...this.transform, x: this.transform.x + dx, y: this.transform.y + dy};
    this.#moved();
  }

  /* Bring a box of tile pixels into view if no part of it is. */
  reveal({y0, x0, h, w}) {
    const {scale, x, y} = this.transform, {width, height} = this.size;
    const left = x0 * scale + x, top = y0 * scale + y;
    if (left < width && top < height && left + w * scale > 0 && top + h * scale > 0) return;
    this.pan(width / 2 - left - (w * scale) / 2, height / 2 - top - (h * scale) / 2);
  }

  /* Keep at least a corner of the tile within reach. */
  #moved() {
    const {width, height} = this.size, {scale} = this.transform, margin = 48;
    const clamp = (at, extent, room) => Math.max(margin - extent, Math.min(room - margin, at));
    this.transform.x = clamp(this.transform.x, this.tile.width * scale, width);
    this.transform.y = clamp(this.transform.y, this.tile.height * scale, height);
    this.draw();
    this.onMove();
    this.onChange();
  }

  /* Position in tile pixels, as fractions, of a place in the largest pane, or in `pane`. */
  toTile(x, y, pane = null) {
    const {scale, x: left, y: top} = this.transform;
    return {x: (x - (pane?.dx ?? 0) - left) / scale, y: (y - (pane?.dy ?? 0) - top) / scale};
  }

  /* The box of tile pixels in view: in the largest pane, which sees all that others do, or in one. */
  visible(pane = null) {
    const {width, height} = pane ?? this.size;
    const from = this.toTile(0, 0, pane), to = this.toTile(width, height, pane);
    const y0 = Math.max(0, Math.floor(from.y)), x0 = Math.max(0, Math.floor(from.x));
    const h = Math.min(this.tile.height, Math.ceil(to.y)) - y0;
    return {y0, x0, h: Math.max(0, h), w: Math.max(0, Math.min(this.tile.width, Math.ceil(to.x)) - x0)};
  }

  /* Ask for a drawing of a box of tile pixels (null: everything) in the panes that have one of these
     ids or follow it (null: in all). */
  draw(box = null, ids = null) {
    for (const pane of this.panes)
      if (pane.shown && (ids === null || ids.some((id) => concerns(pane, id)))) this.#invalidate(pane, box);
    this.#request();
  }

  #invalidate(pane, box) {
    pane.stale = pane.stale === 'all' || box === null ? 'all' : union(pane.stale, box);
    this.#request();
  }

  /* Move the cursor (tile pixels, or null) with the outline to show: {diameter, origin, square?} of a
     brush stamp, optionally `from`, the other end of a straight line. */
  point(cursor, ghost) {
    this.cursor = cursor;
    this.ghost = ghost;
    this.#request();
  }

  /* Draw what was asked for now: the next frame then has nothing left to do but show it. */
  drawNow() {
    cancelAnimationFrame(this.requested);
    this.#frame();
  }

  #request() {
    if (this.requested === 0) this.requested = requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    const started = performance.now();
    this.requested = 0;
    for (const pane of this.panes) {
      if (!pane.shown || !pane.width) continue;
      const frame = this.#frameOf(pane);
      if (pane.stale) this.#drawPane(pane, {...frame, visible: this.visible(pane)});
      pane.marks.move(this.cursor, this.ghost, frame, pane.hovered);
    }
    this.onFrame(this.#frameOf({dx: 0, dy: 0}));
    this.timings.add('draw', performance.now() - started);
  }

  /* The transform of a pane to device pixels. */
  #frameOf({dx, dy}) {
    const {scale, x, y} = this.transform, {ratio} = this;
    return {scale: scale * ratio, x: (x + dx) * ratio, y: (y + dy) * ratio, ratio};
  }

  #drawPane(pane, frame) {
    const {context, canvas, second} = pane, stale = grown(pane.stale, Math.max(pane.rim, second?.rim ?? 0));
    pane.stale = null;
    pane.checker ??= nodataChecker(context, this.ratio);
    context.save();
    if (stale !== 'all') {
      const [left, top, w, h] = place(frame, stale);
      context.beginPath();
      context.rect(left - 1, top - 1, w + 2, h + 2);
      context.clip();
      frame = {...frame, visible: reach(frame.visible, stale, frame.scale)};
    }
    const cut = second ? Math.round(second.from * canvas.width) : canvas.width;
    if (cut > 0) this.#drawPart(pane, pane, frame, 0, cut);
    if (cut < canvas.width) this.#drawPart(pane, second, frame, cut, canvas.width);
    context.restore();
  }

  /* Draw what a pane shows, or shows beside that, between two columns of its canvas. */
  #drawPart({context, canvas, checker}, {layers}, frame, left, right) {
    const whole = left === 0 && right === canvas.width;
    if (!whole) {
      context.save();
      context.beginPath();
      context.rect(left, 0, right - left, canvas.height);
      context.clip();
    }
    context.clearRect(left, 0, right - left, canvas.height);
    context.fillStyle = checker;
    context.fillRect(...place(frame, {y0: 0, x0: 0, h: this.tile.height, w: this.tile.width}));
    if (frame.visible.h > 0 && frame.visible.w > 0)
      for (const layer of [...layers, ...this.overlays]) layer.draw(context, frame);
    if (!whole) context.restore();
  }
}

const concerns = ({id, follows, second}, name) =>
  id === name || follows.has(name) || (second?.follows.has(name) ?? false);

const rimOf = (layers) => Math.max(0, ...layers.map(({rim = 0}) => rim));

function grown(stale, rim) {
  if (rim === 0 || stale === 'all') return stale;
  return {y0: stale.y0 - rim, x0: stale.x0 - rim, h: stale.h + 2 * rim, w: stale.w + 2 * rim};
}

function makePane(id, element) {
  const canvas = document.createElement('canvas'), marks = new Marks();
  element.prepend(canvas, ...marks.elements);
  return {id, element, canvas, marks, context: canvas.getContext('2d'), layers: [], rim: 0, second: null,
    follows: new Set(), stale: 'all', hovered: false, shown: true, width: 0, height: 0, dx: 0, dy: 0,
    checker: null};
}
