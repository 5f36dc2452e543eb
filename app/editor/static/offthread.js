/* Long work on arrays, done in a worker so that painting goes on. */

import {FUNCTIONS} from './offthread_functions.js';

export class Offthread {
  constructor() {
    Object.assign(this, {worker: null, waiting: new Map(), next: 0});
  }

  /* A promise of what the function `name` of `offthread_functions.js` gives for `args`. The buffers in
     `transfers` are handed over and cannot be used afterwards. It is refused where the browser starts no
     worker, or the function throws. */
  async run(name, args, transfers = []) {
    const worker = this.#started(), id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      worker.postMessage({id, name, args}, transfers);
    });
  }

  /* The same at once, for small arrays. */
  here(name, args) {
    return FUNCTIONS[name](...args);
  }

  #started() {
    if (this.worker) return this.worker;
    const worker = new Worker(new URL('./worker.js', import.meta.url), {type: 'module'});
    worker.onmessage = ({data: {id, value, error}}) => {
      const {resolve, reject} = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`the worker stopped: ${event.message ?? 'it could not be loaded'}`));
    };
    return (this.worker = worker);
  }

  #fail(error) {
    this.destroy();
    for (const {reject} of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  destroy() {
    this.worker?.terminate();
    this.worker = null;
  }
}
