/* Panes that share one transform: the same ground under the same place of each. Drawing happens at
most once per animation frame, and only in the panes and the rectangle that changed. */

import {union} from './labels.js';
import {nodataChecker, place} from './layers.js';
import {stampSpans} from './raster.js';

const MAX_SCALE = 64;
const CROSS_PX = 11;
const GHOST_PAD = 3;
const SVG = 'http://www.w3.org/2000/svg';

export class View {
  /* `panes` is a list of {id, element}; layers are set by `setLayers`. */
  constructor(panes, timings) {
    this.timings = timings;
    this.tile = {height: 1, width: 1};
    this.transform = {scale: 1, x: 0, y: 0};
    this.size = {width: 1, height: 1};
    this.ratio = 1;
    this.cursor = null;
    this.ghost = null;
    this.requested = 0;
    this.fitted = true;
    this.onChange = () => {};
    this.panes = panes.map(({id, element}) => makePane(id, element));
    this.observer = new ResizeObserver(() => this.#resize());
    for (const {element} of this.panes) this.observer.observe(element);
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.requested);
  }

  pane(id) {
    return this.panes.find((pane) => pane.id === id);
  }

  setLayers(id, layers) {
    const pane = this.pane(id);
    pane.layers = layers;
    this.draw(null, [id]);
  }

  /* Show another tile; the place is kept when its shape is the same. */
  setTile(tile) {
    const same = tile.height === this.tile.height && tile.width === this.tile.width;
    this.tile = tile;
    if (!same) this.fit();
    this.draw();
  }

  #resize() {
    const {clientWidth: width, clientHeight: height} = this.panes[0].element;
    if (!width || !height) return;
    this.size = {width, height};
    this.ratio = devicePixelRatio || 1;
    for (const pane of this.panes) {
      pane.canvas.width = Math.round(pane.element.clientWidth * this.ratio);
      pane.canvas.height = Math.round(pane.element.clientHeight * this.ratio);
      pane.checker = null;
    }
    // What showed the whole tile goes on doing so.
    if (this.fitted) this.fit();
    else this.draw();
  }

  #fitScale() {
    const {width, height} = this.size;
    return Math.min(width / this.tile.width, height / this.tile.height) * 0.985;
  }

  /* The whole tile, centred. */
  fit() {
    const {width, height} = this.size, scale = this.#fitScale();
    this.fitted = true;
    this.transform = {
      scale,
      x: (width - this.tile.width * scale) / 2,
      y: (height - this.tile.height * scale) / 2,
    };
    this.#moved();
  }

  /* Zoom by a factor; the tile pixel under (x, y) of a pane stays where it is. */
  zoom(factor, x = this.size.width / 2, y = this.size.height / 2) {
    const {scale} = this.transform;
    const least = Math.min(1, this.#fitScale()) * 0.5;
    const next = Math.max(least, Math.min(MAX_SCALE, scale * factor));
    const ratio = next / scale;
    this.fitted = false;
    this.transform = {
      scale: next,
      x: x - (x - this.transform.x) * ratio,
      y: y - (y - this.transform.y) * ratio,
    };
    this.#moved();
  }

  pan(dx, dy) {
    this.fitted = false;
    this.transform = {...this.transform, x: this.transform.x + dx, y: this.transform.y + dy};
    this.#moved();
  }

  /* Bring a box of tile pixels into view if no part of it is. */
  reveal({y0, x0, h, w}) {
    const {scale, x, y} = this.transform, {width, height} = this.size;
    const left = x0 * scale + x, top = y0 * scale + y;
    if (left < width && top < height && left + w * scale > 0 && top + h * scale > 0) return;
    this.pan(width / 2 - left - (w * scale) / 2, height / 2 - top - (h * scale) / 2);
  }

  /* Keep at least a corner of the tile within reach. */
  #moved() {
    const {width, height} = this.size, {scale} = this.transform, margin = 48;
    const clamp = (at, extent, room) => Math.max(margin - extent, Math.min(room - margin, at));
    this.transform.x = clamp(this.transform.x, this.tile.width * scale, width);
    this.transform.y = clamp(this.transform.y, this.tile.height * scale, height);
    this.draw();
    this.onChange();
  }

  /* Position in tile pixels, as fractions, of a place in a pane. */
  toTile(x, y) {
    const {scale, x: left, y: top} = this.transform;
    return {x: (x - left) / scale, y: (y - top) / scale};
  }

  /* The box of tile pixels in view. */
  visible() {
    const {width, height} = this.size, from = this.toTile(0, 0), to = this.toTile(width, height);
    const y0 = Math.max(0, Math.floor(from.y)), x0 = Math.max(0, Math.floor(from.x));
    const h = Math.min(this.tile.height, Math.ceil(to.y)) - y0;
    return {y0, x0, h: Math.max(0, h), w: Math.max(0, Math.min(this.tile.width, Math.ceil(to.x)) - x0)};
  }

  /* Ask for a drawing of a box of tile pixels (null: everything) in some panes (null: all). */
  draw(box = null, ids = null) {
    for (const pane of this.panes) {
      if (ids !== null && !ids.includes(pane.id)) continue;
      pane.stale = pane.stale === 'all' || box === null ? 'all' : union(pane.stale, box);
    }
    this.#request();
  }

  /* Move the cursor (tile pixels, or null) with the outline to show: {diameter, origin} of a brush
     stamp, optionally `from`, the other end of a straight line. */
  point(cursor, ghost) {
    this.cursor = cursor;
    this.ghost = ghost;
    this.#request();
  }

  #request() {
    if (this.requested === 0) this.requested = requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    const started = performance.now();
    this.requested = 0;
    const frame = {
      scale: this.transform.scale * this.ratio,
      x: this.transform.x * this.ratio,
      y: this.transform.y * this.ratio,
      ratio: this.ratio,
      visible: this.visible(),
    };
    for (const pane of this.panes) if (pane.stale) this.#drawPane(pane, frame);
    this.#moveCursor(frame);
    this.timings.add('draw', performance.now() - started);
  }

  #drawPane(pane, frame) {
    const {context, canvas} = pane, stale = pane.stale;
    pane.stale = null;
    context.save();
    if (stale !== 'all') {
      const [left, top, w, h] = place(frame, stale);
      context.beginPath();
      context.rect(left - 1, top - 1, w + 2, h + 2);
      context.clip();
      frame = {...frame, visible: intersect(frame.visible, stale)};
    }
    context.clearRect(0, 0, canvas.width, canvas.height);
    pane.checker ??= nodataChecker(context, this.ratio);
    context.fillStyle = pane.checker;
    context.fillRect(...place(frame, {y0: 0, x0: 0, h: this.tile.height, w: this.tile.width}));
    if (frame.visible.h > 0 && frame.visible.w > 0)
      for (const layer of pane.layers) layer.draw(context, frame);
    context.restore();
  }

  /* Cursor and outline are small elements that move over the pane: a canvas as large as the pane
     would be composed anew for every move of the mouse. */
  #moveCursor(frame) {
    const {cursor, ghost} = this, shown = ghost && ghost.diameter * this.transform.scale >= 3;
    const key = shown ? `${ghost.diameter}/${frame.scale}/${frame.ratio}` : '';
    for (const pane of this.panes) {
      const {marks} = pane;
      marks.cross.hidden = !cursor || pane.hovered;
      marks.ghost.hidden = !cursor || !shown;
      marks.line.toggleAttribute('hidden', !cursor || !ghost?.from);
      if (!cursor) continue;
      const x = cursor.x * frame.scale + frame.x, y = cursor.y * frame.scale + frame.y;
      moveTo(marks.cross, (x / frame.ratio) - CROSS_PX - 2, (y / frame.ratio) - CROSS_PX - 2);
      if (shown) {
        if (marks.key !== key) drawGhost(marks.ghost, ghost, frame);
        marks.key = key;
        const [left, top] = place(frame, {y0: ghost.origin[0], x0: ghost.origin[1], h: 0, w: 0});
        moveTo(marks.ghost, left / frame.ratio - GHOST_PAD, top / frame.ratio - GHOST_PAD);
      }
      if (ghost?.from) drawLine(marks.line, ghost.from, {x, y}, frame);
    }
  }
}

function makePane(id, element) {
  const canvas = document.createElement('canvas');
  const marks = {ghost: document.createElement('canvas'), cross: drawCross(),
    line: document.createElementNS(SVG, 'svg'), key: ''};
  marks.ghost.className = marks.cross.className = 'mark';
  marks.line.setAttribute('class', 'line-mark');
  for (const colour of ['black', 'white']) {
    const line = document.createElementNS(SVG, 'line');
    line.setAttribute('class', colour);
    marks.line.append(line);
  }
  element.prepend(canvas, marks.line, marks.ghost, marks.cross);
  return {id, element, canvas, marks, context: canvas.getContext('2d'), layers: [], stale: 'all',
    hovered: false};
}

function moveTo(element, x, y) {
  element.style.transform = `translate(${x}px, ${y}px)`;
}

function intersect(a, b) {
  const y0 = Math.max(a.y0, b.y0), x0 = Math.max(a.x0, b.x0);
  const h = Math.min(a.y0 + a.h, b.y0 + b.h) - y0, w = Math.min(a.x0 + a.w, b.x0 + b.w) - x0;
  return {y0, x0, h: Math.max(0, h), w: Math.max(0, w)};
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
function drawGhost(canvas, {diameter}, {scale, ratio}) {
  const side = Math.ceil(diameter * scale + 2 * GHOST_PAD * ratio);
  canvas.width = canvas.height = side;
  canvas.style.width = canvas.style.height = `${side / ratio}px`;
  const spans = stampSpans(diameter), path = new Path2D();
  const at = (pixels) => Math.round(pixels * scale) + GHOST_PAD * ratio;
  path.moveTo(at(spans[1]), at(0));
  for (let row = 0; row < diameter; row++) {
    path.lineTo(at(spans[2 * row + 1]), at(row));
    path.lineTo(at(spans[2 * row + 1]), at(row + 1));
  }
  for (let row = diameter - 1; row >= 0; row--) {
    path.lineTo(at(spans[2 * row]), at(row + 1));
    path.lineTo(at(spans[2 * row]), at(row));
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
