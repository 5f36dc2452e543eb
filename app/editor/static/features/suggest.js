/* What a few strokes say of the pixels around them: hatched, with how it did on strokes held out, and
accepted or dropped by a key. It never writes by itself, and is not shown where it does not help. */

import {h} from '../dom.js';
import {blurAfterPointer, button} from '../panel/controls.js';
import {read, write} from '../kept.js';
import {union} from '../labels.js';
import {byClass, count} from './bulk.js';

const LEAST_STROKES = 3;
const REST_MS = 200, PREPARE_AFTER_MS = 1500, AGAIN_MS = 250, POLL_MS = 20, LIMIT_MS = 20000;
const KEY = 'cloudbrush.suggest';

export class Suggest {
  static id = 'suggest';

  constructor(editor) {
    Object.assign(this, {editor, found: null, asking: null, tile: null, quiet: 0,
      on: read(KEY)?.on ?? true});
    this.words = h('span', {role: 'status'});
    this.element = h('div', {className: 'suggestion', hidden: true, role: 'group', ariaLabel: 'Suggestion'}, this.words,
      button('suggest-accept', {text: 'Accept', className: 'text'}), button('suggest-drop', {text: 'Drop', className: 'text'}));
    editor.panel.bar.people.after(this.element);
    this.setting = h('input', {type: 'checkbox', checked: this.on});
    this.setting.addEventListener('change', () => this.#turn(this.setting.checked));
    blurAfterPointer(this.setting);
    editor.panel.section('suggest', 'Suggestions', {folded: true}).append(
      h('label', {className: 'check'}, this.setting, `after ${LEAST_STROKES} strokes`));
  }

  open(scene, manifest) {
    if (manifest.readonly) this.drop();
    if (this.tile === scene.tile.id) return;
    Object.assign(this, {tile: scene.tile.id, quiet: 0});
    this.drop();
    clearTimeout(this.timer);
    if (this.on && !manifest.readonly) this.#prepareSoon(scene, PREPARE_AFTER_MS);
  }

  /* Look at the images before the first stroke, but after the tile is on the screen. */
  #prepareSoon(scene, ms) {
    this.timer = setTimeout(() => {
      if (scene !== this.editor.scene) return;
      if (!scene.settled) return this.#prepareSoon(scene, AGAIN_MS);
      const {view} = this.editor, {x, y} = this.editor.probe.place, place = view.toTile(x, y);
      const at = [[place.y, scene.tile.height], [place.x, scene.tile.width]]
        .map(([value, end]) => Math.max(0, Math.min(end - 1, Math.floor(value))));
      this.editor.server.post(`/tile/${scene.tile.id}/suggest/prepare`, {...this.#sources(), at}).catch(() => {});
    }, ms);
  }

  #sources() {
    const {manifest, scene} = this.editor;
    return {acquisition: manifest.chosen.acquisition ?? null, prediction: scene.predictionId ?? null};
  }

  /* A new stroke: what was suggested before it no longer holds. */
  committed({tool}) {
    this.drop();
    if (this.on && tool !== 'suggestion' && this.#strokes() >= Math.max(LEAST_STROKES, this.quiet)) this.#askAtRest();
  }

  /* The server works for a suggestion as hard as for many strokes: not while somebody paints on. */
  #askAtRest() {
    this.resting = setTimeout(() => (this.editor.hand.stroke ? this.#askAtRest() : this.#ask(false)), REST_MS);
  }

  /* Undo takes the ground from under a suggestion, also from under one that is being made. */
  reversed() {
    this.drop();
  }

  cancel() {
    if (!this.found) return false;
    this.dismiss();
    return true;
  }

  /* The person wants none of it: the next one waits for as many strokes as the first. */
  dismiss() {
    this.quiet = this.#strokes() + LEAST_STROKES;
    this.drop();
  }

  destroy() {
    clearTimeout(this.timer);
    this.asking?.abort();
  }

  /* Ask for a suggestion, and say so when there is none. */
  now() {
    this.drop();
    if (this.editor.hand.mayEdit()) this.#ask(true);
  }

  async accept() {
    const {found, editor} = this;
    if (!found) return editor.panel.say('There is no suggestion to accept.');
    if (outOfView(found.mask, editor.view.visible()) === countOf(found.mask)) {
      editor.view.fit();
      return editor.panel.say('The suggestion was out of view: look at it, then accept it.');
    }
    this.drop();
    await editor.hand.apply('suggestion', found.mask, {effect: 'values', otherwise: 'Nothing is left of the suggestion.'});
  }

  drop() {
    clearTimeout(this.resting);
    this.asking?.abort();
    Object.assign(this, {asking: null, found: null});
    this.element.hidden = true;
    this.editor.preview?.clear('suggest');
  }

  /* How many strokes of this tab stand on the tile. */
  #strokes() {
    const {history, client} = this.editor.saver;
    return history.undoable.filter(({client_id}) => client_id === client.id).length;
  }

  async #ask(aloud) {
    const asking = (this.asking = new AbortController()), {editor, tile} = this, {panel} = editor;
    try {
      await this.#saved(asking.signal);
      const limit = AbortSignal.any([asking.signal, AbortSignal.timeout(LIMIT_MS)]);
      const response = await editor.server.stream(`/tile/${tile}/suggest`,
        {client_id: editor.saver.client.id, ...this.#sources()}, limit);
      const reply = await response.json();
      if (asking.signal.aborted) return;
      if (reply.status === 'ready') this.#show(reply, aloud);
      else if (aloud) panel.say(reply.error ?? words(reply));
    } catch {
      if (aloud && !asking.signal.aborted) panel.say('The server cannot be reached: there is no suggestion now.');
    } finally {
      if (this.asking === asking) this.asking = null;
    }
  }

  /* The server learns from strokes that it has. */
  async #saved(signal) {
    const {outbox} = this.editor;
    while (outbox.waiting(this.tile).length) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      signal.throwIfAborted();
    }
  }

  /* Unasked only where most of it can be seen: nobody looks for what they have not asked for. */
  #show(reply, aloud) {
    const {editor} = this, {classes} = editor.manifest, masks = byClass(reply.masks);
    const mask = merged(masks), unseen = outOfView(mask, editor.view.visible());
    if (!aloud && 2 * unseen > reply.pixels) return;
    const entry = (code) => classes.find((each) => each.code === code);
    this.found = {mask};
    editor.preview.set('suggest', masks.map(([code, mask]) =>
      ({mask, colour: entry(code)?.colour || '#ffffff', style: 'hatch'})));
    const names = masks.map(([code]) => entry(code)?.name ?? `class ${code}`).join(', ');
    this.words.textContent = `${names}: ${words(reply, unseen)}`;
    this.element.title = this.words.textContent;
    this.element.hidden = false;
  }

  #turn(on) {
    this.on = on;
    write(KEY, {on});
    if (!on) this.drop();
    else if (this.editor.scene) this.#prepareSoon(this.editor.scene, 0);
  }
}

/* One mask with a class for each pixel, from a mask for each class. */
function merged(masks) {
  const box = masks.map(([, mask]) => mask).reduce(union, null), n = box.h * box.w;
  const all = {...box, data: new Uint8Array(n), values: new Uint8Array(n)};
  for (const [code, {y0, x0, h: height, w, data}] of masks)
    for (let i = 0; i < data.length; i++) {
      if (!data[i]) continue;
      const at = (y0 - box.y0 + Math.floor(i / w)) * box.w + x0 - box.x0 + (i % w);
      all.data[at] = 1;
      all.values[at] = code;
    }
  return all;
}

const countOf = ({data}) => data.reduce((sum, bit) => sum + bit, 0);

/* How many pixels of a mask lie outside a box. */
export function outOfView({y0, x0, h: height, w, data}, box) {
  let count = 0;
  for (let i = 0; i < height * w; i++) {
    if (!data[i]) continue;
    const row = y0 + Math.floor(i / w) - box.y0, col = x0 + (i % w) - box.x0;
    if (row < 0 || col < 0 || row >= box.h || col >= box.w) count += 1;
  }
  return count;
}

/* What is to be said of an answer, of which so many pixels are out of view. */
export function words({status, check, pixels}, unseen = 0) {
  const held = check && `${check.right} of ${check.of} held-out strokes`;
  const confirm = check && check.confirmations === 0 ? ' Unconfirmed: verify a right place near (W) for a better check.' : '';
  if (status === 'ready') {
    const where = unseen ? `, ${count(unseen)} out of view` : '';
    return `right on ${held}; ${count(pixels)} px${where}.${confirm}`;
  }
  if (status === 'useless')
    return `No suggestion: it would be right on ${held}, the label of now on ${check.present}.${confirm}`;
  if (status === 'nothing') return 'Nothing near your strokes is left to suggest.';
  return `A suggestion takes ${LEAST_STROKES} strokes near each other, at least one of them a correction.`;
}
