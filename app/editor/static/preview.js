/* What a tool is about to do, and what there is to decide: masks drawn over the label, and lines drawn over
every pane. Each caller has a `name` of its own for what it shows. */

import {place} from './layers.js';
import {repeat} from './patterns.js';

const SIDE = 512;
const ALPHA = 190;
const SVG = 'http://www.w3.org/2000/svg';
const HATCH = (colour) => ({lines: [1], gap: 8, strokes: [[3, 'rgba(10, 12, 16, .6)'], [1.6, colour]]});

export class Preview {
  constructor(view) {
    this.view = view;
    this.shown = new Map();
    this.paths = new Map();
    this.drawn = new WeakMap();
    this.layer = new OffscreenCanvas(1, 1);
    view.onFrame = (frame) => this.#placePaths(frame);
  }

  /* Show masks under a name, in place of those before: a list of {mask, colour, style}, the colour as
     #rrggbb, the style 'tint', 'hatch' or 'outline'. */
  set(name, masks) {
    this.#forget(name);
    if (masks.length) this.shown.set(name, masks.map(({mask, colour, style = 'tint'}) =>
      ({mask, style, colour, pixel: pixelOf(colour, style === 'tint' ? ALPHA : 255), chunks: new Map()})));
    this.#redraw(masks.map(({mask}) => mask));
  }

  /* Show a line through {x, y} in tile pixels under a name; null takes it away. `dots` are marked on it, and
     `end` is the one at which a click would close it. */
  path(name, points, closed = false, {dots = [], end = null} = {}) {
    if (points?.length) this.paths.set(name, {points, closed, dots, end});
    else this.paths.delete(name);
    this.stale = true;
    this.view.draw(null, []);
  }

  /* Take away what is shown under a name, or everything. */
  clear(name = null) {
    const names = name === null ? [...this.shown.keys(), ...this.paths.keys()] : [name];
    for (const each of names) {
      this.#forget(each);
      if (this.paths.has(each)) this.path(each, null);
    }
  }

  #forget(name) {
    const before = this.shown.get(name);
    if (!before) return;
    this.shown.delete(name);
    this.#redraw(before.map(({mask}) => mask));
  }

  #redraw(boxes) {
    const ids = this.view.panes.filter(({layers}) => layers.includes(this)).map(({id}) => id);
    for (const {y0, x0, h, w} of boxes) this.view.draw({y0, x0, h, w}, ids);
  }

  // ---- masks: a layer of the panes that show labels

  draw(context, frame) {
    for (const entries of this.shown.values())
      for (const entry of entries) {
        if (entry.style === 'hatch') this.#hatch(context, frame, entry);
        else this.#lay(context, frame, entry);
      }
  }

  /* Draw the chunks of a mask in view. Far out, every second, fourth, ... pixel is enough. */
  #lay(context, frame, entry) {
    const {mask} = entry, {visible} = frame;
    const z = Math.max(0, Math.min(6, Math.floor(Math.log2(1 / frame.scale)))), side = SIDE << z;
    const top = Math.max(0, visible.y0 - mask.y0), left = Math.max(0, visible.x0 - mask.x0);
    const bottom = Math.min(mask.h, visible.y0 + visible.h - mask.y0);
    const right = Math.min(mask.w, visible.x0 + visible.w - mask.x0);
    context.imageSmoothingEnabled = false;
    let any = false;
    for (let y = top - (top % side); y < bottom; y += side)
      for (let x = left - (left % side); x < right; x += side) {
        const canvas = chunkOf(entry, z, y, x);
        context.drawImage(canvas, ...place(frame, {y0: mask.y0 + y, x0: mask.x0 + x,
          h: canvas.height << z, w: canvas.width << z}));
        any = true;
      }
    return any;
  }

  #hatch(context, frame, entry) {
    const {width, height} = context.canvas;
    if (this.layer.width !== width || this.layer.height !== height) Object.assign(this.layer, {width, height});
    const paint = this.layer.getContext('2d');
    paint.save();
    paint.clearRect(0, 0, width, height);
    if (this.#lay(paint, frame, entry)) {
      paint.globalCompositeOperation = 'source-in';
      paint.fillStyle = paint.createPattern(repeat(HATCH(entry.colour), frame.ratio), 'repeat');
      paint.fillRect(0, 0, width, height);
      context.drawImage(this.layer, 0, 0);
    }
    paint.restore();
  }

  // ---- lines: an element of their own in every pane, so that a moving line composes nothing anew

  #placePaths(frame) {
    const key = `${frame.scale}/${frame.x}/${frame.y}/${frame.ratio}`;
    if (!this.paths.size && !this.stale) return;
    if (key === this.frameKey && !this.stale) return;
    Object.assign(this, {frameKey: key, stale: false});
    const {scale, x, y, ratio} = frame;
    const place = (at) => `${((at.x * scale + x) / ratio).toFixed(1)},${((at.y * scale + y) / ratio).toFixed(1)}`;
    // A line of no length with square ends is a dot that keeps its size at every zoom.
    const marks = (dots) => dots.map((at) => `M${place(at)}h0`).join('');
    const lines = [...this.paths.values()].map(({points, closed, dots, end}) => ({closed,
      text: points.map(place).join(' '), dots: marks(dots), end: marks(end ? [end] : [])}));
    for (const pane of this.view.panes) this.#drawPaths(pane, lines);
  }

  #drawPaths(pane, lines) {
    let svg = this.drawn.get(pane.element);
    if (!svg) {
      svg = document.createElementNS(SVG, 'svg');
      svg.setAttribute('class', 'line-mark paths');
      pane.element.append(svg);
      this.drawn.set(pane.element, svg);
    }
    svg.style.transform = `translate(${pane.dx}px, ${pane.dy}px)`;
    svg.replaceChildren(...lines.flatMap(({text, closed, dots, end}) => ['black', 'white'].flatMap((colour) => [
      element(closed ? 'polygon' : 'polyline', colour, 'points', text),
      ...(dots ? [element('path', `${colour} dots`, 'd', dots)] : []),
      ...(end ? [element('path', `${colour} dots end`, 'd', end)] : [])])));
  }
}

function element(tag, name, attribute, value) {
  const made = document.createElementNS(SVG, tag);
  made.setAttribute('class', name);
  made.setAttribute(attribute, value);
  return made;
}

function pixelOf(colour, alpha) {
  const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return new Uint32Array(new Uint8Array([...rgb, alpha]).buffer)[0];
}

/* A part of a mask as a canvas, from (y, x) of the mask on, `2 ** z` mask pixels to one of its own. */
function chunkOf({mask, pixel, style, chunks}, z, y, x) {
  const key = `${z}/${y}/${x}`;
  if (chunks.has(key)) return chunks.get(key);
  const step = 1 << z, h = Math.min(SIDE, Math.ceil((mask.h - y) / step)), w = Math.min(SIDE, Math.ceil((mask.w - x) / step));
  const image = new ImageData(w, h), pixels = new Uint32Array(image.data.buffer);
  for (let row = 0; row < h; row++)
    for (let col = 0; col < w; col++) {
      const r = y + row * step, c = x + col * step;
      if (mask.data[r * mask.w + c] && (style !== 'outline' || onEdge(mask, r, c, step))) pixels[row * w + col] = pixel;
    }
  const canvas = new OffscreenCanvas(w, h);
  canvas.getContext('2d').putImageData(image, 0, 0);
  chunks.set(key, canvas);
  return canvas;
}

function onEdge({h, w, data}, row, col, step) {
  return row < step || col < step || row + step >= h || col + step >= w || !data[(row - step) * w + col]
    || !data[(row + step) * w + col] || !data[row * w + col - step] || !data[row * w + col + step];
}
