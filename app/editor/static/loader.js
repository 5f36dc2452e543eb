/* Loads what panes show, the newest wish first and few at a time: what scrolled out of view waits or is
dropped, and a stroke always finds a free connection. */

import {mayPass} from './server.js';

const AT_ONCE = 4;
const WAITING = 400;
const RETRY_MS = 3000;

export class Loader {
  /* `onLoad(error)` after each piece; error is null when it came. `onAgain()` some seconds after one was
     lost on its way: whoever draws wants it then, or no longer does. */
  constructor(onLoad, onAgain = () => {}) {
    Object.assign(this, {onLoad, onAgain});
    this.queue = new Map();
    this.running = new Set();
    this.failed = new Set();
    this.closed = false;
  }

  /* Run `work()` soon, unless the same key waits, runs or has just failed. */
  want(key, work) {
    if (this.closed || this.running.has(key) || this.failed.has(key)) return;
    this.queue.delete(key);
    this.queue.set(key, work);
    if (this.queue.size > WAITING) this.queue.delete(this.queue.keys().next().value);
    this.#next();
  }

  #next() {
    while (this.running.size < AT_ONCE && this.queue.size) {
      const [key, work] = [...this.queue].at(-1);
      this.queue.delete(key);
      this.running.add(key);
      this.#run(key, work);
    }
  }

  async #run(key, work) {
    let failure = null;
    try {
      await work();
    } catch (error) {
      // The old picture stays meanwhile.
      failure = error;
      this.failed.add(key);
      setTimeout(() => this.#again(key, error), RETRY_MS);
    }
    this.running.delete(key);
    if (this.closed) return;
    this.#next();
    this.onLoad(failure);
  }

  #again(key, error) {
    this.failed.delete(key);
    if (!this.closed && mayPass(error)) this.onAgain();
  }

  get settled() {
    return this.running.size === 0 && this.queue.size === 0;
  }

  close() {
    this.closed = true;
    this.queue.clear();
  }
}

/* Bitmaps of all images of a scene, the least recently drawn ones given back. */
export class BitmapPool {
  constructor(most) {
    this.most = most;
    this.bitmaps = new Map();
  }

  get(key) {
    const bitmap = this.bitmaps.get(key);
    if (!bitmap) return null;
    this.bitmaps.delete(key);
    this.bitmaps.set(key, bitmap);
    return bitmap;
  }

  put(key, bitmap) {
    this.bitmaps.get(key)?.close();
    this.bitmaps.set(key, bitmap);
    while (this.bitmaps.size > this.most) {
      const [oldest, given] = this.bitmaps.entries().next().value;
      this.bitmaps.delete(oldest);
      given.close();
    }
  }

  close() {
    for (const bitmap of this.bitmaps.values()) bitmap.close();
    this.bitmaps.clear();
  }
}
