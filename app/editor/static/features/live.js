/* Who else has the tile open, and what they change. The server is asked each second while the page is
visible, so that their strokes appear here without a reload; presence informs and never locks. */

import {h} from '../dom.js';

const VISIBLE_MS = 1000, HIDDEN_MS = 10000, LIMIT_MS = 10000;
const BACKOFF_MS = [2000, 4000, 8000, 15000];
const ACTIVE_MS = 2500;
const NO_VERSION = 999999999; // ask for no patches
const MOST_CHIPS = 6;

export class Live {
  static id = 'live';

  constructor(editor) {
    this.editor = editor;
    this.chips = editor.panel.bar.people;
    Object.assign(this.chips, {role: 'group', ariaLabel: 'Also on this tile'});
    Object.assign(this, {tile: null, asking: false, failures: 0, shown: '', active: new Map()});
    this.gone = new AbortController();
    document.addEventListener('visibilitychange', () => this.#soon(), {signal: this.gone.signal});
    addEventListener('online', () => this.#soon(), {signal: this.gone.signal});
  }

  open(scene) {
    if (this.tile === scene.tile.id) return;
    this.#leave();
    this.tile = scene.tile.id;
    this.#show([]);
    this.#soon();
  }

  destroy() {
    this.gone.abort();
    clearTimeout(this.timer);
    this.#leave();
  }

  #soon() {
    this.#after(0);
  }

  #after(ms) {
    clearTimeout(this.timer);
    if (!this.gone.signal.aborted) this.timer = setTimeout(() => this.#ask(), ms);
  }

  #path(since, away) {
    return `/tile/${this.tile}/live?since=${since}&client=${this.editor.saver.client.id}&away=${away ? 1 : 0}`;
  }

  async #ask() {
    if (this.asking || this.tile === null) return;
    this.asking = true;
    const {tile} = this, {server, outbox} = this.editor;
    try {
      const {labels} = this.editor.scene, busy = outbox.kind === 'saving';
      // The answer to a stroke on its way brings what others did: asking for it here would only have
      // one's own strokes come back, to be taken off and laid on again.
      const since = labels.blocks.size && !busy ? labels.version : NO_VERSION;
      const path = this.#path(since, document.hidden);
      const found = await (await server.get(path, AbortSignal.timeout(LIMIT_MS))).json();
      if (this.failures) outbox.retryNow();
      this.failures = 0;
      if (tile === this.tile && since !== NO_VERSION) this.#take(found);
      else if (tile === this.tile && !busy) this.editor.scene.sawVersion(found.version);
      if (tile === this.tile) this.#show(found.people);
    } catch {
      this.failures += 1;
    } finally {
      this.asking = false;
    }
    const calm = document.hidden ? HIDDEN_MS : VISIBLE_MS;
    if (tile !== this.tile) this.#soon();
    else this.#after(Math.max(calm, this.failures ? BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length) - 1] : 0));
  }

  #take(found) {
    const mine = this.editor.saver.client.id;
    for (const {client_id, person} of found.patches)
      if (client_id !== mine) this.active.set(person, Date.now() + ACTIVE_MS);
    this.editor.saver.receive(found);
  }

  /* The tab goes; the others would notice by themselves a little later. */
  #leave() {
    if (this.tile === null) return;
    const {token} = this.editor.server;
    fetch(this.#path(NO_VERSION, true), {keepalive: true, headers: {'X-Cloudbrush-Token': token}}).catch(() => {});
    this.tile = null;
  }

  #show(people) {
    const now = Date.now();
    const entries = people.map(({name, you, tabs}) => ({name, you, tabs, active: (this.active.get(name) ?? 0) > now}));
    const key = JSON.stringify(entries);
    if (key === this.shown) return;
    this.shown = key;
    const more = entries.length - MOST_CHIPS;
    const chips = entries.slice(0, MOST_CHIPS).map(chip);
    if (more > 0) chips.push(h('span', {className: 'person more',
      title: entries.slice(MOST_CHIPS).map(({name}) => name).join(', ')}, `+${more}`));
    this.chips.replaceChildren(...chips);
    this.chips.hidden = chips.length === 0;
  }
}

function chip({name, you, tabs, active}) {
  const who = you ? 'You have this tile open in another tab' : `${name} has this tile open`;
  const text = `${who}${!you && tabs > 1 ? ` in ${tabs} tabs` : ''}${active ? ' and is painting' : ''}`;
  return h('span', {className: `person${you ? ' you' : ''}${active ? ' active' : ''}`, title: text,
    role: 'img', ariaLabel: text, style: `--hue:${hueOf(name)}`}, initials(name));
}

/* "Ada Lovelace" to "AL", "ben" to "B". */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0] ?? '').join('').toUpperCase();
}

/* A colour of one's own: the same on every screen. */
export function hueOf(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}
