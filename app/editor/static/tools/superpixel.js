/* Superpixel fill: the segment under the cursor is outlined in every pane; a press assigns it, a drag
assigns every segment that the pointer passes, as one edit. */

import {outerPath} from '../outline.js';
import {COMPUTING} from '../features/superpixels.js';

const NOT_READY = `${COMPUTING} Try again in a moment.`;

export class Superpixel {
  static line = 'superpixel';

  constructor(hand) {
    this.hand = hand;
    Object.assign(this, {at: null, outlined: null, last: null, touched: null});
    hand.editor.features.superpixels.onChunk(() => this.at && this.hand.gesture === this && this.hover(this.at));
  }

  press(at) {
    const found = this.#segment(at), {hand} = this;
    if (!found) {
      if (found === null) hand.say(NOT_READY);
      return false;
    }
    if (!hand.begin('superpixel', found.mask)) return false;
    Object.assign(this, {touched: new Set(), last: at});
    this.drag(at);
    return true;
  }

  /* Every pixel on the way, so that a fast drag leaves no segment out. */
  drag(at) {
    const {last} = this, steps = Math.max(1, Math.ceil(Math.hypot(at.x - last.x, at.y - last.y)));
    for (let i = 0; i <= steps; i++)
      this.#assign({x: last.x + ((at.x - last.x) * i) / steps, y: last.y + ((at.y - last.y) * i) / steps});
    this.last = at;
    this.hover(at);
  }

  #assign(at) {
    const found = this.#segment(at);
    if (found === null) this.missed = true;
    if (!found || this.touched.has(found.key)) return;
    this.touched.add(found.key);
    this.hand.paint(found.mask);
  }

  release() {
    if (this.missed) this.hand.say('Part of the way has no superpixels yet: they are being computed.');
    this.#end();
    this.hand.commit();
  }

  cancel() {
    const running = this.touched !== null;
    this.#end();
    this.#outline(null);
    return running && this.hand.drop();
  }

  #end() {
    Object.assign(this, {touched: null, last: null, missed: false});
  }

  hover(at) {
    this.at = at;
    this.#outline(at && this.#segment(at));
  }

  #outline(found) {
    const key = found ? found.key : null;
    if (key === this.outlined) return;
    this.outlined = key;
    this.hand.editor.preview.path(Superpixel.line, found ? outerPath(found.mask) : null, true);
  }

  #segment({x, y}) {
    return this.hand.editor.features.superpixels.at(Math.floor(y), Math.floor(x));
  }
}
