/* Class maps in blocks of 512 px, at native size and coarser: a *store* keeps those of one map, loads
what is drawn, and lets go of what was not looked at for longest. Level z has one pixel for 2^z x 2^z. */

import {BLOCK} from './labels.js';
import {eachBlock} from './layers.js';

export const NATIVE_IN_VIEW = 16; // tiles of so many blocks are loaded wholly and never let go of
const IN_VIEW = 15; // what one pane over a large screen shows at 1:1
const KEPT_NATIVE = 96, KEPT_COARSE = 48;

export function countBlocks({y0, x0, h, w}, side = BLOCK) {
  if (h <= 0 || w <= 0) return 0;
  return (Math.ceil((y0 + h) / side) - Math.floor(y0 / side)) *
    (Math.ceil((x0 + w) / side) - Math.floor(x0 / side));
}

/* The level at which class maps of a box are shown: the finest of which few blocks are in view. */
export function levelFor(box, tile) {
  const top = topLevel(tile);
  for (let z = 0; z < top; z++) if (countBlocks(box, BLOCK * 2 ** z) <= IN_VIEW) return z;
  return top;
}

/* The level that shows the whole tile as one block. */
export function topLevel({height, width}) {
  return Math.max(0, Math.ceil(Math.log2(Math.max(height, width) / BLOCK)));
}

export function boxOfBlock({height, width}, z, by, bx) {
  const side = BLOCK * 2 ** z, y0 = by * side, x0 = bx * side;
  return {y0, x0, h: Math.min(side, height - y0), w: Math.min(side, width - x0)};
}

/* What a layer draws when there is no map. */
export const EMPTY = {pieces: () => [], covering: () => {}, want: () => undefined};

export class BlockStore {
  /* `name` tells the loader's pieces apart; `fetch(z, by, bx)` is a promise of a block {h, w, ...} with
     one array for each plane. `natives`, if given, holds native blocks itself: {block(by, bx), load(by, bx)}. */
  constructor({name, tile, loader, fetch, natives = null, view}) {
    Object.assign(this, {name, tile, loader, fetch, natives, view});
    this.top = topLevel(tile);
    this.kept = [new Map(), new Map()];
  }

  /* A block if it is there; the least recently asked for are let go of. */
  get(z, by, bx) {
    if (z === 0 && this.natives) return this.natives.block(by, bx);
    const kept = this.kept[z ? 1 : 0], key = `${z}/${by}/${bx}`, block = kept.get(key);
    if (!block) return undefined;
    kept.delete(key);
    kept.set(key, block);
    return block;
  }

  /* A block if it is there; else it is loaded. A stale one is loaded again meanwhile. */
  want(z, by, bx) {
    const block = this.get(z, by, bx);
    if (!block || block.stale)
      this.loader.want(`${this.name}/${z}/${by}/${bx}`, () => this.#load(z, by, bx));
    return block;
  }

  /* A promise of a block. */
  async need(z, by, bx) {
    if (!this.get(z, by, bx)) await this.#load(z, by, bx);
    return this.get(z, by, bx);
  }

  async #load(z, by, bx) {
    if (z === 0 && this.natives) return this.natives.load(by, bx);
    this.put(z, by, bx, await this.fetch(z, by, bx));
  }

  put(z, by, bx, block) {
    const kept = this.kept[z ? 1 : 0];
    kept.set(`${z}/${by}/${bx}`, Object.assign(block, {z, by, bx}));
    if (kept.size > (z ? KEPT_COARSE : KEPT_NATIVE)) kept.delete(kept.keys().next().value);
  }

  /* What to draw of a box at the level of the view, as {block, box, from, z, by, bx}: where a block is
     missing, the part of a coarser one that is there (`from`, in its pixels). The coarsest is loaded for
     that, unless the level itself comes about as soon. */
  pieces(visible) {
    const found = [], z = this.view.level;
    if (this.view.large && this.top - z > 1) this.want(this.top, 0, 0);
    eachBlock(visible, BLOCK * 2 ** z, (by, bx) => {
      const block = this.want(z, by, bx), box = boxOfBlock(this.tile, z, by, bx);
      const piece = block ? {block, box, from: null, z, by, bx} : this.#coarser(z, by, bx, box);
      if (piece) found.push(piece);
    });
    return found;
  }

  #coarser(z, by, bx, box) {
    for (let level = Math.max(1, z + 1); level <= this.top; level++) {
      const y = by >> (level - z), x = bx >> (level - z), block = this.get(level, y, x);
      if (!block) continue;
      const around = boxOfBlock(this.tile, level, y, x);
      const down = block.h / around.h, across = block.w / around.w;
      const from = [(box.x0 - around.x0) * across, (box.y0 - around.y0) * down,
        box.w * across, box.h * down];
      return {block, box, from, z: level, by: y, bx: x};
    }
    return null;
  }

  /* Call `visit(block, part)` for each block that is there and meets a box; the part is in its pixels. */
  covering(box, visit) {
    eachBlock(box, BLOCK, (by, bx) => {
      const block = this.get(0, by, bx);
      if (block) visit(block, partOf(block, boxOfBlock(this.tile, 0, by, bx), box));
    });
    for (const block of this.kept[1].values()) {
      const around = boxOfBlock(this.tile, block.z, block.by, block.bx);
      if (meets(around, box)) visit(block, partOf(block, around, box));
    }
  }

  /* {block, i}: the pixel of a place in the finest block that is there, or null. */
  at(row, col) {
    if (row < 0 || col < 0 || row >= this.tile.height || col >= this.tile.width) return null;
    for (let z = 0; z <= this.top; z++) {
      const side = BLOCK * 2 ** z, by = Math.floor(row / side), bx = Math.floor(col / side);
      const block = this.get(z, by, bx);
      if (!block) continue;
      const around = boxOfBlock(this.tile, z, by, bx);
      const r = Math.floor(((row - around.y0) * block.h) / around.h);
      const c = Math.floor(((col - around.x0) * block.w) / around.w);
      return {block, i: r * block.w + c};
    }
    return null;
  }

  /* The coarse blocks that meet a box, with the part that does. */
  *coarse(box) {
    for (const block of this.kept[1].values()) {
      const around = boxOfBlock(this.tile, block.z, block.by, block.bx);
      if (meets(around, box)) yield {block, around, part: partOf(block, around, box)};
    }
  }

  get size() {
    return this.kept[0].size + this.kept[1].size;
  }
}

export function meets(a, b) {
  return a.y0 < b.y0 + b.h && b.y0 < a.y0 + a.h && a.x0 < b.x0 + b.w && b.x0 < a.x0 + a.w;
}

/* The pixels of a block that a box touches. */
function partOf(block, around, box) {
  const down = block.h / around.h, across = block.w / around.w;
  const y0 = Math.max(0, Math.floor((box.y0 - around.y0) * down));
  const x0 = Math.max(0, Math.floor((box.x0 - around.x0) * across));
  return {y0, x0, h: Math.min(block.h, Math.ceil((box.y0 + box.h - around.y0) * down)) - y0,
    w: Math.min(block.w, Math.ceil((box.x0 + box.w - around.x0) * across)) - x0};
}

/* Bring coarse label blocks up to date with native ones under a box: each of their pixels shows the one
in its middle. Of what changed in native blocks that are not loaded, the boxes `absent`, the server must be
asked again. */
export function resample(store, labels, box, absent = []) {
  for (const lost of absent) for (const {block} of store.coarse(lost)) block.stale = true;
  for (const {block, around, part} of store.coarse(box)) {
    const rows = middlesWithin(around.y0, around.h, block.h, box.y0, box.h, part.y0, part.h);
    const columns = middlesWithin(around.x0, around.w, block.w, box.x0, box.w, part.x0, part.w);
    rows.middles.forEach((row, r) => {
      const by = Math.floor(row / BLOCK), to = (rows.first + r) * block.w + columns.first;
      for (let c = 0, end; c < columns.middles.length; c = end) {
        const bx = Math.floor(columns.middles[c] / BLOCK), native = labels.block(by, bx);
        end = firstFrom(columns.middles, (bx + 1) * BLOCK, c);
        if (!native) continue;
        const from = (row % BLOCK) * native.w - bx * BLOCK;
        pick(native.labels, from, columns.middles, c, end, block.labels, to);
        pick(native.provenance, from, columns.middles, c, end, block.provenance, to);
      }
    });
  }
}

/* Where a number of ascending ones, from `at` on, is first `least` or more. */
function firstFrom(numbers, least, at) {
  while (at < numbers.length && numbers[at] < least) at++;
  return at;
}

/* A loop of its own, as a frame may have a million of these pixels. */
function pick(source, from, columns, c, end, target, to) {
  for (; c < end; c++) target[to + c] = source[from + columns[c]];
}

/* Of `many` coarse pixels from `first` on, those whose middle lies in [start, start + length): the first
   of them, and the middles. The coarse block has `count` pixels over `size` from `origin` on. */
function middlesWithin(origin, size, count, start, length, first, many) {
  const step = size / count;
  const all = new Int32Array(many);
  for (let i = 0; i < many; i++) all[i] = origin + Math.min(size - 1, Math.floor((first + i + 0.5) * step));
  const before = firstFrom(all, start, 0);
  return {first: first + before, middles: all.subarray(before, firstFrom(all, start + length, before))};
}
