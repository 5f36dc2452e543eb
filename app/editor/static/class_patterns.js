/* A pattern for each class, for eyes that cannot rely on colour. Patterns are bitmaps in screen space:
exact device pixels at any zoom, drawn over the colour wherever a class lies. */

import {h} from './dom.js';

export const SIDE = 16;
const INK = 1, EDGE = 2;

/* Marks as functions of a place in a square of SIDE pixels that repeats. */
const wrap = (value, gap) => ((value % gap) + gap) % gap;
const rising = (gap) => (x, y) => wrap(x + y, gap) === 0;
const falling = (gap) => (x, y) => wrap(x - y, gap) === 0;
const across = (gap) => (x, y) => wrap(y, gap) === gap >> 1;
const upright = (gap) => (x, y) => wrap(x, gap) === gap >> 1;
const steep = (x, y) => wrap(2 * x + y, 16) < 2;
const shallow = (x, y) => wrap(x - 2 * y, 16) < 2;
const any = (...marks) => (x, y) => marks.some((mark) => mark(x, y));
const both = (...marks) => (x, y) => marks.every((mark) => mark(x, y));
const middle = (gap, reach) => (x, y) => Math.max(Math.abs(wrap(x, gap) - gap / 2), Math.abs(wrap(y, gap) - gap / 2)) < reach;

/* In the order of the class list; neighbours in it look least alike. */
const MARKS = [
  rising(8),
  (x, y) => wrap(x, 8) >> 1 === 2 && wrap(y, 8) >> 1 === 2,
  across(8),
  any(both(across(16), middle(16, 4)), both(upright(16), middle(16, 4))),
  falling(8),
  upright(8),
  (x, y) => wrap(x, 4) === 2 && wrap(y, 4) === 2,
  any(rising(16), falling(16)),
  any(across(8), upright(8)),
  (x, y) => ring(x, y, 5),
  across(4),
  both((x, y) => wrap(x - y, 16) < 4, (x) => wrap(x, 16) < 9),
  upright(4),
  (x, y) => wrap(y + [0, 1, 2, 3, 4, 3, 2, 1][wrap(x, 8)], 8) === 2,
  steep,
  both((x, y) => wrap(y, 8) >> 1 === 2, (x, y) => wrap(x + (wrap(y, 16) < 8 ? 0 : 8), 16) < 8),
  shallow,
  (x, y) => (wrap(x, 8) < 4) !== (wrap(y, 8) < 4),
  any(both(rising(8), middle(8, 3)), both(falling(8), middle(8, 3))),
];

function ring(x, y, radius) {
  const away = Math.hypot(x - 7.5, y - 7.5);
  return away >= radius - 0.6 && away < radius + 0.5;
}

/* The bitmap of the class at a place of the list: ink, its lighter or darker edge, or nothing. */
export function bitmap(place) {
  const mark = MARKS[place % MARKS.length], inked = (x, y) => mark(wrap(x, SIDE), wrap(y, SIDE));
  const bits = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++)
      bits[y * SIDE + x] = inked(x, y) ? INK : inked(x - 1, y - 1) ? EDGE : 0;
  return bits;
}

/* Dark ink on light colours and light ink on dark ones; the edge is the other, and fainter. */
function inks(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const dark = [14, 16, 20, 225], light = [255, 255, 255, 225];
  const bright = 0.299 * r + 0.587 * g + 0.114 * b > 118;
  const [ink, edge] = bright ? [dark, light] : [light, dark];
  const packed = ([red, green, blue, alpha]) =>
    new Uint32Array(new Uint8Array([red, green, blue, alpha]).buffer)[0];
  return [0, packed(ink), packed([...edge.slice(0, 3), 90])];
}

/* Patterns of the classes of a tile, ready to be drawn. Void has a checker of its own, and a class that
   is drawn clear stays clear. */
export class ClassPatterns {
  constructor(classes) {
    this.pixels = new Array(256).fill(null);
    classes.forEach(({code, colour, isVoid, isClear}, place) => {
      if (isVoid || isClear) return;
      const colours = inks(colour);
      this.pixels[code] = Uint32Array.from(bitmap(place), (bit) => colours[bit]);
    });
    this.canvas = null;
  }

  /* Draw over one block of a class map: {h, w, codes}, shown at [left, top, width, height] in device
     pixels, within the visible box of the frame. */
  draw(context, block, at, clip) {
    const left = Math.max(at[0], clip[0]), top = Math.max(at[1], clip[1]);
    const w = Math.min(at[0] + at[2], clip[0] + clip[2]) - left;
    const h = Math.min(at[1] + at[3], clip[1] + clip[3]) - top;
    if (w <= 0 || h <= 0) return;
    const image = new ImageData(w, h);
    this.fill(new Uint32Array(image.data.buffer), {left, top, w, h}, block, at);
    this.canvas ??= new OffscreenCanvas(1, 1);
    if (this.canvas.width < w || this.canvas.height < h)
      Object.assign(this.canvas, {width: Math.max(w, this.canvas.width), height: Math.max(h, this.canvas.height)});
    // Through a canvas of its own: pixels put straight into the pane would ignore its clipping.
    this.canvas.getContext('2d').putImageData(image, 0, 0);
    context.drawImage(this.canvas, 0, 0, w, h, left, top, w, h);
  }

  /* Write the pixels of a rectangle of the pane: its place decides the mark, its class the pattern. */
  fill(pixels, {left, top, w, h}, {w: blockWidth, h: blockHeight, codes}, at) {
    const columns = new Int32Array(w);
    for (let x = 0; x < w; x++)
      columns[x] = Math.min(blockWidth - 1, Math.floor(((left + x + 0.5 - at[0]) * blockWidth) / at[2]));
    for (let y = 0; y < h; y++) {
      const row = Math.min(blockHeight - 1, Math.floor(((top + y + 0.5 - at[1]) * blockHeight) / at[3]));
      const line = wrap(top + y, SIDE) * SIDE, from = row * blockWidth;
      for (let x = 0; x < w; x++) {
        const pattern = this.pixels[codes[from + columns[x]]];
        if (pattern) pixels[y * w + x] = pattern[line + wrap(left + x, SIDE)];
      }
    }
  }
}

/* The colour of a class; hollow where it is drawn clear, a checker where there is none, and with its
   pattern where patterns are on. */
export function swatch({colour, isVoid, isClear, place}, patterned) {
  if (patterned && !isVoid && !isClear) return patternSwatch(colour, place);
  const style = isVoid ? '' : isClear ? `border:2px solid ${colour}` : `background:${colour}`;
  return h('span', {className: isVoid ? 'swatch void' : isClear ? 'swatch clear' : 'swatch', style});
}

function patternSwatch(colour, place) {
  const canvas = h('canvas', {width: 2 * SIDE, height: SIDE, className: 'swatch patterned'});
  const image = new ImageData(2 * SIDE, SIDE), pixels = new Uint32Array(image.data.buffer);
  const colours = inks(colour), bits = bitmap(place);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[bits[(i >> 5) * SIDE + (i & 15)]];
  const context = canvas.getContext('2d'), over = new OffscreenCanvas(2 * SIDE, SIDE);
  over.getContext('2d').putImageData(image, 0, 0);
  context.fillStyle = colour;
  context.fillRect(0, 0, 2 * SIDE, SIDE);
  context.drawImage(over, 0, 0);
  return canvas;
}
