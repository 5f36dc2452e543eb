/* An earlier version of the labels, to be looked at: blocks of that version in place of those of now, in
every pane that shows labels. The labels of now stay as they are and go on taking up changes. */

import {boxOfBlock, countBlocks} from '../blocks.js';
import {BLOCK, Labels} from '../labels.js';
import {eachBlock} from '../layers.js';
import {patchOf} from '../overlay.js';
import {mayPass} from '../server.js';

const MOST_BLOCKS = 81; // more are not loaded at once
const AGAIN_MS = 3000;

export class Past {
  constructor(editor, scene) {
    Object.assign(this, {editor, scene, version: null, tooFar: false, said: null});
    this.labels = new Labels(scene.tile.height, scene.tile.width);
    this.versions = new Map();
    this.loading = new Map();
    this.lost = new Map();
    this.patches = new Map();
    this.labels.onDirty = (box) => this.#dirty(box);
  }

  get #layers() {
    return [this.scene.label, this.scene.provenance];
  }

  #dirty(box) {
    for (const layer of this.#layers) layer.markDirty(box);
    this.editor.view.draw(box);
  }

  /* Show a version. From the one before it, known patches lead there; else its blocks are loaded. */
  show(version) {
    const from = this.version;
    this.version = version;
    if (from === null) this.#install(this);
    const patches = from === null ? null : this.#known(from, version);
    if (patches === null) this.editor.view.draw();
    else for (const patch of patches) this.#apply(patch);
  }

  close() {
    this.version = null;
    if (this.tooFar) this.#say(false);
    this.#install(this.scene.labelBlocks);
  }

  #install(source) {
    for (const layer of this.#layers) {
      layer.source = source;
      layer.clear();
    }
    this.editor.view.draw();
  }

  /* Whether all that is in view is of the version to be shown. */
  get settled() {
    return this.loading.size === 0 && this.lost.size === 0 && [...this.versions.values()].every((version) => version === this.version);
  }

  #known(from, to) {
    if (to < from || !this.settled) return null;
    const found = [];
    for (let version = from + 1; version <= to; version++) found.push(this.patches.get(version));
    return found.includes(undefined) ? null : found;
  }

  #apply(patch) {
    this.labels.write(patch);
    for (const key of this.versions.keys()) this.versions.set(key, this.version);
  }

  /* Fetch the patches after a version, so that playing goes on without loading blocks. */
  async prefetch(from) {
    if (this.patches.has(from + 1)) return;
    const {patches} = await this.scene.server.json(`/tile/${this.scene.tile.id}/changes?since=${from}`);
    this.patches.clear();
    for (const edit of patches) this.patches.set(edit.version, patchOf(edit));
  }

  /* From afar there is nothing to be seen of a version: say so, once each time. */
  #say(many) {
    this.tooFar = many;
    this.takeBack?.();
    this.takeBack = many ? this.editor.panel.say(`Zoom in to see version ${this.version}: so much of it is not loaded at once.`,
      {kind: 'warning', sticky: true}) : null;
  }

  // ---- a source of blocks, as in blocks.js

  pieces(visible) {
    const found = [], box = visible, many = countBlocks(this.editor.view.visible()) > MOST_BLOCKS;
    if (this.version === null) return found;
    if (many !== this.tooFar) this.#say(many);
    if (many) return found;
    eachBlock(box, BLOCK, (by, bx) => {
      const block = this.#want(by, bx);
      if (block) found.push({block, box: boxOfBlock(this.scene.tile, 0, by, bx), from: null, z: 0, by, bx});
    });
    return found;
  }

  covering(box, visit) {
    eachBlock(box, BLOCK, (by, bx) => {
      const block = this.labels.block(by, bx);
      if (!block) return;
      const y0 = Math.max(0, box.y0 - by * BLOCK), x0 = Math.max(0, box.x0 - bx * BLOCK);
      visit(block, {y0, x0, h: Math.min(block.h, box.y0 + box.h - by * BLOCK) - y0,
        w: Math.min(block.w, box.x0 + box.w - bx * BLOCK) - x0});
    });
  }

  want(z, by, bx) {
    return z === 0 ? this.#want(by, bx) : undefined;
  }

  get(z, by, bx) {
    return z === 0 ? this.labels.block(by, bx) : undefined;
  }

  /* A block, of an other version until the one to be shown has come. */
  #want(by, bx) {
    const {version} = this, key = `${by}/${bx}`;
    if (this.versions.get(key) !== version && this.lost.get(key) !== version && !this.loading.has(key))
      this.loading.set(key, this.#load(key, by, bx, version));
    return this.labels.block(by, bx);
  }

  async #load(key, by, bx, version) {
    let bytes = null, failure = null;
    try {
      ({bytes} = await this.scene.server.bytes(`/tile/${this.scene.tile.id}/labels/${key}?version=${version}`));
    } catch (error) {
      failure = error;
    }
    this.loading.delete(key);
    if (this.version === null) return;
    if (bytes) this.#place(key, by, bx, bytes, version);
    else if (version === this.version) this.#lose(key, by, bx, failure);
    this.editor.view.draw(boxOfBlock(this.scene.tile, 0, by, bx));
  }

  #place(key, by, bx, bytes, version) {
    const half = bytes.length / 2;
    this.lost.delete(key);
    this.versions.set(key, version);
    this.labels.setBlock(by, bx, {labels: bytes.slice(0, half), provenance: bytes.slice(half)});
  }

  /* Another version must not pass for this one: nothing is shown there until it has come. */
  #lose(key, by, bx, error) {
    const {version, lost} = this;
    if (this.said !== version)
      this.editor.panel.say(`Version ${version} could not be loaded: ${error.message}`, {kind: 'warning'});
    this.said = version;
    lost.set(key, version);
    this.versions.delete(key);
    this.labels.dropBlock(by, bx);
    if (mayPass(error)) setTimeout(() => {
      if (lost.get(key) !== version) return;
      lost.delete(key);
      if (this.version === version) this.editor.view.draw(boxOfBlock(this.scene.tile, 0, by, bx));
    }, AGAIN_MS);
  }
}
