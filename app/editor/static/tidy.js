/* What the magic wand finds, without its specks. It stands alone, as `raster.js` does. */

/* Holes and pieces of fewer pixels are specks. */
export const SPECK = 8;
const UNKNOWN = 0, SMALL = 1, LARGE = 2, BEYOND = 255;

/* A mask of what a flood by `levels` [.., width] found from a seed, tidied:
   - its holes of fewer than SPECK px are closed, but for those that hold a pixel without an image;
   - what is one pixel thin, and so in no 2 x 2 px of it, is dropped, where the seed itself is not;
   - of what is left, pieces of fewer than SPECK px are dropped, but for the one with the seed.
   Corners and edges of what is larger stay where they are. Pixels hang together by sides. */
export function tidied(mask, levels, width, row, col) {
  const {y0, x0, h, w} = mask, seed = (row - y0) * w + col - x0;
  const closed = mask.data.slice(), holes = pieces(closed, h, w, 0);
  for (let i = 0, y = 0; y < h; y++) {
    const at = (y0 + y) * width + x0;
    for (let x = 0; x < w; x++, i++)
      if (holes[i] === SMALL && levels[at + x] === BEYOND) spread(closed, holes, h, w, i, LARGE);
  }
  for (let i = 0; i < closed.length; i++) if (holes[i] === SMALL) closed[i] = 1;
  const thick = opened(closed, h, w);
  if (thick[seed] === 0) return {...mask, data: closed};
  const found = pieces(thick, h, w, 1);
  if (found[seed] === SMALL) spread(thick, found, h, w, seed, LARGE);
  for (let i = 0; i < thick.length; i++) if (found[i] === SMALL) thick[i] = 0;
  return {...mask, data: thick};
}

/* For each pixel of `value` whether its piece is SMALL or LARGE. Zeros at the edge are LARGE: they are
   part of what lies outside of the mask. */
function pieces(data, h, w, value) {
  const out = new Uint8Array(h * w), stack = new Int32Array(4 * SPECK);
  for (let i = 0, y = 0; y < h; y++)
    for (let x = 0; x < w; x++, i++) {
      if (data[i] !== value || out[i] !== UNKNOWN) continue;
      // Most pixels lie beside one that is known: no walk is needed.
      if ((x > 0 && out[i - 1] === LARGE) || (y > 0 && out[i - w] === LARGE)) out[i] = LARGE;
      else walk(data, out, h, w, i, stack);
    }
  return out;
}

/* Mark the piece of a pixel as SMALL; or, as soon as it is known to be more, what was seen as LARGE. */
function walk(data, out, h, w, from, stack) {
  const value = data[from];
  let count = 1, large = false;
  stack[0] = from;
  out[from] = SMALL;
  for (let next = 0; next < count && !large; next++) {
    const i = stack[next], x = i % w;
    const edge = x === 0 || x + 1 === w || i < w || i + w >= h * w;
    if (value === 0 && edge) large = true;
    for (let side = 0; side < 4; side++) {
      const j = beside(i, x, side, h, w);
      if (j < 0 || data[j] !== value || out[j] === SMALL) continue;
      if (out[j] === LARGE || count >= SPECK - 1) large = true;
      else {
        out[j] = SMALL;
        stack[count++] = j;
      }
    }
  }
  if (large) for (let k = 0; k < count; k++) out[stack[k]] = LARGE;
}

/* Give the whole small piece of a pixel another mark. */
function spread(data, out, h, w, from, mark) {
  const stack = [from], value = data[from];
  out[from] = mark;
  while (stack.length) {
    const i = stack.pop(), x = i % w;
    for (let side = 0; side < 4; side++) {
      const j = beside(i, x, side, h, w);
      if (j < 0 || data[j] !== value || out[j] !== SMALL) continue;
      out[j] = mark;
      stack.push(j);
    }
  }
}

function beside(i, x, side, h, w) {
  if (side === 0) return x > 0 ? i - 1 : -1;
  if (side === 1) return x + 1 < w ? i + 1 : -1;
  if (side === 2) return i - w;
  return i + w < h * w ? i + w : -1;
}

/* The pixels that lie in 2 x 2 px of a mask. */
function opened(data, h, w) {
  const out = new Uint8Array(h * w);
  for (let y = 0; y + 1 < h; y++)
    for (let x = 0, i = y * w; x + 1 < w; x++, i++)
      if (data[i] && data[i + 1] && data[i + w] && data[i + w + 1])
        out[i] = out[i + 1] = out[i + w] = out[i + w + 1] = 1;
  return out;
}
