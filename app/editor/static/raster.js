/* Pure pixel geometry: stamps, lines of stamps, contiguous fill and run lengths.

A *mask* is {y0, x0, h, w, data}: a box in tile pixels and one byte (0 or 1) per pixel, row-major.
*Runs* are the lengths of alternating runs of 0 and 1 over the box, starting with the run of 0.
Everything is integer arithmetic, so that Python (tests/editor/raster_reference.py, core/patch.py)
and the browser agree to the pixel; tests/data/raster_cases.json holds the cases both must pass. */

export const MAX_DIAMETER = 256;

const spanCache = new Map();

/* Columns [left, right) of each row of a round stamp: the pixels whose centre lies in the circle
   of that diameter. Returns an Int32Array of left, right pairs, one pair per row. */
export function stampSpans(diameter) {
  let spans = spanCache.get(diameter);
  if (spans) return spans;
  spans = new Int32Array(2 * diameter);
  for (let row = 0; row < diameter; row++) {
    const dy = 2 * row - (diameter - 1);
    let left = 0;
    while ((2 * left - (diameter - 1)) ** 2 + dy * dy > diameter * diameter) left++;
    spans[2 * row] = left;
    spans[2 * row + 1] = diameter - left;
  }
  spanCache.set(diameter, spans);
  return spans;
}

/* Upper left pixel of the stamp whose centre lies nearest to a position in pixels. */
export function stampOrigin(y, x, diameter) {
  return [Math.floor(y - diameter / 2 + 0.5), Math.floor(x - diameter / 2 + 0.5)];
}

/* Origins of the stamps between two stamps, both ends included. The step is at most a sixteenth
   of the diameter, which leaves the edge of the line smooth to a quarter of a pixel. */
export function lineOrigins([ay, ax], [by, bx], diameter) {
  const dy = by - ay, dx = bx - ax;
  const step = Math.max(1, diameter >> 4);
  const count = Math.ceil(Math.max(Math.abs(dy), Math.abs(dx)) / step);
  if (count === 0) return [[ay, ax]];
  const at = (from, delta, i) => from + Math.floor((2 * delta * i + count) / (2 * count));
  return Array.from({length: count + 1}, (_, i) => [at(ay, dy, i), at(ax, dx, i)]);
}

/* Mask of all stamps of a line, cut at a raster of height x width; null when it lies outside. */
export function lineMask(from, to, diameter, height, width) {
  const y0 = Math.max(0, Math.min(from[0], to[0])), x0 = Math.max(0, Math.min(from[1], to[1]));
  const h = Math.min(height, Math.max(from[0], to[0]) + diameter) - y0;
  const w = Math.min(width, Math.max(from[1], to[1]) + diameter) - x0;
  if (h <= 0 || w <= 0) return null;
  const data = new Uint8Array(h * w), spans = stampSpans(diameter);
  for (const [oy, ox] of lineOrigins(from, to, diameter)) {
    const last = Math.min(diameter, y0 + h - oy);
    for (let row = Math.max(0, y0 - oy); row < last; row++) {
      const left = Math.max(0, ox + spans[2 * row] - x0);
      const right = Math.min(w, ox + spans[2 * row + 1] - x0);
      if (left < right) data.fill(1, (oy + row - y0) * w + left, (oy + row - y0) * w + right);
    }
  }
  return {y0, x0, h, w, data};
}

/* Mask of the pixels of equal value that are connected by sides with a seed; scanline fill. */
export function floodFill(values, height, width, seedRow, seedCol) {
  const target = values[seedRow * width + seedCol];
  const seen = new Uint8Array(height * width);
  const open = (index) => seen[index] === 0 && values[index] === target;
  const stack = [seedRow * width + seedCol];
  let top = seedRow, bottom = seedRow, leftmost = seedCol, rightmost = seedCol;
  while (stack.length) {
    const index = stack.pop();
    if (!open(index)) continue;
    const row = Math.floor(index / width), start = row * width, end = start + width;
    let left = index, right = index + 1;
    while (left > start && open(left - 1)) left--;
    while (right < end && open(right)) right++;
    seen.fill(1, left, right);
    if (row < top) top = row;
    if (row > bottom) bottom = row;
    if (left - start < leftmost) leftmost = left - start;
    if (right - start - 1 > rightmost) rightmost = right - start - 1;
    if (row > 0) pushRuns(stack, open, left - width, right - width);
    if (row < height - 1) pushRuns(stack, open, left + width, right + width);
  }
  return crop(seen, width, top, leftmost, bottom - top + 1, rightmost - leftmost + 1);
}

function pushRuns(stack, open, from, to) {
  let inside = false;
  for (let index = from; index < to; index++) {
    const now = open(index);
    if (now && !inside) stack.push(index);
    inside = now;
  }
}

function crop(data, width, y0, x0, h, w) {
  const out = new Uint8Array(h * w);
  for (let row = 0; row < h; row++) {
    const from = (y0 + row) * width + x0;
    out.set(data.subarray(from, from + w), row * w);
  }
  return {y0, x0, h, w, data: out};
}

/* The mask cut to the smallest box that holds its ones; null when there are none. */
export function trim({y0, x0, h, w, data}) {
  let top = h, bottom = -1, left = w, right = -1;
  for (let row = 0; row < h; row++) {
    const first = data.indexOf(1, row * w) - row * w;
    if (first < 0) break;
    if (first >= w) continue;
    const last = data.lastIndexOf(1, (row + 1) * w - 1) - row * w;
    if (row < top) top = row;
    bottom = row;
    if (first < left) left = first;
    if (last > right) right = last;
  }
  if (bottom < 0) return null;
  const cut = crop(data, w, top, left, bottom - top + 1, right - left + 1);
  return {...cut, y0: y0 + top, x0: x0 + left};
}

/* Run lengths of a row-major array of 0 and 1, starting with the run of 0. */
export function encodeRuns(data) {
  const runs = [];
  let value = 0, from = 0;
  while (from < data.length) {
    let to = data.indexOf(1 - value, from);
    if (to < 0) to = data.length;
    runs.push(to - from);
    from = to;
    value = 1 - value;
  }
  return runs;
}

/* The array of 0 and 1 that run lengths describe; throws when they do not add up to `length`. */
export function decodeRuns(runs, length) {
  const data = new Uint8Array(length);
  let at = 0;
  runs.forEach((run, i) => {
    if (i % 2) data.fill(1, at, at + run);
    at += run;
  });
  if (at !== length) throw new RangeError(`run lengths add up to ${at}, not to ${length}`);
  return data;
}
