/* Superpixels of the open tile, chunk by chunk as they are looked at, and their outlines in every pane.
The server computes a chunk once; until it has, the editor says so and asks again. */

import {h} from '../dom.js';
import {eachBlock, place} from '../layers.js';
import {edges, idBoxes, idMask} from '../outline.js';
import {mayPass} from '../server.js';

const CHUNK = 1024;
const ASK_AGAIN_MS = 700;
const MAX_SHOWN_CHUNKS = 12;
const LEAST_SCALE = 0.3;
const KEPT_CHUNKS = 24;
const COLOUR = [255, 228, 92, 200];
export const COMPUTING = 'Computing superpixels…';

export class Superpixels {
  static id = 'superpixels';

  constructor(editor) {
    this.editor = editor;
    Object.assign(this, {scene: null, chunks: new Map(), shown: false});
    this.note = h('div', {className: 'superpixel-note', role: 'status', hidden: true},
      h('span', {className: 'spinner'}), COMPUTING);
    editor.panel.panes.element.append(this.note);
    this.listeners = new Set();
    editor.view.overlays.push(this);
  }

  open(scene) {
    if (scene === this.scene) return;
    this.#leave();
    this.scene = scene;
  }

  destroy() {
    this.#leave();
    this.scene = null;
    this.note.remove();
  }

  #leave() {
    for (const {timer} of this.chunks.values()) clearTimeout(timer);
    this.chunks.clear();
    this.said = false;
    this.#showNote();
  }

  // ---- for the tool

  /* The segment under a pixel as {key, mask}; null while it is computed, `undefined` where there is none. */
  at(row, col) {
    const {tile} = this.scene;
    if (row < 0 || col < 0 || row >= tile.height || col >= tile.width) return undefined;
    const chunk = this.#chunk(Math.floor(row / CHUNK), Math.floor(col / CHUNK));
    if (!chunk.ids) return chunk.failed ? undefined : null;
    const id = chunk.ids[(row - chunk.y0) * chunk.w + col - chunk.x0];
    if (id === 0) return undefined;
    let mask = chunk.masks.get(id);
    if (!mask) {
      mask = idMask(chunk.ids, chunk.w, chunk.boxes, id);
      mask = {...mask, y0: mask.y0 + chunk.y0, x0: mask.x0 + chunk.x0};
      chunk.masks.set(id, mask);
    }
    return {key: `${chunk.cy}/${chunk.cx}/${id}`, mask};
  }

  /* Call back whenever a chunk has arrived. */
  onChunk(listener) {
    this.listeners.add(listener);
  }

  toggle() {
    const {view, panel} = this.editor;
    this.shown = !this.shown;
    if (this.shown && !this.#fits(view.visible())) panel.say('Zoom in to see the outlines of superpixels.');
    view.draw();
    this.editor.showSettings();
  }

  // ---- chunks

  #chunk(cy, cx) {
    const key = `${cy}/${cx}`;
    let chunk = this.chunks.get(key);
    if (chunk) {
      this.chunks.delete(key);
    } else {
      const {tile} = this.scene, y0 = cy * CHUNK, x0 = cx * CHUNK;
      chunk = {cy, cx, y0, x0, h: Math.min(CHUNK, tile.height - y0), w: Math.min(CHUNK, tile.width - x0),
        ids: null, boxes: null, masks: new Map(), failed: false, timer: null};
      this.#load(chunk);
    }
    this.chunks.set(key, chunk);
    if (this.chunks.size > KEPT_CHUNKS) {
      const [oldest, {timer}] = this.chunks.entries().next().value;
      clearTimeout(timer);
      this.chunks.delete(oldest);
    }
    return chunk;
  }

  async #load(chunk) {
    const {scene} = this, {server} = this.editor;
    try {
      const response = await server.get(`/tile/${scene.tile.id}/superpixels/${chunk.cy}/${chunk.cx}`);
      if (scene !== this.scene) return;
      if (response.status === 202) {
        const wanted = this.chunks.get(`${chunk.cy}/${chunk.cx}`) === chunk;
        if (wanted) chunk.timer = setTimeout(() => this.#load(chunk), ASK_AGAIN_MS);
      } else this.#take(chunk, await response.arrayBuffer());
    } catch (error) {
      if (scene !== this.scene) return;
      chunk.failed = true;
      if (!this.said) this.editor.panel.say(`Superpixels could not be computed: ${error.message}`, {kind: 'warning'});
      this.said = true;
      if (mayPass(error)) chunk.timer = setTimeout(() => this.#forget(chunk), 10 * ASK_AGAIN_MS);
    }
    this.#showNote();
  }

  /* Where it still is looked at, it is asked for again. */
  #forget(chunk) {
    const key = `${chunk.cy}/${chunk.cx}`;
    if (this.chunks.get(key) !== chunk) return;
    this.chunks.delete(key);
    this.#changed();
  }

  #changed() {
    if (this.shown) this.editor.view.draw();
    for (const listener of this.listeners) listener();
  }

  #take(chunk, buffer) {
    this.said = false;
    chunk.ids = new Uint16Array(buffer);
    let count = 0;
    for (let i = 0; i < chunk.ids.length; i++) if (chunk.ids[i] > count) count = chunk.ids[i];
    chunk.boxes = idBoxes(chunk.ids, chunk.h, chunk.w, count);
    this.#changed();
  }

  get #computing() {
    return [...this.chunks.values()].some(({ids, failed}) => !ids && !failed);
  }

  #showNote() {
    this.note.hidden = !this.#computing;
  }

  // ---- outlines: a layer over every pane

  /* Draw the outlines in view, where they are not too many. */
  draw(context, frame) {
    if (!this.shown || !this.scene || !this.#fits(frame.visible)) return;
    context.imageSmoothingEnabled = frame.scale < 1;
    // Lines are a tile pixel wide: near by they would hide what they divide.
    context.globalAlpha = Math.max(0.35, Math.min(1, (2 * frame.ratio) / frame.scale));
    eachBlock(frame.visible, CHUNK, (cy, cx) => {
      const chunk = this.#chunk(cy, cx);
      if (chunk.ids) context.drawImage(this.#outlines(chunk), ...place(frame, chunk));
    });
    context.globalAlpha = 1;
    this.#showNote();
  }

  #fits({h: height, w: width}) {
    const {scale} = this.editor.view.transform;
    return scale >= LEAST_SCALE && height * width <= MAX_SHOWN_CHUNKS * CHUNK * CHUNK;
  }

  #outlines(chunk) {
    if (chunk.outlines) return chunk.outlines;
    const {h: height, w: width} = chunk, {data} = edges(chunk.ids, height, width);
    const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
    const [colour] = new Uint32Array(new Uint8Array(COLOUR).buffer);
    for (let i = 0; i < data.length; i++) if (data[i]) pixels[i] = colour;
    chunk.outlines = new OffscreenCanvas(width, height);
    chunk.outlines.getContext('2d').putImageData(image, 0, 0);
    return chunk.outlines;
  }
}
