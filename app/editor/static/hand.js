/* The hand that changes labels: the gestures of the pointer and the commands that act on a region,
each of them one change that goes to the saver. */

import {BrushStroke, applyMask, fillBox, regionAt} from './tools.js';

export class Hand {
  constructor(editor) {
    this.editor = editor;
    Object.assign(this, {stroke: null, lastEnd: null, startedAt: null, releasedAt: null});
  }

  #say(...message) {
    this.editor.panel.say(...message);
  }

  #mayEdit() {
    const {manifest, saver, scene} = this.editor, {readonly} = manifest;
    if (readonly) this.#say(`Read-only: ${readonly.what}. ${readonly.why}`);
    return !readonly && saver.ready && scene.labels.blocks.size > 0;
  }

  /* Begin at a position; returns whether a stroke goes on from there. */
  press(at, {shift}) {
    const {settings, scene, classCode, probe} = this.editor;
    probe.hover(at, {shift});
    if (!this.#mayEdit()) return false;
    const inside = scene.labels.at(Math.floor(at.y), Math.floor(at.x));
    if (settings.tool === 'fill') {
      if (inside) this.#region('fill', at);
      return false;
    }
    if (settings.tool === 'revert' && inside && inside.original === undefined) {
      this.#say('The original label is still being loaded; try again in a moment.');
      return false;
    }
    this.startedAt = Date.now();
    this.stroke = new BrushStroke({labels: scene.labels, tool: settings.tool, toClass: classCode,
      diameter: settings.diameter});
    this.stroke.press(at, shift ? this.lastEnd : null);
    this.lastEnd = at;
    return true;
  }

  drag(at) {
    this.stroke?.move(at);
    this.lastEnd = at;
  }

  release(releasedAt) {
    this.releasedAt = releasedAt;
    this.finish();
  }

  /* End the running stroke, if there is one, and save it. */
  finish() {
    if (!this.stroke) return;
    const change = this.stroke.release();
    this.stroke = null;
    this.editor.pointer.drop();
    this.#commit(change);
  }

  /* Drop the running stroke and restore its pixels; returns whether there was one. */
  abort() {
    if (!this.stroke) return false;
    this.editor.scene.labels.abort();
    this.stroke = null;
    this.editor.pointer.drop();
    this.editor.saver.strokeEnded();
    return true;
  }

  undo() {
    this.#reverse('undo', 'Nothing to undo on this tile.');
  }

  redo() {
    this.#reverse('redo', 'Nothing to redo.');
  }

  #reverse(tool, otherwise) {
    const {saver, display} = this.editor;
    this.finish();
    if (saver.ready && !saver[tool](display.panesShown())) this.#say(otherwise);
  }

  verifyRegion() {
    const {cursor, pixel} = this.editor.probe;
    if (!this.#mayEdit()) return;
    if (pixel) this.#region('verify', cursor);
    else this.#say('Point at a region, then press W.');
  }

  async verifyTile() {
    if (!this.#mayEdit()) return;
    const {scene} = this.editor, {labels, tile} = scene, box = fillBox(tile, {y: 0, x: 0});
    if (box.h * box.w < tile.height * tile.width)
      return this.#say('This tile is too large to be verified at once: verify it region by region.');
    await scene.loadLabels(box);
    if (scene !== this.editor.scene) return;
    this.startedAt = Date.now();
    const data = new Uint8Array(box.h * box.w).fill(1);
    this.#commit(applyMask(labels, 'verify', null, {...box, data}), 'Every pixel of this tile is settled already.');
  }

  async #region(tool, at) {
    const {scene, classCode, timings} = this.editor;
    await scene.loadLabels(fillBox(scene.tile, at));
    if (scene !== this.editor.scene) return;
    const began = performance.now();
    this.startedAt = Date.now();
    this.#commit(applyMask(scene.labels, tool, classCode, regionAt(scene.labels, at)),
      tool === 'verify' ? 'This region is settled already.' : null);
    timings.add('fill', performance.now() - began);
  }

  #commit(change, otherwise = null) {
    const {saver, display} = this.editor;
    if (change) {
      if (change.tool === 'verify') {
        const n = change.data.reduce((sum, bit) => sum + bit, 0);
        this.#say(`Verified ${n.toLocaleString('en')} px.`);
      }
      saver.commit(change, {startedAt: this.startedAt, panesShown: display.panesShown(),
        releasedAt: this.releasedAt ?? performance.now()});
      this.editor.features.committed(change);
    } else if (otherwise) this.#say(otherwise);
    this.releasedAt = null;
    saver.strokeEnded();
  }
}
