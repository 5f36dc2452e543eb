/* Values of the images as bytes, as the server stretches them and without the losses of JPEG: blocks are
asked for once and the last ones kept. */

import {BLOCK} from '../labels.js';

const KEPT_BLOCKS = 32;
const STRETCHES = ['auto', 'percentile', 'fixed', 'none'];

export class ImageValues {
  constructor(server) {
    this.server = server;
    this.blocks = new Map();
  }

  /* Values of a layer as they are seen in a box of the tile, where a nudge moves them: {values [channels,
     h, w], valid [h, w], channels}; a promise. */
  async window(tile, layerId, stretch, box, nudge = null) {
    const from = seenFrom(box, nudge), parts = [], how = STRETCHES.includes(stretch) ? stretch : 'auto';
    const [top, bottom] = blocksOf(from.y0, from.h, tile.height), [left, right] = blocksOf(from.x0, from.w, tile.width);
    for (let by = top; by <= bottom; by++)
      for (let bx = left; bx <= right; bx++) parts.push(this.#block(tile, layerId, how, by, bx));
    const blocks = await Promise.all(parts), {channels} = blocks[0], size = box.h * box.w;
    const all = new Uint8Array((channels + 1) * size);
    for (const block of blocks) copy(block, from, all);
    return {values: all.subarray(0, channels * size), valid: all.subarray(channels * size), channels};
  }

  #block(tile, layerId, stretch, by, bx) {
    const key = `${tile.id}/${layerId}/${stretch}/${by}/${bx}`;
    let block = this.blocks.get(key);
    if (block) this.blocks.delete(key);
    else block = this.#load(tile, `/tile/${tile.id}/pixels/${layerId}/${by}/${bx}?stretch=${stretch}`, by, bx);
    this.blocks.set(key, block);
    if (this.blocks.size > KEPT_BLOCKS) this.blocks.delete(this.blocks.keys().next().value);
    // What failed is asked for again the next time.
    block.catch(() => this.blocks.delete(key));
    return block;
  }

  async #load(tile, path, by, bx) {
    const {bytes} = await this.server.bytes(path);
    const y0 = by * BLOCK, x0 = bx * BLOCK;
    const h = Math.min(BLOCK, tile.height - y0), w = Math.min(BLOCK, tile.width - x0);
    return {bytes, y0, x0, h, w, channels: bytes.length / (h * w) - 1};
  }
}

/* The box of an image that is seen in a box of the tile. */
export function seenFrom({y0, x0, h, w}, nudge) {
  const {y = 0, x = 0} = nudge ?? {};
  return {y0: y0 + Math.floor(0.5 - y), x0: x0 + Math.floor(0.5 - x), h, w};
}

/* The first and the last block under an extent; the nearest one where it lies outside of the image. */
function blocksOf(from, size, extent) {
  const within = (at) => Math.floor(Math.max(0, Math.min(extent - 1, at)) / BLOCK);
  return [within(from), within(from + size - 1)];
}

/* Copy what a block and a box have in common, plane by plane. */
function copy({bytes, y0, x0, h, w, channels}, box, out) {
  const top = Math.max(y0, box.y0), bottom = Math.min(y0 + h, box.y0 + box.h);
  const left = Math.max(x0, box.x0), right = Math.min(x0 + w, box.x0 + box.w);
  for (let plane = 0; plane <= channels; plane++)
    for (let row = top; row < bottom; row++) {
      const from = plane * h * w + (row - y0) * w + left - x0;
      const to = plane * box.h * box.w + (row - box.y0) * box.w + left - box.x0;
      out.set(bytes.subarray(from, from + right - left), to);
    }
}
