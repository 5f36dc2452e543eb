/* The brush: stamps along the way of the pointer, one stroke from press to release. */

import {lineMask, stampOrigin} from '../raster.js';

export class Brush {
  constructor(hand) {
    this.hand = hand;
    this.last = null;
  }

  /* Shift makes it a straight line from the end of the stroke before. */
  press(at, keys) {
    const {hand} = this, from = (keys.shift && hand.lastEnd) || at;
    if (!hand.begin('brush', this.#box(at, keys))) return false;
    this.last = from;
    this.drag(at, keys);
    return true;
  }

  drag(at, keys) {
    const {hand} = this, {labels} = hand, diameter = hand.diameter(keys);
    const mask = lineMask(originOf(this.last, diameter), originOf(at, diameter), diameter,
      labels.height, labels.width, hand.square);
    this.last = hand.lastEnd = at;
    if (mask) hand.paint(mask);
  }

  release() {
    this.last = null;
    this.hand.commit();
  }

  cancel() {
    const running = this.last !== null;
    this.last = null;
    return running && this.hand.drop();
  }

  stamp(keys) {
    return {diameter: this.hand.diameter(keys), square: this.hand.square};
  }

  #box(at, keys) {
    const side = this.hand.diameter(keys), [y0, x0] = originOf(at, side);
    return {y0, x0, h: side, w: side};
  }
}

const originOf = ({y, x}, diameter) => stampOrigin(y, x, diameter);

/* Brush sizes: every whole number while small, then steps of about a fifth, to 256 px. */
export function stepDiameter(diameter, steps) {
  let next = diameter;
  for (let i = 0; i < Math.abs(steps); i++) {
    const ratio = steps > 0 ? Math.max(next + 1, next * 1.2) : Math.min(next - 1, next / 1.2);
    next = Math.max(1, Math.min(256, Math.round(ratio)));
  }
  return next;
}
