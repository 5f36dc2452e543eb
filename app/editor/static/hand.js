/* The hand that changes labels: it leads the pointer to the gesture of the tool, and makes each stroke or
command one change that goes to the saver, with the effect, the class and the restrictions of now. */

import {onlyOf, whyBlocked} from './restrict.js';
import {union} from './labels.js';
import {FILL_SIDE, classAt, fillBox, regionAt} from './tools/fill.js';
import {GESTURES} from './tools/index.js';

const NO_KEYS = {shift: false, ctrl: false, alt: false, pressure: null};
const MISSING = {
  labels: 'The labels here are still being loaded; try again in a moment.',
  original: 'The label as it came is still being loaded; try again in a moment.',
  prediction: 'There is no prediction to take here yet.',
  cloud: 'The cloud mask here is still being loaded; try again in a moment.',
};
const NO_CLOUDS = 'The chosen image has no cloud mask to go by; press K until strokes change pixels anywhere.';
const LOST = 'The last stroke on the tile before was dropped: what it needs had not been loaded.';
const STROKE_PX = 4096 * 4096;
const LEAST_PRESSURE = 0.1;

export class Hand {
  constructor(editor) {
    this.editor = editor;
    this.gestures = {};
    // Drawing an area is not left over for the next visit, nor are tools of before.
    const {tool} = editor.settings;
    if (tool !== 'pan' && (!GESTURES[tool] || GESTURES[tool].passing)) editor.settings.change({tool: 'brush'});
    Object.assign(this, {running: null, at: null, keys: NO_KEYS, lastEnd: null, startedAt: null,
      releasedAt: null, area: null, whenIdle: [], late: [], settling: false, pending: new Set()});
  }

  get labels() {
    return this.editor.scene.labels;
  }

  /* The gesture of the tool in hand; null for tools that change nothing. */
  get gesture() {
    const {tool} = this.editor.settings, Gesture = GESTURES[tool];
    return Gesture ? (this.gestures[tool] ??= new Gesture(this)) : null;
  }

  /* Whether the button is down in a stroke. */
  get stroke() {
    return this.running !== null;
  }

  get square() {
    return this.editor.settings.shape === 'square';
  }

  /* The brush's diameter in pixels, by the pressure of the pen where that is asked for. */
  diameter(keys = NO_KEYS) {
    const {diameter, pressure} = this.editor.settings;
    if (!pressure || typeof keys.pressure !== 'number') return diameter;
    return Math.max(1, Math.round(diameter * Math.max(LEAST_PRESSURE, keys.pressure)));
  }

  say(...message) {
    this.editor.panel.say(...message);
  }

  /* Whether labels may be changed now; says why not. */
  mayEdit() {
    const {manifest, saver, scene, past} = this.editor, readonly = manifest.readonly ?? past ?? null;
    if (readonly) this.say(`Read-only: ${readonly.what}. ${readonly.why}`);
    const far = !readonly && scene.tooFar;
    if (far) this.say(far);
    const loaded = !this.settling && saver.ready && (scene.view.large || scene.labels.blocks.size > 0);
    if (!readonly && !far && !loaded) this.say(MISSING.labels);
    return !readonly && !far && loaded;
  }

  // ---- from the pointer and the keys

  /* Begin at a position; returns whether a stroke goes on from there. */
  press(at, keys = NO_KEYS) {
    const {gesture, editor} = this;
    editor.probe.hover(at, keys);
    if (!gesture || !this.mayEdit()) return false;
    Object.assign(this, {at, keys, startedAt: Date.now(), releasedAt: null});
    const goesOn = gesture.press(at, keys) === true;
    this.running = goesOn ? gesture : null;
    return goesOn;
  }

  drag(at, keys = NO_KEYS) {
    Object.assign(this, {at, keys});
    this.running?.drag?.(at, keys);
  }

  release(releasedAt) {
    this.releasedAt = releasedAt;
    this.finish();
  }

  hover(at, keys = NO_KEYS) {
    if (!this.running) this.gesture?.hover?.(at, keys);
  }

  doubleClick(at, keys = NO_KEYS) {
    if (!this.editor.manifest.readonly) this.gesture?.doubleClick?.(at, keys);
  }

  /* Offer a key to the gesture; returns whether it took it. */
  key(name) {
    return this.gesture?.key?.(name) === true;
  }

  /* End the running stroke, if there is one, and save it. */
  finish() {
    const {running} = this;
    if (!running) return;
    this.running = null;
    this.editor.pointer.drop();
    running.release?.(this.at, this.keys);
    this.#idle();
  }

  /* Drop the running stroke and restore its pixels; returns whether there was one. */
  abort() {
    const {running} = this, gesture = running ?? this.gesture;
    this.running = null;
    if (running) this.editor.pointer.drop();
    const late = this.settling && this.drop();
    const dropped = gesture?.cancel?.() === true || running !== null || late;
    this.#idle();
    return dropped;
  }

  /* What has been begun and would be lost by leaving, in words, or null. */
  get unfinished() {
    return Object.values(this.gestures).map(({unfinished}) => unfinished).find(Boolean) ?? null;
  }

  /* Drop what gestures have begun, as before another tool is taken in hand. */
  putDown() {
    for (const gesture of Object.values(this.gestures))
      if (gesture.putDown) gesture.putDown();
      else gesture.cancel?.();
  }

  /* Leave the tile. */
  leave() {
    this.finish();
    this.putDown();
    if (this.settling) this.drop();
    Object.assign(this, {lastEnd: null, area: null, settling: false});
    this.editor.preview.clear();
  }

  #idle() {
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  // ---- for gestures and commands

  /* Keep a promise of work that goes on after its press: who leaves the tile waits for all of them. */
  pend(work) {
    const done = () => this.pending.delete(work);
    this.pending.add(work);
    work.then(done, done);
    return work;
  }

  /* Say that a stroke came too late for its tile; returns null, as there is no change. */
  sayLost() {
    this.say(LOST, {kind: 'warning', sticky: true});
    return null;
  }

  /* The effect, the class and the restrictions of now; `options` overrules the first two. */
  wish(tool = this.editor.settings.tool, {effect, toClass} = {}) {
    const {settings, classCode, scene, manifest} = this.editor;
    const does = effect ?? settings.effect, only = onlyOf(settings, manifest, this.area);
    return {tool, effect: does, toClass: does === 'class' ? (toClass ?? classCode) : null, only,
      prediction: does === 'model' ? scene.predictionId : null};
  }

  /* Start a stroke; returns false, and says why, where its box lacks what it needs. */
  begin(tool, box, options = {}) {
    const wish = this.wish(tool, options);
    if (!this.#ready(wish, box)) return false;
    this.labels.begin(wish);
    return true;
  }

  /* Whether what a wish goes by is there under a box; in a large scene it may come later. */
  #ready(wish, box) {
    const {scene} = this.editor, missing = this.labels.missing(box, wish.effect, wish.only);
    const comes = scene.view.large && (wish.effect !== 'model' || scene.predictionId !== null)
      && (!wish.only?.cloud || scene.cloudId !== null);
    const ready = missing === null || missing === 'labels' || comes;
    if (!ready) this.say(missing === 'cloud' && scene.cloudId === null ? NO_CLOUDS : MISSING[missing]);
    return ready;
  }

  /* Let the stroke cover the ones of a mask. Where labels of a large scene are not loaded, it covers
     them as soon as they are. */
  paint(mask) {
    const {scene} = this.editor;
    if (!scene.view.large) return this.labels.paint(mask);
    if (!this.#mayGrow(mask)) return;
    if (!this.#isLate(mask)) return this.labels.paint(mask);
    this.late.push(mask);
    this.#load(mask).then(() => scene === this.editor.scene && this.#paintLate());
  }

  #isLate(mask) {
    const {effect, only} = this.labels.stroke;
    return this.labels.missing(mask, effect, only) !== null;
  }

  #load(mask, wish = this.labels.stroke ?? {}) {
    return this.editor.scene.loadFor(mask, wish);
  }

  /* Whether the stroke with this mask is still one that the server takes. */
  #mayGrow(mask) {
    const grown = this.late.reduce(union, union(this.labels.stroke.box, mask));
    const fits = grown.h * grown.w <= STROKE_PX;
    if (!fits) this.say('One stroke spans at most 4,096 x 4,096 px; what lies beyond is left as it is.');
    return fits;
  }

  #paintLate() {
    if (!this.labels.stroke) return;
    for (const mask of this.late.splice(0))
      if (this.#isLate(mask)) this.late.push(mask);
      else this.labels.paint(mask);
  }

  /* End the stroke and save what it changed; returns the change or null. `otherwise` is said when nothing
     changed and no restriction was in the way. */
  commit(otherwise = null) {
    if (this.late.length) {
      this.pend(this.#commitLate(otherwise));
      return null;
    }
    const {labels} = this, only = labels.stroke?.only ?? null;
    return this.#save(labels.finish(), only, otherwise);
  }

  /* End a stroke over labels that are still on their way, once they are there. */
  async #commitLate(otherwise) {
    const {scene} = this.editor;
    this.settling = true;
    await Promise.all(this.late.map((mask) => this.#load(mask)));
    if (scene !== this.editor.scene) return this.sayLost();
    this.settling = false;
    this.#paintLate();
    if (this.late.length) {
      this.drop();
      this.say('Labels below the stroke could not be loaded, so it was dropped: try again.');
    } else this.commit(otherwise);
  }

  /* Drop the stroke and restore its pixels; returns whether there was one. */
  drop() {
    const had = this.labels.stroke !== null;
    this.late = [];
    this.labels.abort();
    this.editor.saver.strokeEnded();
    return had;
  }

  /* One edit of a whole mask, as soon as the labels under it are loaded and no stroke is running.
     `options`: {effect, toClass, otherwise, group, reason}, or `wish` where it was made before; a mask with
     `values` has one class for each pixel of its box. A promise of the change, or of null. */
  apply(tool, mask, options = {}) {
    return this.pend(this.#apply(tool, mask, options));
  }

  async #apply(tool, mask, options) {
    const {scene} = this.editor;
    if (!this.mayEdit()) return null;
    this.startedAt ??= Date.now();
    const wish = options.wish ?? this.wish(tool, mask.values ? {effect: 'values', ...options} : options);
    if (this.labels.missing(mask, wish.effect, wish.only)) await this.#load(mask, wish);
    await this.#untilIdle();
    if (scene !== this.editor.scene) return this.sayLost();
    if (!this.mayEdit()) return null;
    return this.#applyNow(wish, mask, options);
  }

  #applyNow(wish, mask, options) {
    if (!this.#ready(wish, mask)) return null;
    const change = this.labels.apply(wish, mask);
    if (change) Object.assign(change, {groupId: options.group ?? null, reason: options.reason ?? null});
    return this.#save(change, wish.only, options.otherwise ?? null);
  }

  async #untilIdle() {
    while (this.running) await new Promise((resolve) => this.whenIdle.push(resolve));
  }

  /* One edit of the region under a position, or of every pixel of its class (`fill_all`). */
  fill(tool, at, options = {}) {
    return this.pend(this.#fill(tool, at, options));
  }

  async #fill(tool, at, options) {
    const {editor, labels} = this, {scene, worker, timings} = editor;
    if (!scene.pixel(Math.floor(at.y), Math.floor(at.x))) return null;
    const all = tool === 'fill_all', box = fillBox(labels, at), wish = this.wish(tool, options);
    if (all && box.h * box.w < labels.height * labels.width)
      this.say(`Only the ${FILL_SIDE} x ${FILL_SIDE} px around the cursor are filled: the tile is larger.`);
    await scene.loadLabels(box);
    this.startedAt = Date.now();
    const began = performance.now();
    for (;;) {
      const {edits} = labels;
      const mask = await (all ? classAt : regionAt)(labels, at, worker);
      if (labels.missing(mask, wish.effect, wish.only)) await this.#load(mask, wish);
      await this.#untilIdle();
      if (scene !== editor.scene) return this.sayLost();
      if (!this.mayEdit()) return null;
      if (labels.edits !== edits) continue; // somebody changed the labels meanwhile
      const change = this.#applyNow(wish, mask, options);
      timings.add('fill', performance.now() - began);
      return change;
    }
  }

  #save(change, only, otherwise) {
    const {saver, display, features} = this.editor;
    if (change) {
      saver.commit(change, {startedAt: this.startedAt ?? Date.now(), panesShown: display.panesShown(),
        releasedAt: this.releasedAt ?? performance.now()});
      features.committed(change);
    } else {
      const why = only && whyBlocked(this.labels.blocked, only, this.#names(only.from ?? [])) || otherwise;
      if (why) this.say(why);
    }
    Object.assign(this, {startedAt: null, releasedAt: null});
    saver.strokeEnded();
    return change;
  }

  #names(codes) {
    const {classes} = this.editor.manifest;
    return codes.map((code) => classes.find((entry) => entry.code === code)?.name ?? code).join(', ');
  }

  // ---- undo

  undo() {
    this.#reverse('undo', 'Nothing to undo on this tile.');
  }

  redo() {
    this.#reverse('redo', 'Nothing to redo.');
  }

  #reverse(tool, otherwise) {
    const {saver, outbox, view, display, past, features} = this.editor;
    this.finish();
    if (this.settling) return this.say(MISSING.labels);
    if (past) return this.say(`Read-only: ${past.what}. ${past.why}`);
    if (!saver.ready) return this.say(MISSING.labels);
    const release = outbox.hold();
    // The request leaves when the frame that shows the change has been made: both would share the cores.
    afterFrame(release);
    if (!saver[tool](display.panesShown())) return this.say(otherwise);
    view.drawNow();
    features.reversed();
  }
}

/* Do something (that may be done twice) when the next frame has been made; a hidden page makes none. */
function afterFrame(work) {
  requestAnimationFrame(() => setTimeout(work));
  setTimeout(work, 100);
}
