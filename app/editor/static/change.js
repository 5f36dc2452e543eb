/* What a stroke changes, or what the server says that one did: {y0, x0, h, w, runs, pixels, old, new}.

`runs` are those of its pixels in its box, as [from, to, from, to, ...] (runs.js). A *side*, `old` or
`new`, is {labels, provenance} with one byte for each of these pixels, in their order: most of the box of
a long stroke is empty, and nothing is kept of that. */

import {addRun, drawn} from './runs.js';

/* The part of a change (or a wish) whose pixels `takes` marks, one byte for each. */
export function partOf(change, takes) {
  const runs = [], pixels = takes.reduce((sum, one) => sum + one, 0);
  for (let k = 0, n = 0; k < change.runs.length; k += 2)
    for (let at = change.runs[k]; at < change.runs[k + 1]; at++, n++)
      if (takes[n]) addRun(runs, at, at + 1);
  const pick = (values) => {
    const picked = new Uint8Array(pixels);
    for (let n = 0, to = 0; n < takes.length; n++) if (takes[n]) picked[to++] = values[n];
    return picked;
  };
  const side = ({labels, provenance}) => ({labels: pick(labels), provenance: pick(provenance)});
  return {...change, runs: Int32Array.from(runs), pixels, old: side(change.old), new: side(change.new)};
}

/* The pixels of a change as a mask (raster.js). */
export const maskOf = ({y0, x0, h, w, runs}) => ({y0, x0, h, w, data: drawn(runs, h * w)});

/* Whether two changes mark the same pixels of the tile; their boxes may differ. */
export function samePixels(a, b) {
  if (a.pixels !== b.pixels) return false;
  const alike = a.y0 === b.y0 && a.x0 === b.x0 && a.w === b.w;
  return alike ? sameValues(a.runs, b.runs) : sameValues(spread(a), spread(b));
}

export function sameValues(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/* Rows and columns of the tile at which the runs of a change begin and end, cut at the sides of its box
   only where they turn into the next row. */
function spread({y0, x0, w, runs}) {
  const edges = [];
  for (let k = 0; k < runs.length; k += 2)
    for (let at = runs[k], part; at < runs[k + 1]; at += part) {
      const down = Math.floor(at / w), across = at - down * w;
      part = Math.min(runs[k + 1] - at, w - across);
      edges.push(y0 + down, x0 + across, x0 + across + part);
    }
  return edges;
}

/* The side of a stroke whose pixels all become the same: made when it is asked for, as most strokes are
   never taken back. */
export class Alike {
  constructor(length, label, source) {
    Object.assign(this, {length, label, source});
  }

  get labels() {
    return (this.all ??= new Uint8Array(this.length).fill(this.label));
  }

  get provenance() {
    return (this.sources ??= new Uint8Array(this.length).fill(this.source));
  }
}

/* The bytes of base64; a plain loop, as large fills have millions of them. */
export function fromBase64(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

export function base64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
