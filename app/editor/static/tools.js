/* Press, move and release of each tool, as steps on labels and raster functions. A tool gets a
*hand*: {labels, tool, toClass, diameter}, and positions in tile pixels as fractions. It returns the
change of `Labels.finish`, or null when nothing changed. */

import {floodFill, lineMask, stampOrigin} from './raster.js';

export const FILL_SIDE = 4096;

/* A brush stroke: stamps along the way of the pointer. */
export class BrushStroke {
  constructor(hand) {
    this.hand = hand;
    this.last = null;
    this.box = null;
  }

  /* `from`, the end of the stroke before, makes it a straight line from there. */
  press(at, from = null) {
    const {labels, tool, toClass} = this.hand;
    labels.begin(tool, toClass);
    this.last = this.#origin(from ?? at);
    this.move(at);
  }

  move(at) {
    const {labels, diameter} = this.hand, origin = this.#origin(at);
    const mask = lineMask(this.last, origin, diameter, labels.height, labels.width);
    this.last = origin;
    if (mask) labels.paint(mask);
  }

  release() {
    return this.hand.labels.finish();
  }

  #origin({y, x}) {
    return stampOrigin(y, x, this.hand.diameter);
  }
}

/* The box in which a connected region is looked for: the tile, or a large part around the click. */
export function fillBox({height, width}, {y, x}) {
  const side = (extent, at) => {
    const size = Math.min(extent, FILL_SIDE);
    return [Math.max(0, Math.min(extent - size, Math.floor(at) - size / 2)), size];
  };
  const [y0, h] = side(height, y), [x0, w] = side(width, x);
  return {y0, x0, h, w};
}

/* The connected region of one class under a position, as a mask with that class as its `value`. */
export function regionAt(labels, at) {
  const box = fillBox(labels, at);
  const values = labels.window(box);
  const row = Math.floor(at.y) - box.y0, col = Math.floor(at.x) - box.x0;
  const mask = floodFill(values, box.h, box.w, row, col);
  return {...mask, y0: mask.y0 + box.y0, x0: mask.x0 + box.x0, value: values[row * box.w + col]};
}

/* Apply a tool to a whole mask as one stroke. */
export function applyMask(labels, tool, toClass, mask) {
  labels.begin(tool, toClass);
  labels.paint(mask);
  return labels.finish();
}

/* Brush sizes: every whole number while small, then steps of about a fifth, to 256 px. */
export function stepDiameter(diameter, steps) {
  let next = diameter;
  for (let i = 0; i < Math.abs(steps); i++) {
    const ratio = steps > 0 ? Math.max(next + 1, next * 1.2) : Math.min(next - 1, next / 1.2);
    next = Math.max(1, Math.min(256, Math.round(ratio)));
  }
  return next;
}
