/* One image layer in one rendering, drawn from blocks of its pyramid. A *rendering* is {stretch, bands,
expr, filter, minus, clouds, seed}, as the route of images takes them; bands count from 1, and every part may be left
out. A nudge moves the picture by tile pixels, for the eye only. */

import {BLOCK} from './labels.js';
import {eachBlock, place} from './layers.js';

const PARTS = ['stretch', 'bands', 'expr', 'filter', 'minus', 'clouds', 'seed'];

/* The query of a rendering, which also names it. */
export function queryOf(rendering) {
  const query = new URLSearchParams();
  for (const part of PARTS) {
    const value = rendering[part];
    const plain = value === null || value === undefined || (part === 'filter' && value === 'none');
    if (!plain) query.set(part, String(value));
  }
  return query.toString();
}

export class ImageLayer {
  constructor({server, tile, layer, loader, pool, rendering = {}, nudge = {y: 0, x: 0}}) {
    Object.assign(this, {server, tile, layer, loader, pool, nudge});
    this.rendering = {stretch: 'auto', ...rendering};
    this.ranges = new Map();
  }

  get stretch() {
    return this.rendering.stretch;
  }

  set stretch(stretch) {
    this.rendering = {...this.rendering, stretch};
    this.query = null;
  }

  #query() {
    return (this.query ??= queryOf(this.rendering));
  }

  /* The range shown black to white, as the server prints it; empty until it is known. */
  get range() {
    return this.ranges.get(this.#query()) ?? '';
  }

  /* The colours of a difference, by what they mean; null for pictures that need none. */
  get legend() {
    const [, low, high, unit] = /^(\S+),(\S+) (difference.*)$/.exec(this.range) ?? [];
    if (!unit) return null;
    return [{colour: '#103a7a', text: low}, {colour: '#f5f5f5', text: '0'},
      {colour: '#964206', text: high}];
  }

  /* Ask for the whole tile as one block: something to show at once wherever the view goes, and what takes
     the server the longest of all that a pane shows. */
  begin() {
    this.#bitmap(this.layer.levels, 0, 0);
  }

  draw(context, frame) {
    const moved = nudged(frame, this.nudge, this.tile), {levels} = this.layer;
    if (moved.visible.h <= 0 || moved.visible.w <= 0) return;
    const z = Math.max(0, Math.min(levels, Math.floor(Math.log2(1 / frame.scale))));
    context.imageSmoothingEnabled = frame.scale < 1;
    this.begin();
    eachBlock(moved.visible, BLOCK * 2 ** z, (by, bx) => {
      const box = this.#box(z, by, bx), bitmap = this.#bitmap(z, by, bx);
      if (bitmap) context.drawImage(bitmap, ...place(moved, box));
      else this.#drawCoarser(context, moved, z, by, bx, box);
    });
  }

  #box(z, by, bx) {
    const side = BLOCK * 2 ** z, y0 = by * side, x0 = bx * side;
    return {y0, x0, h: Math.min(side, this.tile.height - y0), w: Math.min(side, this.tile.width - x0)};
  }

  #drawCoarser(context, frame, z, by, bx, box) {
    for (let level = z + 1; level <= this.layer.levels; level++) {
      const y = by >> (level - z), x = bx >> (level - z), bitmap = this.pool.get(this.#key(level, y, x));
      if (!bitmap) continue;
      const around = this.#box(level, y, x);
      const across = bitmap.width / around.w, down = bitmap.height / around.h;
      context.drawImage(bitmap, (box.x0 - around.x0) * across, (box.y0 - around.y0) * down,
        box.w * across, box.h * down, ...place(frame, box));
      return;
    }
  }

  #key(z, by, bx) {
    return `image/${this.layer.id}/${z}/${bx}/${by}?${this.#query()}`;
  }

  #bitmap(z, by, bx) {
    const key = this.#key(z, by, bx), bitmap = this.pool.get(key);
    if (!bitmap) this.loader.want(key, () => this.#load(key, this.#query()));
    return bitmap;
  }

  async #load(key, query) {
    const response = await this.server.get(`/tile/${this.tile.id}/${key}`);
    this.ranges.set(query, response.headers.get('X-Stretch-Range') ?? '');
    const bitmap = await createImageBitmap(await response.blob());
    if (this.loader.closed) bitmap.close();
    else this.pool.put(key, bitmap);
  }
}

/* A frame as seen by a layer that lies elsewhere by `nudge`; its visible box stays within the tile. */
function nudged(frame, {y, x}, tile) {
  if (y === 0 && x === 0) return frame;
  const {visible} = frame;
  const y0 = Math.max(0, Math.floor(visible.y0 - y)), x0 = Math.max(0, Math.floor(visible.x0 - x));
  const bottom = Math.min(tile.height, Math.ceil(visible.y0 + visible.h - y));
  const right = Math.min(tile.width, Math.ceil(visible.x0 + visible.w - x));
  return {...frame, x: frame.x + x * frame.scale, y: frame.y + y * frame.scale,
    visible: {y0, x0, h: bottom - y0, w: right - x0}};
}
