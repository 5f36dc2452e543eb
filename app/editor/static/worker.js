/* The worker: pure functions on arrays, by name, off the main thread. `offthread.js` talks to it. A
message is {id, name, args}; the answer is {id, value} or {id, error}. */

import {FUNCTIONS} from './offthread_functions.js';

onmessage = ({data: {id, name, args}}) => {
  try {
    const value = FUNCTIONS[name](...args);
    postMessage({id, value}, buffersOf(value));
  } catch (error) {
    postMessage({id, error: String(error)});
  }
};

/* The buffers of the typed arrays in an answer: they are handed over, not copied. */
function buffersOf(value) {
  if (ArrayBuffer.isView(value)) return [value.buffer];
  if (value === null || typeof value !== 'object') return [];
  return [...new Set(Object.values(value).filter(ArrayBuffer.isView).map(({buffer}) => buffer))];
}
