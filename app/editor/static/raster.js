/* Pure pixel geometry: stamps, lines of stamps, polygons, fills and what the magic wand compares.

A *mask* is {y0, x0, h, w, data}: a box in tile pixels and one byte (0 or 1) per pixel, row-major.
Everything is integer arithmetic, so that Python (tests/editor/raster_reference.py) and the browser
agree to the pixel; tests/data/raster_cases.json holds the cases both must pass. */

export const MAX_DIAMETER = 256;

const spanCache = new Map();

/* Columns [left, right) of each row of a stamp: all of a square one; of a round one the pixels whose
   centre lies in the circle of that diameter. An Int32Array of left, right pairs, one per row. */
export function stampSpans(diameter, square = false) {
  const key = square ? -diameter : diameter;
  let spans = spanCache.get(key);
  if (spans) return spans;
  spans = new Int32Array(2 * diameter);
  for (let row = 0; row < diameter; row++) {
    const dy = 2 * row - (diameter - 1);
    let left = 0;
    while (!square && (2 * left - (diameter - 1)) ** 2 + dy * dy > diameter * diameter) left++;
    spans[2 * row] = left;
    spans[2 * row + 1] = diameter - left;
  }
  spanCache.set(key, spans);
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
export function lineMask(from, to, diameter, height, width, square = false) {
  const y0 = Math.max(0, Math.min(from[0], to[0])), x0 = Math.max(0, Math.min(from[1], to[1]));
  const h = Math.min(height, Math.max(from[0], to[0]) + diameter) - y0;
  const w = Math.min(width, Math.max(from[1], to[1]) + diameter) - x0;
  if (h <= 0 || w <= 0) return null;
  const data = new Uint8Array(h * w), spans = stampSpans(diameter, square);
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

/* Mask of the pixels of equal value that are connected by sides with a seed; scanline fill. Large rasters
   are walked through here, so that nothing is called or allocated for a pixel. */
export function floodFill(values, height, width, seedRow, seedCol) {
  const target = values[seedRow * width + seedCol];
  const seen = new Uint8Array(height * width);
  const stack = [seedRow * width + seedCol];
  let top = seedRow, bottom = seedRow, leftmost = seedCol, rightmost = seedCol;
  while (stack.length) {
    const index = stack.pop();
    if (seen[index] !== 0) continue;
    const row = Math.floor(index / width), start = row * width, end = start + width;
    let left = index, right = index + 1;
    while (left > start && values[left - 1] === target && seen[left - 1] === 0) left--;
    while (right < end && values[right] === target && seen[right] === 0) right++;
    seen.fill(1, left, right);
    if (row < top) top = row;
    if (row > bottom) bottom = row;
    if (left - start < leftmost) leftmost = left - start;
    if (right - start - 1 > rightmost) rightmost = right - start - 1;
    if (row > 0) pushRuns(stack, values, seen, target, left - width, right - width);
    if (row < height - 1) pushRuns(stack, values, seen, target, left + width, right + width);
  }
  return crop(seen, width, top, leftmost, bottom - top + 1, rightmost - leftmost + 1);
}

/* Put the first pixel of each run of open pixels of [from, to) on the stack. */
function pushRuns(stack, values, seen, target, from, to) {
  let inside = false;
  for (let index = from; index < to; index++) {
    if (values[index] !== target || seen[index] !== 0) inside = false;
    else if (!inside) {
      inside = true;
      stack.push(index);
    }
  }
}

function crop(data, width, y0, x0, h, w) {
  if (h * w === data.length) return {y0, x0, h, w, data};
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

// ---- polygons

const UNITS = 16;
const FARTHEST = 2 ** 17;

/* A position in pixels as a whole number of sixteenths. Beyond 2^17 px it is cut off, which keeps
   every product below in exact integers. */
function sixteenths(value) {
  return Math.floor(Math.max(-FARTHEST, Math.min(FARTHEST, value)) * UNITS + 0.5);
}

/* Mask of the pixels whose centre lies inside a closed polygon of {x, y} in pixels, even-odd, cut at
   a raster of height x width; null when there is none. Corners are rounded to sixteenths. A centre on
   a left or upper edge is inside, on a right or lower one outside: polygons that share an edge never
   share a pixel and leave none out. */
export function polygonMask(points, height, width) {
  const corners = points.map(({x, y}) => [sixteenths(x), sixteenths(y)]);
  const box = centresWithin(corners, height, width);
  if (!box) return null;
  const {y0, x0, h, w} = box;
  const toggles = new Uint8Array(h * (w + 1));
  corners.forEach((corner, i) => {
    const next = corners[(i + 1) % corners.length];
    if (corner[1] < next[1]) toggleEdge(toggles, box, corner, next);
    else if (corner[1] > next[1]) toggleEdge(toggles, box, next, corner);
  });
  const data = new Uint8Array(h * w);
  for (let row = 0; row < h; row++) {
    let inside = 0;
    for (let col = 0; col < w; col++) {
      inside ^= toggles[row * (w + 1) + col];
      data[row * w + col] = inside;
    }
  }
  return trim({y0, x0, h, w, data});
}

/* The box of the pixels of a raster whose centres lie within the bounds of some corners, or null. */
function centresWithin(corners, height, width) {
  const [left, right] = extent(corners.map(([x]) => x)), [top, bottom] = extent(corners.map(([, y]) => y));
  const y0 = Math.max(0, firstCentre(top, 1)), x0 = Math.max(0, firstCentre(left, 1));
  const h = Math.min(height, firstCentre(bottom, 1)) - y0;
  const w = Math.min(width, firstCentre(right, 1)) - x0;
  return h > 0 && w > 0 ? {y0, x0, h, w} : null;
}

/* The first pixel whose centre lies at or after `numerator / over` sixteenths. `%` is exact, where a
   quotient might be rounded. */
function firstCentre(numerator, over) {
  const from = numerator - (UNITS / 2) * over, step = UNITS * over, rest = from % step;
  return (from - rest) / step + (rest > 0 ? 1 : 0);
}

/* Flip, in each row whose centre an edge crosses, the first pixel at or right of the crossing. */
function toggleEdge(toggles, {y0, x0, h, w}, [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay;
  const last = Math.min(y0 + h, firstCentre(by, 1));
  for (let row = Math.max(y0, firstCentre(ay, 1)); row < last; row++) {
    const along = UNITS * row + UNITS / 2 - ay;
    const col = Math.max(x0, firstCentre(ax * dy + along * dx, dy)) - x0;
    if (col < w) toggles[(row - y0) * (w + 1) + col] ^= 1;
  }
}

/* Mask of a closed freehand line of {x, y}: every pixel that the line passes, and what it encloses;
   null when it lies outside the raster. */
export function encircleMask(points, height, width) {
  const pixels = points.map(({x, y}) => [sixteenths(y) >> 4, sixteenths(x) >> 4]);
  const rows = pixels.map(([row]) => row), columns = pixels.map(([, col]) => col);
  const [top, bottom] = extent(rows), [left, right] = extent(columns);
  const y0 = Math.max(0, top), x0 = Math.max(0, left);
  const h = Math.min(height, bottom + 1) - y0, w = Math.min(width, right + 1) - x0;
  if (!(h > 0 && w > 0)) return null;
  const mask = {y0, x0, h, w, data: new Uint8Array(h * w)};
  unite(mask, polygonMask(points, height, width));
  pixels.forEach((pixel, i) => {
    unite(mask, lineMask(pixel, pixels[(i + 1) % pixels.length], 1, height, width));
  });
  return trim(mask);
}

/* Least and greatest of some numbers. */
function extent(numbers) {
  return numbers.reduce(([low, high], n) => [Math.min(low, n), Math.max(high, n)], [Infinity, -Infinity]);
}

// ---- masks with masks

/* The pixels of either mask; each may be null. Written into `a` where it covers `b`. */
export function unite(a, b) {
  if (!a || !b) return a ?? b;
  const y0 = Math.min(a.y0, b.y0), x0 = Math.min(a.x0, b.x0);
  const h = Math.max(a.y0 + a.h, b.y0 + b.h) - y0, w = Math.max(a.x0 + a.w, b.x0 + b.w) - x0;
  const covers = h === a.h && w === a.w;
  const out = covers ? a : {y0, x0, h, w, data: new Uint8Array(h * w)};
  if (!covers)
    for (let row = 0; row < a.h; row++)
      out.data.set(a.data.subarray(row * a.w, (row + 1) * a.w), (a.y0 + row - y0) * w + a.x0 - x0);
  for (let row = 0; row < b.h; row++) {
    const at = (b.y0 + row - y0) * w + b.x0 - x0;
    for (let col = 0; col < b.w; col++) out.data[at + col] |= b.data[row * b.w + col];
  }
  return out;
}

/* The pixels of `a` that are not in `b`, in the smallest box; null when there are none. */
export function subtract(a, b) {
  if (!a || !b) return a;
  const data = a.data.slice();
  const top = Math.max(a.y0, b.y0), bottom = Math.min(a.y0 + a.h, b.y0 + b.h);
  const left = Math.max(a.x0, b.x0), right = Math.min(a.x0 + a.w, b.x0 + b.w);
  for (let row = top; row < bottom; row++)
    for (let col = left; col < right; col++)
      if (b.data[(row - b.y0) * b.w + col - b.x0]) data[(row - a.y0) * a.w + col - a.x0] = 0;
  return trim({...a, data});
}

// ---- regions

/* The component of the ones of `data` that is connected by sides with a pixel; null on a zero. */
export function component(data, height, width, row, col) {
  return data[row * width + col] ? floodFill(data, height, width, row, col) : null;
}

// ---- image values

/* Mean of the (2r+1)^2 pixels around each pixel of one plane, cut at its edges, rounded to the
   nearest (half up): takes the speckle out of SAR before its values are compared. */
export function boxMean(plane, height, width, radius) {
  const out = new Uint8Array(height * width), sums = new Uint32Array(width);
  for (let row = 0; row < Math.min(radius, height); row++)
    for (let col = 0; col < width; col++) sums[col] += plane[row * width + col];
  for (let row = 0; row < height; row++) {
    const enters = row + radius, leaves = row - radius - 1;
    for (let col = 0; col < width; col++) {
      if (enters < height) sums[col] += plane[enters * width + col];
      if (leaves >= 0) sums[col] -= plane[leaves * width + col];
    }
    const rows = Math.min(height - 1, enters) - Math.max(0, leaves + 1) + 1;
    let sum = 0;
    for (let col = 0; col < Math.min(radius, width); col++) sum += sums[col];
    for (let col = 0; col < width; col++) {
      if (col + radius < width) sum += sums[col + radius];
      if (col - radius - 1 >= 0) sum -= sums[col - radius - 1];
      const n = rows * (Math.min(width - 1, col + radius) - Math.max(0, col - radius) + 1);
      out[row * width + col] = Math.floor((2 * sum + n) / (2 * n));
    }
  }
  return out;
}

export const NEVER = 255;

/* How far each pixel is from the values at a seed: the greatest difference over the channels of
   `values` [channels, height, width], 0 to 254; NEVER where `valid` is 0. The seed's own values are
   the means of the 3 x 3 pixels around it, so that one odd pixel does not decide. */
export function difference(values, valid, channels, height, width, row, col) {
  const size = height * width, out = new Uint8Array(size);
  for (let channel = 0; channel < channels; channel++) {
    const plane = values.subarray(channel * size, (channel + 1) * size);
    const target = meanAround(plane, valid, height, width, row, col);
    for (let i = 0; i < size; i++) {
      const far = Math.min(NEVER - 1, Math.abs(plane[i] - target));
      if (far > out[i]) out[i] = far;
    }
  }
  for (let i = 0; i < size; i++) if (valid[i] === 0) out[i] = NEVER;
  return out;
}

function meanAround(plane, valid, height, width, row, col) {
  let sum = 0, n = 0;
  for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++)
    for (let x = Math.max(0, col - 1); x <= Math.min(width - 1, col + 1); x++)
      if (valid[y * width + x]) {
        sum += plane[y * width + x];
        n++;
      }
  return n ? Math.floor((2 * sum + n) / (2 * n)) : 0;
}

/* The least tolerance at which each pixel is connected by sides with a seed through pixels that are
   no farther than that; NEVER where there is none. One pass answers for every tolerance, so that a
   drag only compares: the pixels of tolerance t are those of level <= t. The seed counts as 0. */
export function floodLevels(far, height, width, row, col) {
  const size = height * width, levels = new Uint8Array(size).fill(NEVER);
  const seed = row * width + col;
  if (far[seed] === NEVER) return levels;
  // One list for each level, through `next`; a pixel is put on one when it is first reached, which is
  // at its lowest level.
  const next = new Int32Array(size), heads = new Int32Array(NEVER).fill(-1), seen = new Uint8Array(size);
  seen[seed] = 1;
  next[seed] = -1;
  heads[0] = seed;
  for (let level = 0; level < NEVER; level++)
    while (heads[level] >= 0) {
      const i = heads[level], x = i % width;
      heads[level] = next[i];
      levels[i] = level;
      for (let side = 0; side < 4; side++) {
        let j = i;
        if (side === 0 && x > 0) j = i - 1;
        else if (side === 1 && x + 1 < width) j = i + 1;
        else if (side === 2 && i >= width) j = i - width;
        else if (side === 3 && i + width < size) j = i + width;
        if (seen[j] !== 0 || far[j] === NEVER) continue;
        seen[j] = 1;
        const at = far[j] > level ? far[j] : level;
        next[j] = heads[at];
        heads[at] = j;
      }
    }
  return levels;
}

/* The levels of `floodLevels` for image values, as the magic wand asks for them. */
export function wandLevels(values, valid, channels, height, width, row, col) {
  return floodLevels(difference(values, valid, channels, height, width, row, col), height, width, row, col);
}

/* Mask of the pixels of level <= tolerance (0 to 254); null when there is none. */
export function withinTolerance(levels, height, width, tolerance) {
  const data = new Uint8Array(height * width);
  for (let i = 0; i < data.length; i++) data[i] = levels[i] <= tolerance ? 1 : 0;
  return trim({y0: 0, x0: 0, h: height, w: width, data});
}
