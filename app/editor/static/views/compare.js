/* Two views in one pane: a line to swipe between them, or the second one for as long as a key is held.
The second view is that of the next pane. */

import {h} from '../dom.js';
import {keepFromGround} from '../panes.js';
import {titleOf} from './catalog.js';

const STEP = 0.02;
const MIDDLE = 0.5;

export class Compare {
  constructor({view, display}) {
    Object.assign(this, {view, display});
    // The swipe and the flicker of now: {slot, at} and a slot, or null.
    this.swipe = null;
    this.flicker = null;
    this.left = h('span', {className: 'left'});
    this.right = h('span', {className: 'right'});
    this.line = h('div', {className: 'swipe', role: 'slider', tabIndex: 0, ariaLabel: 'Swipe between two views',
      ariaValueMin: '0', ariaValueMax: '100', title: 'Drag, or move with the arrow keys'}, this.left, this.right);
    keepFromGround(this.line);
    this.line.addEventListener('pointerdown', (event) => this.line.setPointerCapture(event.pointerId));
    this.line.addEventListener('pointermove', (event) => this.#drag(event));
    this.line.addEventListener('keydown', (event) => this.#key(event));
  }

  /* Draw a line in a pane, or take it away when it is there. */
  toggle(slot) {
    const here = this.swipe?.slot === slot;
    this.swipe = here ? null : {slot, at: MIDDLE};
    this.show();
  }

  /* Take the line away; returns whether there was one. */
  close() {
    if (!this.swipe) return false;
    this.swipe = null;
    this.show();
    return true;
  }

  /* Show the second view; a second call, as the button makes it, takes it away like `release`. */
  hold(slot) {
    this.#fill(this.flicker === slot ? null : slot);
  }

  release() {
    this.#fill(null);
  }

  #fill(slot) {
    this.flicker = slot;
    this.show();
    this.display.showCaptions();
  }

  /* Bring the panes in line: each has a second view or not. */
  show() {
    const {view, display, swipe} = this, count = display.views.length;
    if (swipe && swipe.slot >= count) this.swipe = null;
    view.panes.forEach((pane, slot) => {
      const from = slot === this.flicker ? 0 : this.swipe?.slot === slot ? this.swipe.at : null;
      if (slot >= count || from === null) return pane.second && view.setSecond(pane, null);
      view.setSecond(pane, {...display.compose(display.secondOf(slot)), from});
    });
    this.#showLine();
  }

  /* The second view where it fills a pane, else null. */
  secondIn(slot) {
    return slot === this.flicker ? this.display.secondOf(slot) : null;
  }

  #showLine() {
    if (!this.swipe) return this.line.remove();
    const {slot, at} = this.swipe, pane = this.view.panes[slot];
    if (this.line.parentElement !== pane.element) pane.element.append(this.line);
    this.left.textContent = titleOf(this.display.found[slot]);
    this.right.textContent = titleOf(this.display.secondOf(slot));
    this.#place(at);
  }

  #place(at) {
    this.line.style.left = `clamp(8px, ${100 * at}%, 100% - 8px)`;
    this.line.ariaValueNow = String(Math.round(100 * at));
    this.line.ariaValueText = `${this.left.textContent} ${Math.round(100 * at)} %`;
  }

  #moveTo(at) {
    this.swipe.at = Math.max(0, Math.min(1, at));
    const pane = this.view.panes[this.swipe.slot];
    this.view.setSecond(pane, {...pane.second, from: this.swipe.at});
    this.#place(this.swipe.at);
  }

  #drag(event) {
    if (!this.swipe || !(event.buttons & 1)) return;
    const {left, width} = this.line.parentElement.getBoundingClientRect();
    this.#moveTo((event.clientX - left) / width);
  }

  #key(event) {
    const {at} = this.swipe, step = event.shiftKey ? 5 * STEP : STEP;
    const to = {ArrowLeft: at - step, ArrowDown: at - step, ArrowRight: at + step, ArrowUp: at + step,
      Home: 0, End: 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#moveTo(to);
  }
}
