/* The labels of one tile as 512 px blocks of class codes: now, as they came (original), and who is
behind each pixel (provenance). This is the one place that changes them. Every change reports the
dirty rectangle to `onDirty`, with the boxes of blocks in it that changed on the server and are not here,
and keeps the count of pixels per class, so that nothing scans a tile.

A *stroke* is a change between `begin` and `finish`: each pixel's old value is kept once, however
often the brush passes; `abort` puts them back. */

import {KEEP, NONE, CHANGED, effectOf, kindOf, outcome, sourceOf} from './effects.js';
import {Alike} from './change.js';
import {Gate, formatRestrict} from './restrict.js';
import {addRun, countOnes, runsFrom, runsOf} from './runs.js';

export {CHANGED, PSEUDO, VERIFIED} from './effects.js';
export const BLOCK = 512;

const SPARE = 32; // blocks that one stroke changes, as a rule

export class Labels {
  constructor(height, width) {
    this.height = height;
    this.width = width;
    this.rows = Math.ceil(height / BLOCK);
    this.columns = Math.ceil(width / BLOCK);
    this.blocks = new Map();
    this.counts = new Float64Array(256);
    this.loaded = 0;
    this.version = 0;
    this.stroke = null;
    this.blocked = null;
    this.edits = 0;
    this.spare = [];
    this.onDirty = () => {};
    /* What is known of a block beside its labels, one byte per pixel: {prediction, cloud}, each null
       while it is not loaded; and which codes are classes. The scene fills them in. */
    this.companions = () => ({prediction: null, cloud: null});
    this.known = new Uint8Array(256).fill(1);
  }

  /* Put a block in place, or in the place of an older one. `original` may follow later. */
  setBlock(by, bx, {labels, provenance, original}) {
    const key = by * this.columns + bx;
    const old = this.blocks.get(key);
    if (old) this.#count(old.labels, -1);
    const h = Math.min(BLOCK, this.height - by * BLOCK), w = Math.min(BLOCK, this.width - bx * BLOCK);
    const block = {by, bx, h, w, labels, provenance, original: original ?? old?.original ?? null};
    this.blocks.set(key, block);
    this.#count(labels, 1);
    this.#dirty({y0: by * BLOCK, x0: bx * BLOCK, h, w});
    return block;
  }

  /* Let go of a block; it is loaded again when it is needed. */
  dropBlock(by, bx) {
    const key = by * this.columns + bx, block = this.blocks.get(key);
    if (block) this.#count(block.labels, -1);
    this.blocks.delete(key);
  }

  #dirty(box, absent = []) {
    this.edits++;
    this.onDirty(box, absent);
  }

  #count(labels, sign) {
    for (let i = 0; i < labels.length; i++) this.counts[labels[i]] += sign;
    this.loaded += sign * labels.length;
  }

  block(by, bx) {
    return this.blocks.get(by * this.columns + bx);
  }

  /* {label, provenance, original} of a pixel, or null where the tile ends or is not loaded. */
  at(row, col) {
    if (row < 0 || col < 0 || row >= this.height || col >= this.width) return null;
    const block = this.block(Math.floor(row / BLOCK), Math.floor(col / BLOCK));
    if (!block) return null;
    const i = (row % BLOCK) * block.w + (col % BLOCK);
    return {label: block.labels[i], provenance: block.provenance[i], original: block.original?.[i]};
  }

  /* What an effect still lacks under a box: 'labels', 'original', 'prediction', 'cloud' or null. */
  missing({y0, x0, h, w}, effect = 'class', only = null) {
    const bottom = Math.min(this.height, y0 + h), right = Math.min(this.width, x0 + w);
    for (let by = Math.floor(Math.max(0, y0) / BLOCK); by * BLOCK < bottom; by++)
      for (let bx = Math.floor(Math.max(0, x0) / BLOCK); bx * BLOCK < right; bx++) {
        const block = this.block(by, bx);
        if (!block) return 'labels';
        if (effect === 'revert' && !block.original) return 'original';
        if (effect !== 'model' && !only?.cloud) continue;
        const {prediction, cloud} = this.companions(by, bx);
        if (effect === 'model' && !prediction) return 'prediction';
        if (only?.cloud && !cloud) return 'cloud';
      }
    return null;
  }

  /* Whether every block under a box is loaded, with its original where that is asked for. */
  ready(box, needOriginal = false) {
    return this.missing(box, needOriginal ? 'revert' : 'class') === null;
  }

  /* Labels of a box as one array, row-major; pixels that are not loaded get `missing`. */
  window({y0, x0, h, w}, kind = 'labels', missing = 255) {
    const out = new Uint8Array(h * w).fill(missing);
    this.#rows({y0, x0, h, w}, (block, from, to, row, col) => {
      const at = (row - y0) * w + col - x0;
      out.set(block[kind].subarray(from, to), at);
    });
    return out;
  }

  /* Call `visit(block, from, to, row, col)` for each row of each loaded block under a box:
     block indexes [from, to) lie at (row, col) of the tile. */
  #rows({y0, x0, h, w}, visit) {
    for (let by = Math.floor(y0 / BLOCK); by * BLOCK < y0 + h; by++)
      for (let bx = Math.floor(x0 / BLOCK); bx * BLOCK < x0 + w; bx++) {
        const block = this.block(by, bx);
        if (!block) continue;
        const top = Math.max(y0, by * BLOCK), bottom = Math.min(y0 + h, by * BLOCK + block.h);
        const left = Math.max(x0, bx * BLOCK), right = Math.min(x0 + w, bx * BLOCK + block.w);
        for (let row = top; row < bottom; row++) {
          const start = (row - by * BLOCK) * block.w - bx * BLOCK;
          visit(block, start + left, start + right, row, left);
        }
      }
  }

  /* Call `visit(block, from, to, n)` for each part of the runs of a box that lies in one row of one block:
     its indexes [from, to) are the pixels of the runs from the nth on, and lie at (row, col) of the tile. The
     block is undefined where not loaded. Most of the box of a long stroke is empty, and is not gone through. */
  along({y0, x0, w, runs}, visit) {
    for (let k = 0, n = 0; k < runs.length; k += 2)
      for (let at = runs[k], part; at < runs[k + 1]; at += part, n += part) {
        // A run may go on in the next row of the box, or in the next block.
        const down = Math.floor(at / w), row = y0 + down, col = x0 + at - down * w;
        part = Math.min(runs[k + 1] - at, x0 + w - col, BLOCK - (col % BLOCK));
        const block = this.block(Math.floor(row / BLOCK), Math.floor(col / BLOCK));
        const from = block ? (row % BLOCK) * block.w + (col % BLOCK) : 0;
        visit(block, from, from + part, n, row, col);
      }
  }

  /* {labels, provenance} of the pixels of a change, a byte for each (change.js). Where a block is not
     loaded, they get `absent` as their provenance. */
  read(change, absent = 255) {
    const labels = new Uint8Array(change.pixels), provenance = new Uint8Array(change.pixels);
    this.along(change, (block, from, to, n) => {
      if (!block) return provenance.fill(absent, n, n + to - from);
      copy(block.labels, from, to, labels, n);
      copy(block.provenance, from, to, provenance, n);
    });
    return {labels, provenance};
  }

  /* The labels of the pixels of a change as they came; their blocks are `ready`. */
  originals(change) {
    const labels = new Uint8Array(change.pixels);
    this.along(change, (block, from, to, n) => copy(block.original, from, to, labels, n));
    return labels;
  }

  /* Start a stroke: {tool, effect, toClass, only, prediction}. `toClass` matters for the effect
     "class", `prediction`, the number of the class map in the companions, for "model". */
  begin({tool, effect, toClass = null, only = null, prediction = null}) {
    const does = effectOf(tool, effect), companions = new Map();
    const companion = (block, name) => {
      if (!companions.has(block)) companions.set(block, this.companions(block.by, block.bx));
      return companions.get(block)[name];
    };
    this.blocked = null;
    this.stroke = {tool, effect: does, kind: kindOf(does), toClass, only, prediction, companion,
      source: sourceOf(tool), gate: only && new Gate(only, (block) => companion(block, 'cloud'), BLOCK),
      touched: new Map(), box: null, seen: new Uint8Array(256), pixels: 0};
  }

  /* A stroke of one mask, from `begin` to `finish`. Where all pixels of the mask are known to hold one
     class, `mask.value` names it and `mask.lengths` are its run lengths: the class is then written in
     whole runs. */
  apply(wish, mask) {
    this.begin(wish);
    const {effect, gate, toClass} = this.stroke;
    if (effect === 'class' && gate === null && mask.value !== undefined && mask.value !== toClass)
      return this.#replace(mask);
    this.paint(mask);
    return this.finish();
  }

  /* Give every pixel of a mask, all of which hold one class, the class of the stroke. */
  #replace({y0, x0, h, w, value, lengths}) {
    const {stroke, counts} = this, {toClass} = stroke, runs = runsFrom(lengths, h * w), pixels = countOnes(runs);
    const place = {y0, x0, h, w, runs, pixels}, provenance = new Uint8Array(pixels);
    this.along(place, (block, from, to, n) => {
      copy(block.provenance, from, to, provenance, n);
      block.labels.fill(toClass, from, to);
      block.provenance.fill(CHANGED, from, to);
    });
    counts[value] -= pixels;
    counts[toClass] += pixels;
    stroke.seen[value] = 1;
    this.stroke = null;
    this.#dirty(place);
    return told(stroke, place, {labels: new Uint8Array(pixels).fill(value), provenance},
      new Alike(pixels, toClass, CHANGED));
  }

  /* Apply the running stroke to the ones of a mask. `mask.values` holds the classes of the effect
     "values", one byte for each pixel of the box. */
  paint(mask) {
    const {stroke} = this, {gate} = stroke;
    let changed = false;
    this.#rows(mask, (block, from, to, row, col) => {
      const base = (row - mask.y0) * mask.w + col - mask.x0 - from;
      const data = gate ? gate.row(block, from, to, row, col, mask.data, base) : mask.data;
      changed = this.#paintRow(stroke, block, from, to, data, gate ? -from : base, mask.values, base) || changed;
    });
    if (!changed) return;
    stroke.box = union(stroke.box, mask);
    this.#dirty(mask);
  }

  /* Indexes [from, to) of a block; data[base + i] marks index i, values[shift + i] is its class. */
  #paintRow(stroke, block, from, to, data, base, values, shift) {
    const {kind, toClass, source, touched, seen} = stroke, {counts, known} = this;
    const {labels, provenance} = block;
    const others = stroke.effect === 'revert' ? block.original
      : stroke.effect === 'model' ? stroke.companion(block, 'prediction') : (values ?? null);
    const skip = stroke.effect === 'values' ? shift : 0, model = stroke.effect === 'model';
    let visited = touched.get(block)?.visited ?? null, changed = false;
    for (let i = from; i < to; i++) {
      if (data[base + i] === 0) continue;
      const label = labels[i];
      let value = others === null ? NONE : others[skip + i];
      if (model && value !== NONE && known[value] === 0) value = NONE;
      const next = outcome(kind, toClass, source, label, provenance[i], value);
      if (next === KEEP) continue;
      visited ??= this.#keepOld(touched, block);
      if (visited[i] === 0) {
        visited[i] = 1;
        seen[label] = 1;
        stroke.pixels++;
      }
      labels[i] = next & 255;
      provenance[i] = next >> 8;
      counts[label]--;
      counts[next & 255]++;
      changed = true;
    }
    return changed;
  }

  #set(block, i, label, provenance) {
    this.counts[block.labels[i]]--;
    this.counts[label]++;
    block.labels[i] = label;
    block.provenance[i] = provenance;
  }

  /* End the stroke. Returns the change (change.js), with {tool, effect, toClass, fromClasses, restrict,
     prediction}, or null when no pixel changed: `blocked` then says which restrictions were in the way. */
  finish() {
    const {stroke} = this;
    this.stroke = null;
    this.blocked = stroke?.gate?.blocked ?? null;
    if (!stroke || !stroke.box) return null;
    const place = this.#visited(stroke), {pixels} = place;
    const old = {labels: new Uint8Array(pixels), provenance: new Uint8Array(pixels)};
    this.along(place, (block, from, to, n) => {
      const kept = stroke.touched.get(block);
      copy(kept.labels, from, to, old.labels, n);
      copy(kept.provenance, from, to, old.provenance, n);
    });
    const now = stroke.effect === 'class' ? new Alike(pixels, stroke.toClass, CHANGED) : this.read(place);
    this.#giveBack(stroke);
    return told(stroke, place, old, now);
  }

  /* The pixels that a stroke has changed, in the smallest box: {y0, x0, h, w, runs, pixels}. */
  #visited({touched, box, pixels}) {
    const found = []; // row, from, to of the tile, in order
    let left = this.width, right = 0;
    for (let row = box.y0; row < box.y0 + box.h; row++)
      for (let bx = Math.floor(box.x0 / BLOCK); bx * BLOCK < box.x0 + box.w; bx++) {
        const block = this.block(Math.floor(row / BLOCK), bx), kept = block && touched.get(block);
        if (!kept) continue;
        const start = (row % BLOCK) * block.w, edges = runsOf(kept.visited.subarray(start, start + block.w));
        if (edges.length === 0) continue;
        for (let k = 0; k < edges.length; k += 2)
          found.push(row, bx * BLOCK + edges[k], bx * BLOCK + edges[k + 1]);
        left = Math.min(left, bx * BLOCK + edges[0]);
        right = Math.max(right, found.at(-1));
      }
    const y0 = found[0], x0 = left, h = found.at(-3) + 1 - y0, w = right - left, runs = [];
    for (let i = 0; i < found.length; i += 3) {
      const start = (found[i] - y0) * w - x0;
      addRun(runs, start + found[i + 1], start + found[i + 2]);
    }
    return {y0, x0, h, w, runs: Int32Array.from(runs), pixels};
  }

  /* Drop the stroke and restore every pixel that it changed. */
  abort() {
    const {stroke} = this;
    this.stroke = null;
    if (!stroke || !stroke.box) return;
    for (const [block, kept] of stroke.touched)
      for (let i = 0; i < kept.visited.length; i++)
        if (kept.visited[i]) this.#set(block, i, kept.labels[i], kept.provenance[i]);
    this.#giveBack(stroke);
    this.#dirty(stroke.box);
  }

  /* Keep a block as it is before its first change; returns the bytes that mark its changed pixels. */
  #keepOld(touched, block) {
    const n = block.labels.length, at = this.spare.findIndex(({visited}) => visited.length === n);
    const kept = at < 0 ? {labels: new Uint8Array(n), provenance: new Uint8Array(n), visited: new Uint8Array(n)}
      : this.spare.splice(at, 1)[0];
    kept.labels.set(block.labels);
    kept.provenance.set(block.provenance);
    touched.set(block, kept);
    return kept.visited;
  }

  /* The next stroke takes the same arrays: new ones for each would be most of what the browser has to
     clear away while somebody paints. */
  #giveBack({touched}) {
    for (const kept of touched.values()) {
      if (this.spare.length === SPARE) return;
      kept.visited.fill(0);
      this.spare.push(kept);
    }
  }

  /* Write an edit: `labels` and `provenance` hold one byte for each pixel of the runs of its box. */
  write({y0, x0, h, w, runs, labels, provenance}) {
    const {counts} = this, absent = new Map();
    this.along({y0, x0, w, runs}, (block, from, to, n, row, col) => {
      if (!block) {
        const by = Math.floor(row / BLOCK), bx = Math.floor(col / BLOCK);
        return void absent.set(by * this.columns + bx, {y0: by * BLOCK, x0: bx * BLOCK, h: BLOCK, w: BLOCK});
      }
      const now = block.labels, behind = block.provenance;
      for (let i = from; i < to; i++, n++) {
        counts[now[i]]--;
        counts[labels[n]]++;
        now[i] = labels[n];
        behind[i] = provenance[n];
      }
    });
    this.#dirty({y0, x0, h, w}, [...absent.values()]);
  }

  /* Labels then provenance of the whole tile, row-major: what the server hashes as well. */
  raster() {
    const all = {y0: 0, x0: 0, h: this.height, w: this.width};
    const out = new Uint8Array(2 * this.height * this.width);
    out.set(this.window(all), 0);
    out.set(this.window(all, 'provenance', 0), this.height * this.width);
    return out;
  }
}

/* A change with what a person is told of its stroke, and the server. */
function told({tool, effect, toClass, prediction, only, seen}, place, before, after) {
  return {tool, effect, toClass: effect === 'class' ? toClass : null, prediction, ...place,
    fromClasses: Array.from(seen.keys()).filter((code) => seen[code]), restrict: only && formatRestrict(only),
    old: before, new: after};
}

/* Copy indexes [from, to) to another place; a few are sooner copied than a view of them is made. */
function copy(source, from, to, target, at) {
  if (to - from > 32) target.set(source.subarray(from, to), at);
  else for (let i = from; i < to; i++) target[at + i - from] = source[i];
}

/* The smallest box around two boxes; either may be null. */
export function union(a, b) {
  if (!a || !b) return a ?? b;
  const y0 = Math.min(a.y0, b.y0), x0 = Math.min(a.x0, b.x0);
  return {y0, x0, h: Math.max(a.y0 + a.h, b.y0 + b.h) - y0, w: Math.max(a.x0 + a.w, b.x0 + b.w) - x0};
}
