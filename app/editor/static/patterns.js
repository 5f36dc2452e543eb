/* Maps drawn as patterns in screen space: lines and dots keep their size at any zoom and leave what is
below them readable. Cloud levels hatch the image, provenance marks the label. */

import {EMPTY} from './blocks.js';
import {CHANGED, VERIFIED} from './labels.js';
import {place} from './layers.js';

const MANY = 512;
const THIN = 1, THICK = 2, SHADOW = 3;
const ACCEPTED = 3, UNSURE = 4;
const DARK = 'rgba(10, 12, 16, .55)', LIGHT = 'rgba(255, 255, 255, .9)';

export const CLOUDS = {
  [THICK]: {lines: [1], gap: 9, strokes: [[1.2, 'rgba(10, 12, 16, .62)']]},
  [THIN]: {lines: [1], gap: 18, strokes: [[1, 'rgba(10, 12, 16, .5)']]},
  [SHADOW]: {lines: [-1], gap: 14, strokes: [[1, 'rgba(255, 255, 255, .55)']]},
};

// Light on dark, so that each shows on any class colour and none is a colour of its own.
const TWICE = [[2.6, DARK], [1.1, LIGHT]];
export const PROVENANCE = {
  [CHANGED]: {lines: [1], gap: 10, strokes: TWICE},
  [VERIFIED]: {dots: 1.3, gap: 9, strokes: TWICE},
  [ACCEPTED]: {lines: [-1], gap: 10, strokes: TWICE},
  [UNSURE]: {lines: [1, -1], gap: 14, strokes: TWICE},
};
export const PROVENANCE_NAMES = [[0, 'as it came'], [CHANGED, 'changed'], [VERIFIED, 'verified'],
  [ACCEPTED, 'accepted'], [UNSURE, 'unsure']];

export class PatternLayer {
  /* `source` is a BlockStore (blocks.js), `plane` the array of its blocks that holds the codes; `levels`
     says which codes show. */
  constructor({patterns, source = EMPTY, plane = 'codes', levels}) {
    Object.assign(this, {patterns, source, plane, levels});
    this.layer = new OffscreenCanvas(1, 1);
    this.clear();
  }

  clear() {
    this.masks = new WeakMap();
    this.dirty = [];
  }

  markDirty(box) {
    this.dirty.push(box);
    if (this.dirty.length > MANY) this.clear(); // not drawn for long
  }

  draw(context, frame) {
    this.#flush();
    if (!this.levels.length) return;
    const pieces = this.source.pieces(frame.visible);
    for (const level of this.levels) this.#drawLevel(context, frame, level, pieces);
  }

  #drawLevel(context, frame, level, pieces) {
    const masks = [];
    for (const {block, box, from} of pieces) {
      const mask = this.#mask(level, block);
      if (mask) masks.push([mask, ...(from ?? [0, 0, mask.width, mask.height]), ...place(frame, box)]);
    }
    if (!masks.length) return;
    const {width, height} = context.canvas;
    // Panes differ by a pixel or more; a canvas for the largest serves them all.
    if (this.layer.width < width || this.layer.height < height)
      Object.assign(this.layer, {width: Math.max(width, this.layer.width), height: Math.max(height, this.layer.height)});
    const rect = inside(place(frame, frame.visible), width, height);
    if (rect[2] <= 0 || rect[3] <= 0) return;
    const paint = this.layer.getContext('2d');
    paint.save();
    // Only what is drawn anew is composed: a brush stroke touches a small part of the pane.
    paint.beginPath();
    paint.rect(...rect);
    paint.clip();
    paint.clearRect(...rect);
    paint.imageSmoothingEnabled = false;
    for (const drawing of masks) paint.drawImage(...drawing);
    paint.globalCompositeOperation = 'source-in';
    paint.fillStyle = paint.createPattern(repeat(this.patterns[level], frame.ratio), 'repeat');
    paint.fillRect(...rect);
    paint.restore();
    context.drawImage(this.layer, ...rect, ...rect);
  }

  /* The pixels of one level in a block as an opaque mask; null where there are none. */
  #mask(level, block) {
    let masks = this.masks.get(block);
    if (!masks) this.masks.set(block, (masks = new Map()));
    if (masks.has(level)) return masks.get(level);
    const codes = block[this.plane];
    let mask = null;
    if (codes.includes(level)) {
      mask = new OffscreenCanvas(block.w, block.h);
      fillMask(mask, level, {w: block.w, codes}, {y0: 0, x0: 0, h: block.h, w: block.w});
    }
    masks.set(level, mask);
    return mask;
  }

  #flush() {
    for (const box of this.dirty.splice(0))
      this.source.covering(box, (block, part) => {
        const masks = this.masks.get(block);
        if (!masks || part.h <= 0 || part.w <= 0) return;
        for (const [level, mask] of masks) {
          if (mask) fillMask(mask, level, {w: block.w, codes: block[this.plane]}, part);
          else masks.delete(level);
        }
      });
  }
}

/* Write one level of a box of a block into its mask. */
function fillMask(mask, level, {w: width, codes}, {y0, x0, h, w}) {
  const image = new ImageData(w, h), pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < h; row++) {
    const from = (y0 + row) * width + x0;
    for (let col = 0; col < w; col++) if (codes[from + col] === level) pixels[row * w + col] = 0xff000000;
  }
  mask.getContext('2d').putImageData(image, x0, y0);
}

/* A rectangle grown by two pixels against rounding, and cut at the canvas. */
function inside([left, top, w, h], width, height) {
  const x = Math.max(0, left - 2), y = Math.max(0, top - 2);
  return [x, y, Math.min(width, left + w + 2) - x, Math.min(height, top + h + 2) - y];
}

/* One repeat of a pattern, drawn past its edges so that repeats join. */
export function repeat({lines = [], dots = 0, gap, strokes}, ratio) {
  const side = Math.round(gap * ratio);
  const canvas = new OffscreenCanvas(side, side), context = canvas.getContext('2d');
  for (const [width, colour] of strokes) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = width * ratio;
    context.beginPath();
    for (const slope of lines)
      for (const shift of [-side, 0, side]) {
        context.moveTo(shift - side, slope > 0 ? 2 * side : -side);
        context.lineTo(shift + 2 * side, slope > 0 ? -side : 2 * side);
      }
    context.stroke();
    if (!dots) continue;
    context.beginPath();
    context.arc(side / 2, side / 2, (dots + (width - 1) / 2) * ratio, 0, 2 * Math.PI);
    context.fill();
  }
  return canvas;
}
