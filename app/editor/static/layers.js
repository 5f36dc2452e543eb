/* What a pane can show: images read block by block, and class maps. Each layer has
`draw(context, frame)`; a frame gives the transform to device pixels and the visible box. */

import {BLOCK} from './labels.js';

const KEPT_BITMAPS = 256;
const RETRY_MS = 3000;

/* Device rectangle of a box of tile pixels. Edges are rounded the same way for every block, so that
   neighbours meet without a seam and clipped drawing gives the same pixels as full drawing. */
export function place({scale, x, y}, {y0, x0, h, w}) {
  const left = Math.round(x0 * scale + x), top = Math.round(y0 * scale + y);
  const right = Math.round((x0 + w) * scale + x), bottom = Math.round((y0 + h) * scale + y);
  return [left, top, right - left, bottom - top];
}

/* Visit the blocks of `side` tile pixels under the visible box. */
export function eachBlock({y0, x0, h, w}, side, visit) {
  for (let by = Math.floor(y0 / side); by * side < y0 + h; by++)
    for (let bx = Math.floor(x0 / side); bx * side < x0 + w; bx++) visit(by, bx);
}

/* Blocks of one image layer as bitmaps, the least recently drawn ones dropped. */
export class ImageLayer {
  constructor({server, tile, layer, onLoad}) {
    Object.assign(this, {server, tile, layer, onLoad});
    this.stretch = 'auto';
    this.ranges = new Map();
    this.bitmaps = new Map();
    this.wanted = 0;
  }

  /* The range shown black to white, as the server prints it; empty until it is known. */
  get range() {
    return this.ranges.get(this.stretch) ?? '';
  }

  draw(context, frame) {
    const z = Math.max(0, Math.min(this.layer.levels, Math.floor(Math.log2(1 / frame.scale))));
    context.imageSmoothingEnabled = frame.scale < 1;
    for (let level = this.layer.levels; level > z; level--) this.#drawLevel(context, frame, level, false);
    this.#drawLevel(context, frame, z, true);
  }

  #drawLevel(context, frame, z, load) {
    const side = BLOCK * 2 ** z;
    eachBlock(frame.visible, side, (by, bx) => {
      const bitmap = this.#bitmap(z, by, bx, load);
      if (!bitmap) return;
      const h = Math.min(side, this.tile.height - by * side);
      const w = Math.min(side, this.tile.width - bx * side);
      context.drawImage(bitmap, ...place(frame, {y0: by * side, x0: bx * side, h, w}));
    });
  }

  #bitmap(z, by, bx, load) {
    const key = `${this.stretch}/${z}/${by}/${bx}`;
    let entry = this.bitmaps.get(key);
    if (entry) {
      this.bitmaps.delete(key);
      this.bitmaps.set(key, entry);
    } else if (load) {
      entry = {bitmap: null};
      this.bitmaps.set(key, entry);
      this.#load(key, entry, z, by, bx);
      if (this.bitmaps.size > KEPT_BITMAPS) this.bitmaps.delete(this.bitmaps.keys().next().value);
    }
    return entry?.bitmap;
  }

  async #load(key, entry, z, by, bx) {
    const {stretch} = this;
    this.wanted += 1;
    try {
      const path = `/tile/${this.tile.id}/image/${this.layer.id}/${z}/${bx}/${by}?stretch=${stretch}`;
      const response = await this.server.get(path);
      this.ranges.set(stretch, response.headers.get('X-Stretch-Range') ?? '');
      entry.bitmap = await createImageBitmap(await response.blob());
      this.wanted -= 1;
      this.onLoad(null);
    } catch (error) {
      // The old picture stays; the block is asked for again when it is next drawn.
      setTimeout(() => this.bitmaps.delete(key), RETRY_MS);
      this.wanted -= 1;
      this.onLoad(error);
    }
  }

  get settled() {
    return this.wanted === 0;
  }
}

/* A class map as coloured pixels, one canvas per block, drawn without smoothing at every zoom.
   `codesOf(by, bx)` gives {h, w, codes} of a block or undefined while it is not loaded. */
export class ClassLayer {
  constructor({palette, codesOf}) {
    Object.assign(this, {palette, codesOf});
    this.opacity = 1;
    this.hidden = false;
    this.canvases = new Map();
    this.scratch = new ImageData(BLOCK, BLOCK);
    this.pixels = new Uint32Array(this.scratch.data.buffer);
    this.dirty = [];
  }

  clear() {
    this.canvases.clear();
    this.dirty = [];
  }

  markDirty(box) {
    this.dirty.push(box);
  }

  draw(context, frame) {
    this.flush();
    if (this.hidden || this.opacity === 0) return;
    context.imageSmoothingEnabled = false;
    context.globalAlpha = this.opacity;
    const ground = this.opacity === 1 ? this.palette.clearColour : null;
    eachBlock(frame.visible, BLOCK, (by, bx) => {
      const canvas = this.#canvas(by, bx);
      if (!canvas) return;
      const at = place(frame, {y0: by * BLOCK, x0: bx * BLOCK, h: canvas.height, w: canvas.width});
      if (ground) {
        context.fillStyle = ground;
        context.fillRect(...at);
      }
      context.drawImage(canvas, ...at);
    });
    context.globalAlpha = 1;
    if (this.palette.patterns) this.#drawPatterns(context, frame);
  }

  #drawPatterns(context, frame) {
    const [left, top, w, h] = place(frame, frame.visible);
    eachBlock(frame.visible, BLOCK, (by, bx) => {
      const block = this.codesOf(by, bx);
      if (block) this.palette.patterns.draw(context, block,
        place(frame, {y0: by * BLOCK, x0: bx * BLOCK, h: block.h, w: block.w}), [left - 2, top - 2, w + 4, h + 4]);
    });
  }

  #canvas(by, bx) {
    const key = `${by}/${bx}`;
    let canvas = this.canvases.get(key);
    if (canvas) return canvas;
    const block = this.codesOf(by, bx);
    if (!block) return null;
    canvas = new OffscreenCanvas(block.w, block.h);
    this.canvases.set(key, canvas);
    this.#colour(canvas, block, 0, 0, block.h, block.w);
    return canvas;
  }

  /* Bring the canvases up to date with the changed boxes. */
  flush() {
    for (const {y0, x0, h, w} of this.dirty.splice(0)) {
      eachBlock({y0, x0, h, w}, BLOCK, (by, bx) => {
        const canvas = this.canvases.get(`${by}/${bx}`), block = this.codesOf(by, bx);
        if (!canvas || !block) return;
        const top = Math.max(0, y0 - by * BLOCK), left = Math.max(0, x0 - bx * BLOCK);
        const bottom = Math.min(block.h, y0 + h - by * BLOCK);
        const right = Math.min(block.w, x0 + w - bx * BLOCK);
        this.#colour(canvas, block, top, left, bottom - top, right - left);
      });
    }
  }

  #colour(canvas, {w: width, codes}, top, left, h, w) {
    if (h <= 0 || w <= 0) return;
    const {colours, voidCode, voidPattern} = this.palette;
    for (let row = 0; row < h; row++) {
      const from = (top + row) * width + left;
      for (let col = 0; col < w; col++) {
        const code = codes[from + col];
        // Pixels without a class get a fine checker, so that they cannot pass for a grey class.
        this.pixels[row * BLOCK + col] = code === voidCode
          ? voidPattern[((top + row) ^ (left + col)) & 2 ? 1 : 0]
          : colours[code];
      }
    }
    canvas.getContext('2d').putImageData(this.scratch, left, top, 0, 0, w, h);
  }
}

/* Colours of class codes as 32-bit pixels in the byte order of ImageData. A class that is drawn clear
   lets the image through, and has its colour where the labels are shown alone. */
export function palette(classes, voidCode) {
  const colours = new Uint32Array(256);
  const bytes = new Uint8Array(colours.buffer);
  for (const {code, colour, isClear} of classes) {
    if (isClear) continue;
    const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    bytes.set([...rgb, 255], 4 * code);
  }
  const grey = (level) => new Uint32Array(new Uint8Array([level, level, level, 255]).buffer)[0];
  return {colours, voidCode, voidPattern: [grey(44), grey(104)],
    clearColour: classes.find(({isClear}) => isClear)?.colour ?? null};
}

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
