/* The magic wand: what is connected with the pixel pressed and looks like it, in the optical image, the
SAR or both. A drag to the right or the left sets the tolerance while the result is shown hatched; the
release paints it, with the class and the effect of the press, also where the image is still being read.
Several presses are painted one after the other. Specks and small holes are left out unless the settings say otherwise. The border is shown in every pane, as the eye is on the image. SAR is averaged over 5 x 5 px first, since speckle would stop any flood. */

import {place} from '../layers.js';
import {colourOf} from './shared.js';
import {ImageValues} from './image_values.js';

const SIDE = 1024;
const SAR_RADIUS = 2;
const PX_PER_STEP = 3;
const MOST = 254;
const USUAL = 16;
const BORDER = [255, 228, 92, 255];
export const SOURCES = {optical: 'optical', sar: 'SAR', both: 'optical and SAR'};

export class Wand {
  static shown = 'wand';

  constructor(hand) {
    this.hand = hand;
    this.images = new ImageValues(hand.editor.server);
    // The flood under the button, those let go that are not painted yet, and the end of the last of them.
    Object.assign(this, {flood: null, queue: new Set(), turn: Promise.resolve(), frame: 0, border: null});
    hand.editor.view.overlays.push(this);
  }

  get tolerance() {
    return this.hand.editor.settings.wandTolerance ?? USUAL;
  }

  press(at) {
    const {hand} = this, {labels} = hand, row = Math.floor(at.y), col = Math.floor(at.x);
    if (row < 0 || col < 0 || row >= labels.height || col >= labels.width) return false;
    const layers = this.#layers();
    if (!layers.length) {
      hand.say('The image that the wand is set to is not there; press L to choose another.');
      return false;
    }
    this.#drop();
    const box = windowAround(labels, row, col);
    const seed = [row - box.y0, col - box.x0];
    const {scene} = hand.editor, {tolerance} = this;
    const flood = {at, box, seed, first: tolerance, tolerance, levels: null, scene, dropped: false,
      wish: hand.wish('wand'), colour: colourOf(hand.editor)};
    this.flood = flood;
    flood.found = this.#find(flood, layers);
    return true;
  }

  drag(at) {
    const {flood, hand} = this;
    if (!flood) return;
    const steps = ((at.x - flood.at.x) * hand.editor.view.transform.scale) / PX_PER_STEP;
    const tolerance = Math.max(0, Math.min(MOST, Math.round(flood.first + steps)));
    if (tolerance === flood.tolerance) return;
    flood.tolerance = tolerance;
    hand.editor.features.wand?.show(tolerance);
    this.#showSoon();
  }

  release() {
    const {flood, hand} = this;
    if (!flood) return;
    hand.editor.settings.change({wandTolerance: flood.tolerance});
    this.flood = null;
    this.queue.add(flood);
    this.turn = hand.pend(this.turn.then(() => this.#commit(flood)));
  }

  /* Drop the flood under the button, and those that are not painted yet. */
  cancel() {
    const had = this.queue.size > 0;
    for (const flood of this.queue) flood.dropped = true;
    this.queue.clear();
    return this.#drop() || had;
  }

  /* Another tool is taken in hand: what was let go is still painted. */
  putDown() {
    this.#drop();
  }

  /* A setting has changed: show what it makes of the flood in hand. */
  refresh() {
    if (this.flood?.levels) this.#showSoon();
  }

  // ---- the flood

  /* The layers on screen that the setting names. */
  #layers() {
    const {display, settings} = this.hand.editor, {optical, sar} = display.shown;
    const wanted = settings.wandSource ?? 'optical';
    return [wanted !== 'sar' && optical, wanted !== 'optical' && sar].filter(Boolean);
  }

  async #find(flood, layers) {
    const {editor} = this.hand;
    try {
      const read = await this.#read(layers, flood.box);
      if (flood.dropped) return;
      const levels = await editor.worker.run('wandLevels',
        [read.values, read.valid, read.channels, flood.box.h, flood.box.w, ...flood.seed]);
      flood.levels = levels;
    } catch (error) {
      if (flood.dropped) return;
      flood.dropped = true;
      if (flood === this.flood) this.#drop();
      return this.hand.say(`The wand could not read the image: ${error.message}`);
    }
    if (flood === this.flood) this.#showSoon();
  }

  #stretchOf(layer) {
    // A fixed range exists for calibrated values only.
    const {contrast} = this.hand.editor.settings;
    return contrast === 'fixed' && !layer.calibrated ? 'auto' : contrast;
  }

  /* The channels of all layers one after the other, and where every one of them is valid. */
  async #read(layers, box) {
    const {scene, worker} = this.hand.editor, size = box.h * box.w;
    const parts = await Promise.all(layers.map(async (layer) => {
      const part = await this.images.window(scene.tile, layer.id, this.#stretchOf(layer), box, layer.nudge);
      if (layer.modality !== 'sar') return part;
      const planes = Array.from({length: part.channels}, (_, i) => part.values.slice(i * size, (i + 1) * size));
      const smooth = await Promise.all(planes.map((plane) =>
        worker.run('boxMean', [plane, box.h, box.w, SAR_RADIUS], [plane.buffer])));
      return {...part, values: joined(smooth)};
    }));
    const valid = parts[0].valid.slice();
    for (const {valid: other} of parts.slice(1)) for (let i = 0; i < size; i++) valid[i] &= other[i];
    return {values: joined(parts.map(({values}) => values)), valid,
      channels: parts.reduce((sum, {channels}) => sum + channels, 0)};
  }

  #mask({levels, box, seed, tolerance}) {
    const {worker, settings} = this.hand.editor;
    let mask = worker.here('withinTolerance', [levels, box.h, box.w, tolerance]);
    if (mask && settings.wandTidy)
      mask = worker.here('trim', [worker.here('tidied', [mask, levels, box.w, ...seed])]);
    return mask && {...mask, y0: mask.y0 + box.y0, x0: mask.x0 + box.x0};
  }

  /* Paint a flood that was let go, as soon as it is found. */
  async #commit(flood) {
    const {hand} = this;
    await flood.found;
    this.queue.delete(flood);
    if (!this.flood) this.#hide();
    if (flood.dropped) return;
    if (flood.scene !== hand.editor.scene) return hand.sayLost();
    const mask = this.#mask(flood);
    if (mask) await hand.apply('wand', mask, {wish: flood.wish});
    else hand.say('There is no image under this pixel.');
  }

  // ---- what is shown

  /* At most one preview a frame: a drag reports more often. */
  #showSoon() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const {flood} = this, {preview} = this.hand.editor;
      const mask = flood?.levels && this.#mask(flood);
      if (mask) preview.set(Wand.shown, [{mask, colour: flood.colour, style: 'hatch'}]);
      else preview.clear(Wand.shown);
      this.#showBorder(mask || null);
    });
  }

  #showBorder(mask) {
    if (!mask && !this.border) return;
    this.border = mask && {mask, canvas: borderOf(mask)};
    this.hand.editor.view.draw();
  }

  /* A layer over every pane. */
  draw(context, frame) {
    if (!this.border) return;
    const {mask, canvas} = this.border;
    context.imageSmoothingEnabled = frame.scale < 1;
    context.drawImage(canvas, ...place(frame, mask));
  }

  #hide() {
    this.hand.editor.preview.clear(Wand.shown);
    this.#showBorder(null);
  }

  /* Drop the flood under the button; returns whether there was one. */
  #drop() {
    const {flood} = this;
    if (flood) flood.dropped = true;
    this.flood = null;
    this.#hide();
    return flood !== null;
  }
}

/* The pixels of a mask that touch others by a side, drawn. */
function borderOf({h, w, data}) {
  const image = new ImageData(w, h), pixels = new Uint32Array(image.data.buffer);
  const [colour] = new Uint32Array(new Uint8Array(BORDER).buffer);
  for (let row = 0, i = 0; row < h; row++)
    for (let col = 0; col < w; col++, i++) {
      const inner = row > 0 && col > 0 && row + 1 < h && col + 1 < w
        && data[i - 1] && data[i + 1] && data[i - w] && data[i + w];
      if (data[i] && !inner) pixels[i] = colour;
    }
  const canvas = new OffscreenCanvas(w, h);
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}

function joined(arrays) {
  if (arrays.length === 1) return arrays[0];
  const out = new Uint8Array(arrays.reduce((sum, {length}) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    out.set(array, at);
    at += array.length;
  }
  return out;
}

/* The part of the tile that a flood may reach. */
function windowAround({height, width}, row, col) {
  const side = (extent, at) => {
    const size = Math.min(extent, SIDE);
    return [Math.max(0, Math.min(extent - size, at - size / 2)), size];
  };
  const [y0, h] = side(height, row), [x0, w] = side(width, col);
  return {y0, x0, h, w};
}
