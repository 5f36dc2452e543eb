/* The open tile: its label blocks, predictions and cloud levels as they arrive, and the layers that panes
show. What is in view is loaded; native blocks not looked at for longest are let go of, so that a scene
may be larger than memory. Never let go of: blocks under the stroke being painted, and under strokes
that wait to be saved (`keeps()` gives their boxes). */

import {BlockStore, EMPTY, NATIVE_IN_VIEW, boxOfBlock, countBlocks, levelFor, meets, resample, topLevel} from './blocks.js';
import {ImageLayer, queryOf} from './image_layer.js';
import {BLOCK, Labels} from './labels.js';
import {ClassLayer, ConfidenceLayer, DisagreementLayer, palette} from './layers.js';
import {BitmapPool, Loader} from './loader.js';
import {CLOUDS, PROVENANCE, PatternLayer} from './patterns.js';

export const NATIVE_LABELS = 128;
const BITMAPS = 192;
const CALM_MS = 1500;
/* Views wider or higher than this are only looked at: a stroke in them would be one over most of a scene. */
export const PAINT_PX = 8192;

export class Scene {
  /* `onChange()` after anything arrived, `onError(error)` when something could not be loaded, `onAgain()`
     when it is time to ask for what is in view again, `onDirty(box)` when labels changed, `keeps()` gives the boxes of strokes that are not saved yet. */
  constructor({server, manifest, onChange, onError, onAgain = () => {}, onDirty, keeps = () => []}) {
    Object.assign(this, {server, manifest, onChange, onError, keeps});
    this.tile = manifest.tile;
    this.project = manifest.project.name;
    this.closed = false;
    this.loading = new Map();
    this.loader = new Loader((error) => (error ? this.#failed(error) : this.#changed()), () => {
      this.#wantOriginals();
      onAgain();
    });
    this.view = {level: 0, box: null, large: topLevel(this.tile) > 0 && countBlocks(this.#whole) > NATIVE_IN_VIEW};
    this.seen = new Map();
    this.shown = false;
    this.#makeLabels(manifest, onDirty);
    this.#makeMaps(manifest);
    this.pool = new BitmapPool(BITMAPS);
    this.nudges = new Map(manifest.layers.map(({id, nudge}) => [id, {y: 0, x: 0, ...nudge}]));
    this.images = new Map(manifest.layers.map((layer) => [layer.id, this.#imageLayer(layer)]));
    this.renderings = new Map();
  }

  get #whole() {
    return {y0: 0, x0: 0, h: this.tile.height, w: this.tile.width};
  }

  #makeLabels(manifest, onDirty) {
    this.labels = new Labels(this.tile.height, this.tile.width);
    this.labels.companions = (by, bx) => ({
      prediction: this.#map(this.predictionId, 'prediction', by, bx)?.codes ?? null,
      cloud: this.#map(this.cloudId, 'cloud', by, bx)?.codes ?? null,
    });
    this.labels.known.fill(0);
    for (const {code, isVoid} of manifest.classes) if (!isVoid) this.labels.known[code] = 1;
    this.labelBlocks = this.#store('labels', (z, by, bx) => this.#fetchCoarse(z, by, bx), {
      block: (by, bx) => this.#used(by, bx),
      load: (by, bx) => this.#nativeLabels(by, bx),
    });
    this.labels.onDirty = (box, absent) => {
      if (!this.placing) resample(this.labelBlocks, this.labels, box, absent);
      for (const layer of this.labelLayers) layer.markDirty(box);
      onDirty(box);
    };
  }

  #makeMaps(manifest) {
    this.palette = palette(manifest.classes.filter(({isVoid}) => !isVoid), manifest.voidCode);
    this.stores = new Map();
    this.layers = new Map();
    this.predictionId = null;
    this.cloudId = null;
    this.label = new ClassLayer({palette: this.palette, source: this.labelBlocks});
    this.provenance = new PatternLayer({patterns: PROVENANCE, source: this.labelBlocks, plane: 'provenance',
      levels: Object.keys(PROVENANCE).map(Number)});
    this.prediction = new ClassLayer({palette: this.palette, plane: 'codes', source: EMPTY});
    this.clouds = new PatternLayer({patterns: CLOUDS, levels: [], source: EMPTY});
    this.labelLayers = [this.label, this.provenance];
  }

  #store(name, fetch, natives = null) {
    return new BlockStore({name, tile: this.tile, loader: this.loader, fetch, natives, view: this.view});
  }

  close() {
    this.closed = true;
    clearTimeout(this.calm);
    this.loader.close();
    this.pool.close();
  }

  #changed() {
    if (!this.closed) this.onChange();
  }

  #failed(error) {
    if (!this.closed) this.onError(error);
  }

  // ---- images

  /* An image layer in a rendering {stretch, bands, expr, filter, minus}; one object for each. Without a
     rendering it is the layer's own picture. */
  image(layerId, rendering = null) {
    const own = this.images.get(layerId) ?? null;
    if (own === null || rendering === null) return own;
    const key = `${layerId}?${queryOf({stretch: 'auto', ...rendering})}`;
    if (!this.renderings.has(key)) this.renderings.set(key, this.#imageLayer(own.layer, rendering));
    return this.renderings.get(key);
  }

  #imageLayer(layer, rendering = {}) {
    const {server, tile, loader, pool} = this;
    return new ImageLayer({server, tile, layer, loader, pool, rendering, nudge: this.nudges.get(layer.id)});
  }

  /* Move every picture of a layer by tile pixels {y, x}, for the eye only. */
  nudge(layerId, {y, x}) {
    Object.assign(this.nudges.get(layerId), {y, x});
    this.#changed();
  }

  // ---- class maps

  setPrediction(id) {
    if (id === this.predictionId) return;
    this.predictionId = id;
    this.prediction.source = id === null ? EMPTY : this.#mapStore('prediction', id);
    this.prediction.clear();
  }

  setCloud(acquisitionId) {
    if (acquisitionId === this.cloudId) return;
    this.cloudId = acquisitionId;
    this.clouds.source = acquisitionId === null ? EMPTY : this.#mapStore('cloud', acquisitionId);
    this.clouds.clear();
  }

  /* The class map, the confidence, or where the label differs, of any prediction; the cloud levels under
     any acquisition. One layer for each, which loads what it draws. */
  predictionOf(id) {
    return this.#layer(`prediction/${id}`, () => new ClassLayer({palette: this.palette, plane: 'codes',
      source: this.#mapStore('prediction', id)}));
  }

  confidenceOf(id) {
    return this.#layer(`confidence/${id}`, () => new ConfidenceLayer(this.#mapStore('prediction', id)));
  }

  disagreementOf(id) {
    return this.#layer(`disagreement/${id}`, () => {
      const layer = new DisagreementLayer({labels: this.labelBlocks, known: this.labels.known,
        predicted: this.#mapStore('prediction', id)});
      this.labelLayers.push(layer);
      return layer;
    });
  }

  cloudsOf(acquisitionId) {
    return this.#layer(`cloud/${acquisitionId}`, () => new PatternLayer({patterns: CLOUDS, levels: [],
      source: this.#mapStore('cloud', acquisitionId)}));
  }

  #layer(key, make) {
    if (!this.layers.has(key)) this.layers.set(key, make());
    return this.layers.get(key);
  }

  #mapStore(kind, id) {
    const key = `${kind}/${id}`;
    if (!this.stores.has(key))
      this.stores.set(key, this.#store(key, (z, by, bx) => this.#fetchMap(key, z, by, bx)));
    return this.stores.get(key);
  }

  #map(id, kind, by, bx) {
    return id === null ? undefined : this.stores.get(`${kind}/${id}`)?.get(0, by, bx);
  }

  /* One byte per map of a pixel: {prediction, confidence, cloud}, undefined where not known. From afar
     they are those of the coarse pixel that stands for it. */
  at(row, col) {
    const find = (kind, id) => (id === null ? null : this.stores.get(`${kind}/${id}`)?.at(row, col));
    const prediction = find('prediction', this.predictionId), cloud = find('cloud', this.cloudId);
    return {
      prediction: prediction?.block.codes[prediction.i],
      confidence: prediction?.block.confidence[prediction.i],
      cloud: cloud?.block.codes[cloud.i],
    };
  }

  /* {label, provenance, original} of a pixel, from afar that of the coarse one that stands for it; null
     outside the tile and while nothing is known. */
  pixel(row, col) {
    const native = this.labels.at(row, col), found = native ? null : this.labelBlocks.at(row, col);
    return found ? {label: found.block.labels[found.i], provenance: found.block.provenance[found.i]} : native;
  }

  async #fetchMap(key, z, by, bx) {
    const path = z === 0 ? `${by}/${bx}` : `overview/${z}/${by}/${bx}`;
    const {bytes} = await this.server.bytes(`/tile/${this.tile.id}/${key}/${path}`);
    const {h, w} = this.#sizeOf(z, by, bx);
    return {h, w, codes: bytes.subarray(0, h * w), confidence: bytes.subarray(h * w)};
  }

  #sizeOf(z, by, bx) {
    const {h, w} = boxOfBlock(this.tile, z, by, bx), step = 2 ** z;
    return {h: Math.ceil(h / step), w: Math.ceil(w / step)};
  }

  // ---- labels

  /* Load what a box of tile pixels needs: native blocks while they are few, coarser ones of a larger
     part. */
  load(box) {
    this.view.box = box;
    this.view.level = this.view.large ? levelFor(box, this.tile) : 0;
    for (const store of [this.labelBlocks, ...this.#chosen()]) store.pieces(box);
    this.#trim();
  }

  /* The maps that tools go by: the prediction and the cloud levels that were chosen. */
  #chosen() {
    return [['prediction', this.predictionId], ['cloud', this.cloudId]]
      .filter(([, id]) => id !== null).map(([kind, id]) => this.#mapStore(kind, id));
  }

  /* The cursor is at a place: from afar, load natively what a stroke there would go by. */
  approach({y, x}, {effect, only}) {
    if (this.view.level === 0 || this.tooFar || this.labels.at(Math.floor(y), Math.floor(x))) return;
    const by = Math.floor(y / BLOCK), bx = Math.floor(x / BLOCK);
    if (by < 0 || bx < 0 || by >= this.labels.rows || bx >= this.labels.columns) return;
    const byMaps = effect === 'model' || only?.cloud;
    for (const store of [this.labelBlocks, ...(byMaps ? this.#chosen() : [])]) store.want(0, by, bx);
  }

  /* Whether the view shows so much that strokes are not taken, with the words for it. */
  get tooFar() {
    const {box} = this.view;
    return box !== null && this.view.level > 0 && Math.max(box.h, box.w) > PAINT_PX
      ? `Zoom in to paint: at most ${PAINT_PX.toLocaleString('en')} px of the scene may be in view, now ` +
        `${Math.max(box.h, box.w).toLocaleString('en')} are.`
      : null;
  }

  #blocksOf({y0, x0, h, w}) {
    const found = [], bottom = Math.min(this.tile.height, y0 + h), right = Math.min(this.tile.width, x0 + w);
    for (let by = Math.floor(Math.max(0, y0) / BLOCK); by * BLOCK < bottom; by++)
      for (let bx = Math.floor(Math.max(0, x0) / BLOCK); bx * BLOCK < right; bx++) found.push({by, bx});
    return found;
  }

  /* A promise that every label of a box is there. */
  async loadLabels(box) {
    const blocks = this.#blocksOf(box), missing = blocks.filter(({by, bx}) => !this.labels.block(by, bx));
    await this.#each(missing, (by, bx) => this.#nativeLabels(by, bx));
    for (const {by, bx} of blocks) this.#used(by, bx);
  }

  /* A promise that a stroke over a box has all that it takes: labels, and the labels as they came,
     the prediction or the cloud levels where it goes by them. */
  async loadFor(box, {effect, only}) {
    await this.loadLabels(box);
    const blocks = this.#blocksOf(box);
    if (effect === 'revert')
      await this.#each(blocks.filter(({by, bx}) => !this.labels.block(by, bx)?.original),
        (by, bx) => this.#loadOriginal(by, bx));
    if (effect === 'model' || only?.cloud)
      for (const store of this.#chosen()) await this.#each(blocks, (by, bx) => store.need(0, by, bx));
  }

  #each(blocks, load) {
    return Promise.all(blocks.map(({by, bx}) => load(by, bx).catch((error) => this.#failed(error))));
  }

  #used(by, bx) {
    const block = this.labels.block(by, bx);
    if (block) {
      const key = `${by}/${bx}`;
      this.seen.delete(key);
      this.seen.set(key, block);
    }
    return block;
  }

  /* Let go of native blocks beyond the budget, those not looked at for longest first. */
  #trim() {
    const {labels} = this;
    if (labels.blocks.size <= NATIVE_LABELS || labels.stroke) return;
    const kept = [...this.keeps(), ...(this.view.box && this.view.level === 0 ? [this.view.box] : [])];
    for (const block of labels.blocks.values()) if (!this.seen.has(`${block.by}/${block.bx}`)) this.#used(block.by, block.bx);
    for (const [key, {by, bx}] of this.seen) {
      if (labels.blocks.size <= NATIVE_LABELS) return;
      const box = boxOfBlock(this.tile, 0, by, bx);
      if (kept.some((other) => meets(box, other))) continue;
      this.seen.delete(key);
      labels.dropBlock(by, bx);
    }
  }

  #once(key, work) {
    let running = this.loading.get(key);
    if (!running) {
      running = work().finally(() => {
        this.loading.delete(key);
        this.#changed();
      });
      this.loading.set(key, running);
    }
    return running;
  }

  #nativeLabels(by, bx) {
    return this.#once(`labels/${by}/${bx}`, async () => {
      const {bytes, version} = await this.server.bytes(`/tile/${this.tile.id}/labels/${by}/${bx}`);
      if (this.closed) return;
      this.labels.version = this.labels.blocks.size ? Math.min(this.labels.version, version) : version;
      this.#place(by, bx, bytes, version === 0);
      this.#used(by, bx);
      this.#trim();
      if (version > 0) this.#wantOriginals();
    });
  }

  #place(by, bx, bytes, isOriginal) {
    const half = bytes.length / 2, labels = bytes.slice(0, half);
    this.placing = true;
    this.labels.setBlock(by, bx, {labels, provenance: bytes.slice(half),
      original: isOriginal ? labels.slice() : undefined});
    this.placing = false;
  }

  /* The tile has been painted: load what is not seen as well. */
  painted() {
    this.shown = true;
    this.#wantOriginals();
  }

  /* Labels as they came, which no pane shows, wait until the tile has been painted and nobody has painted
     on it for a while; who takes a stroke back to them sooner loads them. */
  #wantOriginals() {
    clearTimeout(this.calm);
    if (!this.shown) return;
    const {edits} = this.labels;
    this.calm = setTimeout(() => {
      if (edits !== this.labels.edits) return this.#wantOriginals();
      for (const {by, bx, original} of this.labels.blocks.values())
        if (!original) this.loader.want(`original/${by}/${bx}`, () => this.#loadOriginal(by, bx));
    }, CALM_MS);
  }

  #loadOriginal(by, bx) {
    return this.#once(`original/${by}/${bx}`, async () => {
      const {bytes} = await this.server.bytes(`/tile/${this.tile.id}/labels/${by}/${bx}?version=0`);
      const block = this.labels.block(by, bx);
      if (block) block.original = bytes.slice(0, bytes.length / 2);
    });
  }

  async #fetchCoarse(z, by, bx) {
    const path = `/tile/${this.tile.id}/labels/overview/${z}/${by}/${bx}`;
    const {bytes, version} = await this.server.bytes(path), {h, w} = this.#sizeOf(z, by, bx);
    const block = {h, w, version, labels: bytes.slice(0, h * w), provenance: bytes.slice(h * w)};
    // Strokes of this page that the server had not seen when it answered are laid on again.
    block.stale = version < this.labels.version;
    queueMicrotask(() => {
      for (const box of this.keeps()) resample(this.labelBlocks, this.labels, box);
    });
    return block;
  }

  /* Somebody changed the tile while only coarse labels are here: they are asked for again. */
  sawVersion(version) {
    let behind = false;
    for (const {block} of this.labelBlocks.coarse(this.#whole)) {
      block.stale ||= block.version < version;
      behind ||= block.stale;
    }
    if (behind) this.#changed();
  }

  /* Replace every label block that is loaded by what the server has now. */
  async reloadLabels() {
    const blocks = [...this.labels.blocks.values()];
    const fresh = await Promise.all(blocks.map(({by, bx}) =>
      this.server.bytes(`/tile/${this.tile.id}/labels/${by}/${bx}`)));
    return () => {
      this.labels.version = Math.min(...fresh.map(({version}) => version));
      blocks.forEach(({by, bx}, i) => this.#place(by, bx, fresh[i].bytes, false));
      for (const {block} of this.labelBlocks.coarse(this.#whole)) block.stale = true;
    };
  }

  get settled() {
    return this.loading.size === 0 && this.loader.settled;
  }

  /* Whether something was asked for in vain, and was not yet asked for again. */
  get lacks() {
    return this.loader.failed.size > 0;
  }
}
