/* Pixels of a class in an array of classes, row-major: what the worker looks for in large boxes. */

import {floodFill, trim} from './raster.js';
import {encodeRuns} from './runs.js';

/* The pixels connected with a seed, as a mask with its `value` and run `lengths`. */
export function regionOf(values, height, width, row, col) {
  return described(floodFill(values, height, width, row, col), values[row * width + col]);
}

/* All pixels of the seed's class, as `regionOf`. */
export function classOf(values, height, width, row, col) {
  const value = values[row * width + col], data = new Uint8Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = values[i] === value ? 1 : 0;
  return described(trim({y0: 0, x0: 0, h: height, w: width, data}), value);
}

function described(mask, value) {
  return {...mask, value, lengths: encodeRuns(mask.data)};
}
