/* Cursor, outline of the brush and straight line: small elements that move over a pane, as a canvas as
large as the pane would be composed anew for every move of the mouse. */

import {place} from '../layers.js';
import {stampSpans} from '../raster.js';

const CROSS_PX = 11;
const GHOST_PAD = 3;
const SVG = 'http://www.w3.org/2000/svg';

export class Marks {
  constructor() {
    this.ghost = document.createElement('canvas');
    this.cross = drawCross();
    this.ghost.className = this.cross.className = 'mark';
    this.line = document.createElementNS(SVG, 'svg');
    this.line.setAttribute('class', 'line-mark');
    for (const colour of ['black', 'white']) {
      const line = document.createElementNS(SVG, 'line');
      line.setAttribute('class', colour);
      this.line.append(line);
    }
    this.elements = [this.line, this.ghost, this.cross];
    this.key = '';
  }

  /* Move to the cursor, in tile pixels; the pane that has the mouse needs no cross. */
  move(cursor, ghost, frame, hovered) {
    const shown = ghost?.diameter && ghost.diameter * frame.scale >= 3 * frame.ratio;
    this.cross.hidden = !cursor || hovered;
    this.ghost.hidden = !cursor || !shown;
    this.line.toggleAttribute('hidden', !cursor || !ghost?.from);
    if (!cursor) return;
    const x = cursor.x * frame.scale + frame.x, y = cursor.y * frame.scale + frame.y;
    moveTo(this.cross, (x / frame.ratio) - CROSS_PX - 2, (y / frame.ratio) - CROSS_PX - 2);
    if (shown) {
      const key = `${ghost.diameter}/${ghost.square ?? false}/${frame.scale}/${frame.ratio}`;
      if (this.key !== key) drawGhost(this.ghost, ghost, frame);
      this.key = key;
      const [left, top] = place(frame, {y0: ghost.origin[0], x0: ghost.origin[1], h: 0, w: 0});
      moveTo(this.ghost, left / frame.ratio - GHOST_PAD, top / frame.ratio - GHOST_PAD);
    }
    if (ghost?.from) drawLine(this.line, ghost.from, {x, y}, frame);
  }
}

function moveTo(element, x, y) {
  element.style.transform = `translate(${x}px, ${y}px)`;
}

/* Dark below light, so that the line shows on any image. */
function strokeTwice(context, path, ratio) {
  context.strokeStyle = 'rgba(0, 0, 0, .75)';
  context.lineWidth = 3 * ratio;
  context.stroke(path);
  context.strokeStyle = '#fff';
  context.lineWidth = ratio;
  context.stroke(path);
}

/* The exact outline of a stamp: a stamp is convex, so one staircase down each side is enough. */
function drawGhost(canvas, {diameter, square = false}, {scale, ratio}) {
  const side = Math.ceil(diameter * scale + 2 * GHOST_PAD * ratio);
  canvas.width = canvas.height = side;
  canvas.style.width = canvas.style.height = `${side / ratio}px`;
  const path = new Path2D(), at = (pixels) => Math.round(pixels * scale) + GHOST_PAD * ratio;
  const spans = square ? null : stampSpans(diameter);
  const from = (row) => (spans ? spans[2 * row] : 0), to = (row) => (spans ? spans[2 * row + 1] : diameter);
  path.moveTo(at(to(0)), at(0));
  for (let row = 0; row < diameter; row++) {
    path.lineTo(at(to(row)), at(row));
    path.lineTo(at(to(row)), at(row + 1));
  }
  for (let row = diameter - 1; row >= 0; row--) {
    path.lineTo(at(from(row)), at(row + 1));
    path.lineTo(at(from(row)), at(row));
  }
  path.closePath();
  strokeTwice(canvas.getContext('2d'), path, ratio);
}

function drawCross() {
  const canvas = document.createElement('canvas'), ratio = devicePixelRatio || 1;
  const half = CROSS_PX + 2;
  canvas.width = canvas.height = Math.round(2 * half * ratio);
  canvas.style.width = canvas.style.height = `${2 * half}px`;
  const context = canvas.getContext('2d'), path = new Path2D();
  context.scale(ratio, ratio);
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(half + (dx * CROSS_PX) / 3, half + (dy * CROSS_PX) / 3);
    path.lineTo(half + dx * CROSS_PX, half + dy * CROSS_PX);
  }
  strokeTwice(context, path, 1);
  return canvas;
}

/* The straight line that Shift would paint, from the end of the last stroke to the cursor. */
function drawLine(svg, from, to, {scale, x, y, ratio}) {
  const ends = {x1: from.x * scale + x, y1: from.y * scale + y, x2: to.x, y2: to.y};
  for (const line of svg.children)
    for (const [name, value] of Object.entries(ends)) line.setAttribute(name, value / ratio);
}
