/* The open tile: its label blocks, predictions and cloud levels as they arrive, and the layers that
each pane shows. It loads what is in view, and keeps what it has. */

import {BLOCK, Labels} from './labels.js';
import {ClassLayer, ImageLayer, palette} from './layers.js';
import {CLOUDS, PROVENANCE, PatternLayer} from './patterns.js';

const MAX_VISIBLE_BLOCKS = 81;

export class Scene {
  /* `onChange()` after anything arrived, `onError(error)` when something could not be loaded. */
  constructor({server, manifest, onChange, onError, onDirty}) {
    Object.assign(this, {server, manifest, onChange, onError});
    this.tile = manifest.tile;
    this.project = manifest.project.name;
    this.closed = false;
    this.maps = new Map();
    this.loading = new Map();
    this.labels = new Labels(this.tile.height, this.tile.width);
    const colours = palette(manifest.classes.filter(({isVoid}) => !isVoid), manifest.voidCode);
    const codes = (block) => block && {h: block.h, w: block.w, codes: block.labels};
    this.label = new ClassLayer({palette: colours, codesOf: (by, bx) => codes(this.labels.block(by, bx))});
    this.prediction = new ClassLayer({palette: colours,
      codesOf: (by, bx) => this.#map('prediction', this.predictionId, by, bx)});
    this.clouds = new PatternLayer({patterns: CLOUDS, levels: [],
      codesOf: (by, bx) => this.#map('cloud', this.cloudId, by, bx)});
    const sources = (block) => block && {h: block.h, w: block.w, codes: block.provenance};
    this.provenance = new PatternLayer({patterns: PROVENANCE, levels: Object.keys(PROVENANCE).map(Number),
      codesOf: (by, bx) => sources(this.labels.block(by, bx))});
    this.labels.onDirty = (box) => {
      this.label.markDirty(box);
      this.provenance.markDirty(box);
      onDirty(box);
    };
    this.images = new Map(manifest.layers.map((layer) => [layer.id, new ImageLayer({server, layer,
      tile: this.tile, onLoad: (error) => (error ? this.onError(error) : this.#changed())})]));
    this.predictionId = null;
    this.cloudId = null;
  }

  close() {
    this.closed = true;
  }

  #changed() {
    if (!this.closed) this.onChange();
  }

  image(layerId) {
    return this.images.get(layerId) ?? null;
  }

  setPrediction(id) {
    if (id === this.predictionId) return;
    this.predictionId = id;
    this.prediction.clear();
  }

  setCloud(acquisitionId) {
    if (acquisitionId === this.cloudId) return;
    this.cloudId = acquisitionId;
    this.clouds.clear();
  }

  #map(kind, id, by, bx) {
    return id === null ? undefined : this.maps.get(`${kind}/${id}/${by}/${bx}`);
  }

  /* One byte per map of a pixel: {prediction, confidence, cloud}, undefined where not known. */
  at(row, col) {
    const by = Math.floor(row / BLOCK), bx = Math.floor(col / BLOCK);
    const prediction = this.#map('prediction', this.predictionId, by, bx);
    const cloud = this.#map('cloud', this.cloudId, by, bx);
    const i = (block) => (row % BLOCK) * block.w + (col % BLOCK);
    return {
      prediction: prediction?.codes[i(prediction)],
      confidence: prediction?.confidence[i(prediction)],
      cloud: cloud?.codes[i(cloud)],
    };
  }

  /* Load what a box of tile pixels needs. Returns whether the box is small enough to be loaded. */
  load(box) {
    const blocks = this.#blocksOf(box);
    if (blocks.length > MAX_VISIBLE_BLOCKS) return false;
    for (const {by, bx} of blocks) {
      if (!this.labels.block(by, bx)) this.#once(`labels/${by}/${bx}`, () => this.#loadLabels(by, bx));
      for (const [kind, id] of [['prediction', this.predictionId], ['cloud', this.cloudId]])
        if (id !== null && !this.#map(kind, id, by, bx))
          this.#once(`${kind}/${id}/${by}/${bx}`, () => this.#loadMap(kind, id, by, bx));
    }
    return true;
  }

  #blocksOf({y0, x0, h, w}) {
    const found = [];
    for (let by = Math.floor(y0 / BLOCK); by * BLOCK < y0 + h; by++)
      for (let bx = Math.floor(x0 / BLOCK); bx * BLOCK < x0 + w; bx++) found.push({by, bx});
    return found;
  }

  /* A promise that every label of a box is there. */
  async loadLabels(box) {
    const missing = this.#blocksOf(box).filter(({by, bx}) => !this.labels.block(by, bx));
    await Promise.all(missing.map(({by, bx}) =>
      this.#once(`labels/${by}/${bx}`, () => this.#loadLabels(by, bx))));
  }

  #once(key, work) {
    let running = this.loading.get(key);
    if (!running) {
      running = work().catch((error) => !this.closed && this.onError(error))
        .finally(() => {
          this.loading.delete(key);
          this.#changed();
        });
      this.loading.set(key, running);
    }
    return running;
  }

  async #loadLabels(by, bx) {
    const {bytes, version} = await this.server.bytes(`/tile/${this.tile.id}/labels/${by}/${bx}`);
    if (this.closed) return;
    this.labels.version = this.labels.blocks.size ? Math.min(this.labels.version, version) : version;
    this.#place(by, bx, bytes, version === 0);
    if (version > 0) this.#once(`original/${by}/${bx}`, () => this.#loadOriginal(by, bx));
  }

  #place(by, bx, bytes, isOriginal) {
    const half = bytes.length / 2, labels = bytes.slice(0, half);
    this.labels.setBlock(by, bx, {labels, provenance: bytes.slice(half),
      original: isOriginal ? labels.slice() : undefined});
  }

  async #loadOriginal(by, bx) {
    const {bytes} = await this.server.bytes(`/tile/${this.tile.id}/labels/${by}/${bx}?version=0`);
    const block = this.labels.block(by, bx);
    if (block) block.original = bytes.slice(0, bytes.length / 2);
  }

  async #loadMap(kind, id, by, bx) {
    const {bytes} = await this.server.bytes(`/tile/${this.tile.id}/${kind}/${id}/${by}/${bx}`);
    const h = Math.min(BLOCK, this.tile.height - by * BLOCK);
    const w = Math.min(BLOCK, this.tile.width - bx * BLOCK);
    this.maps.set(`${kind}/${id}/${by}/${bx}`,
      {h, w, codes: bytes.subarray(0, h * w), confidence: bytes.subarray(h * w)});
  }

  /* Replace every label block that is loaded by what the server has now. */
  async reloadLabels() {
    const blocks = [...this.labels.blocks.values()];
    const fresh = await Promise.all(blocks.map(({by, bx}) =>
      this.server.bytes(`/tile/${this.tile.id}/labels/${by}/${bx}`)));
    return () => {
      this.labels.version = Math.min(...fresh.map(({version}) => version));
      blocks.forEach(({by, bx}, i) => this.#place(by, bx, fresh[i].bytes, false));
    };
  }

  get settled() {
    return this.loading.size === 0 && [...this.images.values()].every((image) => image.settled);
  }
}
