/* Undo is rare and must be instant the first time, and a browser compiles a function only when it has run for
a while. So a few strokes on labels that nobody sees are taken back while there is nothing else to do. */

import {BLOCK, Labels} from './labels.js';
import {exchange} from './overlay.js';

const STROKES = 8, SIDE = 160;

let rehearsed = false;

/* Once in the life of a page, however many tiles are opened in it. */
export function rehearse() {
  if (rehearsed) return;
  rehearsed = true;
  const labels = new Labels(BLOCK, BLOCK), size = BLOCK * BLOCK;
  labels.setBlock(0, 0, {labels: new Uint8Array(size), provenance: new Uint8Array(size)});
  const stroke = (left) => {
    const h = SIDE + left, data = new Uint8Array(h * SIDE).fill(1);
    labels.begin({tool: 'brush', effect: 'class', toClass: 1});
    labels.paint({y0: left, x0: left, h, w: SIDE, data});
    exchange(labels, labels.finish(), 'new', 'old', 'undo');
    if (left > 1) whenIdle(() => stroke(left - 1));
  };
  whenIdle(() => stroke(STROKES));
}

const whenIdle = (work) => (globalThis.requestIdleCallback ?? setTimeout)(work);
