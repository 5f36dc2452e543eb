/* A class map as outlines: a pixel has the colour of its class where one of its four neighbours has another.
Canvases are kept for each block beside those of the filled map, and only what changed is drawn again. */

import {BLOCK} from './labels.js';
import {ClassLayer} from './layers.js';

/* The outlines of a class layer: one layer for each, made when it is first asked for. */
export function contoursOf(layer) {
  return (layer.outlines ??= new ContourLayer(layer));
}

class ContourLayer extends ClassLayer {
  constructor(of) {
    super(of);
    this.of = of;
    // From afar lines of one pixel would break where pixels are left out.
    this.smooth = true;
    // A pixel is drawn anew when its neighbour changes.
    this.rim = 1;
  }

  get inks() {
    return {...this.of.inks, clearColour: null, patterns: null};
  }

  /* The map may have been given other blocks since, as those of an earlier version. */
  draw(context, frame) {
    this.source = this.of.source;
    super.draw(context, frame);
  }

  markDirty({y0, x0, h, w}) {
    super.markDirty({y0: y0 - 1, x0: x0 - 1, h: h + 2, w: w + 2});
  }

  canvasOf({block, z, by, bx}) {
    const known = this.canvases.get(block);
    if (known) return known.canvas;
    const canvas = new OffscreenCanvas(block.w, block.h), made = {canvas, z, by, bx};
    this.canvases.set(block, made);
    this.colour(made, block, {y0: 0, x0: 0, h: block.h, w: block.w});
    return canvas;
  }

  colour({canvas, z, by, bx}, block, part) {
    const y0 = Math.max(0, part.y0 - 1), x0 = Math.max(0, part.x0 - 1);
    const bottom = Math.min(block.h, part.y0 + part.h + 1), right = Math.min(block.w, part.x0 + part.w + 1);
    if (bottom <= y0 || right <= x0 || part.h <= 0 || part.w <= 0) return;
    const {colours, voidCode, voidPattern} = this.inks, codes = block[this.plane], at = this.#reader(block, z, by, bx);
    for (let row = y0; row < bottom; row++)
      for (let col = x0; col < right; col++) {
        const code = codes[row * block.w + col];
        const isEdge = at(row - 1, col, code) !== code || at(row + 1, col, code) !== code
          || at(row, col - 1, code) !== code || at(row, col + 1, code) !== code;
        this.pixels[(row - y0) * BLOCK + col - x0] = !isEdge ? 0 : code === voidCode ? voidPattern[1] : colours[code];
      }
    this.put(canvas, x0, y0, right - x0, bottom - y0);
  }

  /* Codes of a block and of the first rows and columns around it; `code` where nothing is known. */
  #reader(block, z, by, bx) {
    const {plane, source} = this, {h, w} = block, codes = block[plane];
    const [above, below, left, right] = [[by - 1, bx], [by + 1, bx], [by, bx - 1], [by, bx + 1]]
      .map(([y, x]) => (y < 0 || x < 0 ? undefined : source.get?.(z, y, x)));
    const read = (other, row, col, code) => (other ? other[plane][row * other.w + col] : code);
    return (row, col, code) => {
      if (row < 0) return read(above, (above?.h ?? 0) - 1, col, code);
      if (row >= h) return read(below, 0, col, code);
      if (col < 0) return read(left, row, (left?.w ?? 0) - 1, code);
      if (col >= w) return read(right, row, 0, code);
      return codes[row * w + col];
    };
  }
}
