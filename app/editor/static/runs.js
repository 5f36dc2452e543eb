/* Runs of ones in an array of 0 and 1, and the run lengths by which masks are kept and sent.

*Run lengths* are those of alternating runs of 0 and 1 over the box of a mask, row-major, starting with
the run of 0, as core/pixels.py has them. */

const NEAR = 16;

/* Where a value is next found in an array of 0 and 1; its length where nowhere. Short runs are quicker
   to walk, long ones to search. */
function find(data, value, from) {
  const near = Math.min(data.length, from + NEAR);
  for (let i = from; i < near; i++) if (data[i] === value) return i;
  const found = near < data.length ? data.indexOf(value, near) : -1;
  return found < 0 ? data.length : found;
}

/* The runs of ones of an array of 0 and 1 as [from, to, from, to, ...]. Most of the box of a long
   stroke is empty: what goes by runs passes over that at the speed of a search. */
export function runsOf(data) {
  const runs = [];
  for (let from = find(data, 1, 0); from < data.length;) {
    const to = find(data, 0, from);
    runs.push(from, to);
    from = find(data, 1, to);
  }
  return runs;
}

/* How many ones runs hold. */
export function countOnes(runs) {
  let count = 0;
  for (let k = 0; k < runs.length; k += 2) count += runs[k + 1] - runs[k];
  return count;
}

/* The runs that run lengths describe, as an Int32Array; throws when they do not add up to `size`. */
export function runsFrom(lengths, size) {
  const runs = [];
  let at = 0;
  lengths.forEach((length, i) => {
    if (i % 2 && length > 0) addRun(runs, at, at + length);
    at += length;
  });
  if (at !== size) throw new RangeError(`run lengths add up to ${at}, not to ${size}`);
  return Int32Array.from(runs);
}

/* Put a run behind others; one that goes on where the last ended makes that one longer. */
export function addRun(runs, from, to) {
  if (runs.length && runs[runs.length - 1] === from) runs[runs.length - 1] = to;
  else runs.push(from, to);
}

/* Run lengths of a row-major array of 0 and 1, starting with the run of 0. */
export function encodeRuns(data) {
  return lengthsOf(runsOf(data), data.length);
}

/* Run lengths of an array of so many pixels that has these runs of ones. */
export function lengthsOf(runs, size) {
  const lengths = [];
  let at = 0;
  for (const edge of runs) {
    lengths.push(edge - at);
    at = edge;
  }
  if (at < size) lengths.push(size - at);
  return lengths;
}

/* The array of 0 and 1 that run lengths describe; throws when they do not add up to `length`. */
export function decodeRuns(lengths, length) {
  return drawn(runsFrom(lengths, length), length);
}

/* The array of 0 and 1 of so many pixels that has these runs of ones. */
export function drawn(runs, size) {
  const data = new Uint8Array(size);
  for (let k = 0; k < runs.length; k += 2) data.fill(1, runs[k], runs[k + 1]);
  return data;
}
