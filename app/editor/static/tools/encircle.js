/* Encircle and fill: a freehand line that closes itself; what it encloses and passes is painted. */

import {drawnMask, isNear} from './shared.js';

const STEP_PX = 1.5;

export class Encircle {
  static line = 'encircle';

  constructor(hand) {
    this.hand = hand;
    this.points = null;
  }

  press(at) {
    this.points = [at];
    this.#show();
    return true;
  }

  drag(at) {
    const {hand, points} = this;
    if (isNear(at, points.at(-1), hand.editor.view.transform.scale, STEP_PX)) return;
    points.push(at);
    this.#show();
  }

  release() {
    const {hand, points} = this;
    this.#drop();
    try {
      const mask = drawnMask(points, hand.labels, {line: true});
      if (mask) hand.apply('encircle', mask);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      hand.say(error.message);
    }
  }

  cancel() {
    const had = this.points !== null;
    this.#drop();
    return had;
  }

  #show() {
    this.hand.editor.preview.path(Encircle.line, this.points, true);
  }

  #drop() {
    this.points = null;
    this.hand.editor.preview.clear(Encircle.line);
  }
}
