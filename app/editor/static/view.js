/* Panes that share one transform: the same ground under the same place of each. Drawing happens at
most once per animation frame, and only in the panes and the rectangle that changed. The cursor and
the brush's outline live on a canvas of their own above each pane. */

import {union} from './labels.js';
import {nodataChecker, place} from './layers.js';
import {stampSpans} from './raster.js';

const MAX_SCALE = 64;
const CROSS_PX = 11;

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
    for (const pane of this.panes)
      for (const canvas of [pane.canvas, pane.overlay]) {
        canvas.width = Math.round(pane.element.clientWidth * this.ratio);
        canvas.height = Math.round(pane.element.clientHeight * this.ratio);
      }
    for (const pane of this.panes) pane.checker = null;
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
    this.overlayStale = true;
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
    for (const pane of this.panes) this.#drawOverlay(pane, frame);
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

  #drawOverlay(pane, frame) {
    const context = pane.top;
    if (pane.marked) context.clearRect(...pane.marked);
    pane.marked = null;
    if (!this.cursor) return;
    const x = this.cursor.x * frame.scale + frame.x, y = this.cursor.y * frame.scale + frame.y;
    let marked = [x - 24 * frame.ratio, y - 24 * frame.ratio, x + 24 * frame.ratio, y + 24 * frame.ratio];
    if (this.ghost) {
      const line = this.ghost.from;
      if (line) marked = grow(marked, strokeTwice(context, frame, linePath(line, this.cursor, frame)));
      if (this.ghost.diameter * this.transform.scale >= 3)
        marked = grow(marked, strokeTwice(context, frame, ghostPath(this.ghost, frame)));
    }
    if (!pane.hovered) strokeTwice(context, frame, crossPath(x, y, CROSS_PX * frame.ratio));
    const pad = 3 * frame.ratio;
    pane.marked = [marked[0] - pad, marked[1] - pad, marked[2] - marked[0] + 2 * pad,
      marked[3] - marked[1] + 2 * pad];
  }
}

function makePane(id, element) {
  const canvas = document.createElement('canvas'), overlay = document.createElement('canvas');
  overlay.className = 'overlay';
  element.append(canvas, overlay);
  return {id, element, canvas, overlay, context: canvas.getContext('2d', {alpha: true}),
    top: overlay.getContext('2d'), layers: [], stale: 'all', marked: null, hovered: false};
}

function intersect(a, b) {
  const y0 = Math.max(a.y0, b.y0), x0 = Math.max(a.x0, b.x0);
  const h = Math.min(a.y0 + a.h, b.y0 + b.h) - y0, w = Math.min(a.x0 + a.w, b.x0 + b.w) - x0;
  return {y0, x0, h: Math.max(0, h), w: Math.max(0, w)};
}

const grow = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]),
  Math.max(a[3], b[3])];

/* Dark below light, so that the line shows on any image. Returns the bounds of the path. */
function strokeTwice(context, {ratio}, {path, bounds}) {
  context.lineJoin = 'miter';
  context.strokeStyle = 'rgba(0, 0, 0, .75)';
  context.lineWidth = 3 * ratio;
  context.stroke(path);
  context.strokeStyle = '#fff';
  context.lineWidth = ratio;
  context.stroke(path);
  return bounds;
}

/* The exact outline of a stamp: a stamp is convex, so one staircase down each side is enough. */
function ghostPath({diameter, origin: [oy, ox]}, {scale, x, y}) {
  const spans = stampSpans(diameter), path = new Path2D();
  const px = (col) => Math.round((ox + col) * scale + x), py = (row) => Math.round((oy + row) * scale + y);
  path.moveTo(px(spans[1]), py(0));
  for (let row = 0; row < diameter; row++) {
    path.lineTo(px(spans[2 * row + 1]), py(row));
    path.lineTo(px(spans[2 * row + 1]), py(row + 1));
  }
  for (let row = diameter - 1; row >= 0; row--) {
    path.lineTo(px(spans[2 * row]), py(row + 1));
    path.lineTo(px(spans[2 * row]), py(row));
  }
  path.closePath();
  return {path, bounds: [px(0), py(0), px(diameter), py(diameter)]};
}

function linePath(from, to, {scale, x, y}) {
  const path = new Path2D();
  const [ax, ay, bx, by] = [from.x * scale + x, from.y * scale + y, to.x * scale + x, to.y * scale + y];
  path.moveTo(ax, ay);
  path.lineTo(bx, by);
  return {path, bounds: [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)]};
}

function crossPath(x, y, arm) {
  const path = new Path2D(), gap = arm / 3;
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    path.moveTo(x + dx * gap, y + dy * gap);
    path.lineTo(x + dx * arm, y + dy * arm);
  }
  return {path, bounds: [x - arm, y - arm, x + arm, y + arm]};
}
