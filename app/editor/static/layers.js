/* Class maps as panes show them. Each layer has `draw(context, frame)`; a frame gives the transform to
device pixels and the visible box. Images are in image_layer.js, patterns in patterns.js. */

import {BLOCK} from './labels.js';

const EMPTY_SOURCE = {pieces: () => [], covering: () => {}};
const MANY = 512;
const DISAGREES = '#e600ac';
const pack = (...bytes) => new Uint32Array(new Uint8Array(bytes).buffer)[0];
const TINT = pack(230, 0, 172, 215);
const GREYS = {voidCode: -1, voidPattern: [0, 0], clearColour: null,
  colours: Uint32Array.from({length: 256}, (_, level) => pack(level, level, level, 255))};

/* Device rectangle of a box of tile pixels. Edges are rounded the same way for every block, so that
   neighbours meet without a seam and clipped drawing gives the same pixels as full drawing. */
export function place({scale, x, y}, {y0, x0, h, w}) {
  const left = Math.round(x0 * scale + x), top = Math.round(y0 * scale + y);
  const right = Math.round((x0 + w) * scale + x), bottom = Math.round((y0 + h) * scale + y);
  return [left, top, right - left, bottom - top];
}

/* What of the visible box to draw where the pixels of a box are cleared: a device pixel more on each side,
   as places are rounded. Blocks that only meet the box must be drawn there too. */
export function reach(visible, {y0, x0, h, w}, scale) {
  const more = Math.ceil(2 / scale);
  const top = Math.max(visible.y0, y0 - more), left = Math.max(visible.x0, x0 - more);
  return {y0: top, x0: left, h: Math.max(0, Math.min(visible.y0 + visible.h, y0 + h + more) - top),
    w: Math.max(0, Math.min(visible.x0 + visible.w, x0 + w + more) - left)};
}

/* Visit the blocks of `side` tile pixels under the visible box. */
export function eachBlock({y0, x0, h, w}, side, visit) {
  for (let by = Math.floor(y0 / side); by * side < y0 + h; by++)
    for (let bx = Math.floor(x0 / side); bx * side < x0 + w; bx++) visit(by, bx);
}

/* A class map as coloured pixels, one canvas per block, drawn without smoothing at every zoom. `source`
   is a BlockStore (blocks.js), `plane` the array of its blocks that holds the codes. */
export class ClassLayer {
  constructor({palette, source = EMPTY_SOURCE, plane = 'labels'}) {
    Object.assign(this, {palette, source, plane, only: null});
    this.opacity = 1;
    this.hidden = false;
    this.smooth = false;
    this.scratch = new ImageData(BLOCK, BLOCK);
    this.pixels = new Uint32Array(this.scratch.data.buffer);
    this.clear();
  }

  clear() {
    // A canvas lives for as long as its block: what the store lets go of takes it along.
    this.canvases = new WeakMap();
    this.dirty = [];
    this.outlines?.clear();
  }

  /* What the pixels are drawn with. */
  get inks() {
    return this.only?.inks ?? this.palette;
  }

  /* Draw one class alone, or (null) all of them; returns whether that is a change. */
  showOnly(code) {
    if (code === (this.only?.code ?? null)) return false;
    this.only = code === null ? null : {code, inks: inksOf(this.palette, code)};
    this.clear();
    return true;
  }

  markDirty(box) {
    this.outlines?.markDirty(box);
    this.dirty.push(box);
    if (this.dirty.length > MANY) this.clear(); // not drawn for long
  }

  draw(context, frame) {
    this.flush();
    if (this.hidden || this.opacity === 0) return;
    const {clearColour, patterns} = this.inks;
    context.imageSmoothingEnabled = this.smooth && frame.scale < 1;
    if (this.smooth) context.imageSmoothingQuality = 'medium';
    context.globalAlpha = this.opacity;
    const ground = this.opacity === 1 ? clearColour : null;
    const pieces = this.source.pieces(frame.visible);
    for (const piece of pieces) {
      const canvas = this.canvasOf(piece);
      if (!canvas) continue;
      const at = place(frame, piece.box);
      if (ground) {
        context.fillStyle = ground;
        context.fillRect(...at);
      }
      context.drawImage(canvas, ...(piece.from ?? [0, 0, canvas.width, canvas.height]), ...at);
    }
    context.globalAlpha = 1;
    if (patterns) this.#drawPatterns(context, frame, pieces, patterns);
  }

  #drawPatterns(context, frame, pieces, patterns) {
    const [left, top, w, h] = place(frame, frame.visible);
    for (const {block, box, from} of pieces)
      if (!from) patterns.draw(context, {h: block.h, w: block.w, codes: block[this.plane]},
        place(frame, box), [left - 2, top - 2, w + 4, h + 4]);
  }

  /* The canvas of a piece, or null while it cannot be drawn. */
  canvasOf({block}) {
    let canvas = this.canvases.get(block);
    if (canvas) return canvas;
    canvas = new OffscreenCanvas(block.w, block.h);
    this.canvases.set(block, canvas);
    this.colour(canvas, block, {y0: 0, x0: 0, h: block.h, w: block.w});
    return canvas;
  }

  /* Bring the canvases up to date with the changed boxes. */
  flush() {
    for (const box of this.dirty.splice(0))
      this.source.covering(box, (block, part) => {
        const canvas = this.canvases.get(block);
        if (canvas) this.colour(canvas, block, part);
      });
  }

  /* Write the pixels of a part of a block. */
  colour(canvas, block, {y0, x0, h, w}) {
    if (h <= 0 || w <= 0) return;
    const {colours, voidCode, voidPattern} = this.inks, codes = block[this.plane];
    for (let row = 0; row < h; row++) {
      const from = (y0 + row) * block.w + x0;
      for (let col = 0; col < w; col++) {
        const code = codes[from + col];
        // Pixels without a class get a fine checker, so that they cannot pass for a grey class.
        this.pixels[row * BLOCK + col] = code === voidCode
          ? voidPattern[((y0 + row) ^ (x0 + col)) & 2 ? 1 : 0]
          : colours[code];
      }
    }
    this.put(canvas, x0, y0, w, h);
  }

  put(canvas, x0, y0, w, h) {
    canvas.getContext('2d').putImageData(this.scratch, x0, y0, 0, 0, w, h);
  }
}

/* How sure a model was of each pixel, from black to white. */
export class ConfidenceLayer extends ClassLayer {
  constructor(source) {
    super({palette: GREYS, source, plane: 'confidence'});
  }

  get legend() {
    return [{colour: '#000000', text: 'not sure'}, {colour: '#ffffff', text: 'sure'}];
  }
}

/* Where the label differs from a prediction: a tint that no ground has and that keeps its contrast for
   colour-blind eyes. Pixels without a class on either side do not count. */
export class DisagreementLayer extends ClassLayer {
  constructor({labels, predicted, known}) {
    super({palette: {clearColour: null}, source: labels});
    Object.assign(this, {predicted, known});
  }

  get legend() {
    return [{colour: DISAGREES, text: 'label and prediction differ'}];
  }

  canvasOf({block, z, by, bx}) {
    const other = this.predicted.want(z, by, bx);
    if (!other || other.codes.length !== block.labels.length) return null;
    const kept = this.canvases.get(block);
    if (kept?.other === other) return kept.canvas;
    const canvas = new OffscreenCanvas(block.w, block.h);
    this.canvases.set(block, {canvas, other});
    this.#compare(canvas, block, other.codes, {y0: 0, x0: 0, h: block.h, w: block.w});
    return canvas;
  }

  colour({canvas, other}, block, part) {
    this.#compare(canvas, block, other.codes, part);
  }

  #compare(canvas, {w: width, labels}, codes, {y0, x0, h, w}) {
    if (h <= 0 || w <= 0) return;
    const {known, pixels} = this;
    for (let row = 0; row < h; row++) {
      const from = (y0 + row) * width + x0;
      for (let col = 0; col < w; col++) {
        const label = labels[from + col], code = codes[from + col];
        pixels[row * BLOCK + col] = label !== code && known[label] && known[code] ? TINT : 0;
      }
    }
    this.put(canvas, x0, y0, w, h);
  }
}

/* Colours of class codes as 32-bit pixels in the byte order of ImageData. A class that is drawn clear
   lets the image through, and has its colour where the labels are shown alone. */
export function palette(classes, voidCode) {
  const colours = new Uint32Array(256);
  const bytes = new Uint8Array(colours.buffer);
  for (const {code, colour, isClear} of classes) {
    if (isClear) continue;
    bytes.set([...rgbOf(colour), 255], 4 * code);
  }
  const grey = (level) => pack(level, level, level, 255);
  return {colours, voidCode, voidPattern: [grey(44), grey(104)],
    clearColour: classes.find(({isClear}) => isClear)?.colour ?? null};
}

/* A palette in which one class alone is seen. One that is drawn clear has its colour then. */
function inksOf({colours, voidCode, voidPattern, clearColour}, code) {
  const one = new Uint32Array(256), clear = clearColour && pack(...rgbOf(clearColour), 255);
  if (code !== voidCode) one[code] = colours[code] || clear;
  return {colours: one, voidCode: code === voidCode ? voidCode : -1, voidPattern, clearColour: null, patterns: null};
}

const rgbOf = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/* A grey checker for ground without data, as a pattern in screen space. */
export function nodataChecker(context, ratio) {
  const cell = Math.max(4, Math.round(6 * ratio));
  const canvas = new OffscreenCanvas(2 * cell, 2 * cell), paint = canvas.getContext('2d');
  paint.fillStyle = '#3a3b3e';
  paint.fillRect(0, 0, 2 * cell, 2 * cell);
  paint.fillStyle = '#46474b';
  paint.fillRect(0, 0, cell, cell);
  paint.fillRect(cell, cell, cell, cell);
  return context.createPattern(canvas, 'repeat');
}
