/* The board of patches: cursor, selection, keys, and strokes on their way. A patch shows what is saved
with what waits laid over it, so that a key is seen at once and a reload loses nothing. */

import {Card, Side} from './draw.js';
import {changed, same, strokeOf, told, wishOf} from './labels.js';
import {Past} from './past.js';

const MOVES = {ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (columns) => -columns,
  ArrowDown: (columns) => columns};

export class Board {
  constructor(parent, {outbox, client, page}) {
    Object.assign(this, {outbox, client, page});
    this.patches = [];
    this.byTile = new Map();
    this.side = new Side(parent, this);
    this.abort = new AbortController();
    // Capturing on the window: the page's own shortcuts must not see keys that are ours.
    addEventListener('keydown', (event) => this.#key(event),
      {capture: true, signal: this.abort.signal});
    outbox.listener = this;
  }

  destroy() {
    this.abort.abort();
    if (this.outbox.listener === this) this.outbox.listener = null;
    this.side.remove();
  }

  /* Show what the page hands over. The same page again (a new token) keeps cursor and labels. */
  show(data) {
    const again = this.data?.pageKey === data.pageKey;
    this.data = data;
    if (again) return;
    this.past = new Past(`${data.project}.${data.person}`);
    this.patches = data.patches.map((patch) => ({...patch, label: patch, card: null, saved: patch}));
    this.byTile = new Map(this.patches.map((patch) => [patch.id, patch]));
    this.cursor = Math.max(0, Math.min(data.start, this.patches.length - 1));
    this.selected = new Set();
    this.keys = new Map(data.classes.filter(({key}) => key).map(({key, code}) => [key, code]));
    this.side.build(data);
    for (const patch of this.patches) {
      patch.card = new Card(patch, data, {
        press: (event) => this.#press(this.patches.indexOf(patch), event)});
      this.side.grid.append(patch.card.element);
    }
    for (const entry of this.outbox.entries) this.#relay(this.byTile.get(entry.tile));
    this.#mark();
    this.onState();
  }

  /* A class key: the class of the patch under the cursor, or of every selected one. */
  setClass(code) {
    const first = this.#chosen()[0];
    if (!first) return;
    // One key turns a class on or off for all that are selected, by the first of them.
    const wish = wishOf(first.label, code);
    this.#do(wish);
  }

  run(name) {
    const commands = {
      verify: () => this.#do({effect: 'verify', cell: null}),
      unsure: () => this.#do({effect: 'unsure', cell: null}),
      revert: () => this.#do({effect: 'revert', cell: null}),
      undo: () => this.#reverse('undo'), redo: () => this.#reverse('redo'),
      all: () => this.#select(this.patches.map((_, i) => i)),
      none: () => this.#select([]),
      next: () => this.#turn(1), previous: () => this.#turn(-1),
    };
    commands[name]();
  }

  #chosen() {
    const chosen = this.selected.size ? [...this.selected].map((i) => this.patches[i])
      : [this.patches[this.cursor]].filter(Boolean);
    const open = chosen.filter(({editable}) => editable);
    if (chosen.length && !open.length) this.side.say('These patches are kept for scoring: their labels stay as they came.');
    return open;
  }

  #do(wish) {
    const strokes = [];
    for (const patch of this.#chosen()) {
      if (same(patch.label, changed(patch.label, wish))) continue;
      strokes.push(this.#send(patch, strokeOf(patch, wish), wish));
    }
    if (!strokes.length) return;
    this.past.add(strokes);
    this.side.say('');
  }

  #reverse(tool) {
    const entry = this.past.take(tool);
    if (!entry) return this.side.say(`Nothing to ${tool}.`);
    for (const {tile, client_id, seq} of entry) {
      this.#send(this.byTile.get(tile) ?? {id: tile, saved: {version: 0}}, {tool, reverses: {client_id, seq}}, null);
    }
    const here = entry.map(({tile}) => this.patches.indexOf(this.byTile.get(tile))).filter((i) => i >= 0);
    if (here.length) this.#move(here[0]);
    this.side.say(here.length ? '' : `${tool === 'undo' ? 'Undone' : 'Done again'} on another page.`);
  }

  /* Queue a stroke; it leaves at once. */
  #send(patch, stroke, wish) {
    const name = {tile: patch.id, client_id: this.client.id, seq: this.client.next()};
    const now = Date.now();
    const body = {...stroke, client_id: name.client_id, seq: name.seq, started_at: now, ended_at: now,
      base_version: patch.saved.version, panes_shown: ['patches']};
    this.outbox.add({...name, project: this.data.project, path: `/tile/${patch.id}/edits`, body});
    if (wish !== null) this.#relay(patch);
    return name;
  }

  /* Draw a patch again: what is saved, and what waits on top. */
  #relay(patch) {
    if (!patch?.card) return;
    const waiting = this.outbox.waiting(patch.id);
    patch.label = waiting.reduce((label, {body}) => (body.tool === 'patch' ? changed(label, wishIn(body)) : label),
      patch.saved);
    patch.card.draw(patch.label, waiting.length > 0);
    if (this.patches[this.cursor] === patch) this.side.showCursor(patch);
  }

  // What the queue calls.

  onState() {
    this.side.state(this.outbox.kind, this.outbox.entries.length);
  }

  knownFor() {
    return 0;
  }

  onSaved(entry, reply) {
    const patch = this.byTile.get(entry.tile);
    this.onState();
    if (!patch) return;
    let label = patch.saved;
    for (const edit of reply.others) if (edit.version > patch.saved.version) label = told(label, edit);
    if (reply.patch) label = told(label, reply.patch);
    else if (entry.body.tool === 'patch' && reply.status !== 'unchanged') label = changed(label, wishIn(entry.body));
    patch.saved = {...label, version: reply.version};
    if (reply.left_px) this.side.say('Somebody else has changed this patch since; theirs stays.');
    this.#relay(patch);
  }

  onRefused(entry, message) {
    if (message) this.side.say(message, true);
    this.onState();
    this.#relay(this.byTile.get(entry.tile));
  }

  async onConflict(entry, reply) {
    const patch = this.byTile.get(entry.tile);
    const choice = await this.side.ask(patch?.name ?? 'a patch', reply.theirs.at(-1)?.person ?? 'Somebody');
    if (patch) {
      const label = reply.theirs.reduce(told, patch.saved);
      patch.saved = {...label, version: reply.version};
    }
    if (choice === 'mine') entry.body = {...entry.body, base_version: reply.version};
    return choice;
  }

  // Cursor and selection.

  #press(i, event) {
    if (event.ctrlKey || event.metaKey) this.#toggle(i);
    else if (event.shiftKey) this.#extend(i);
    else this.#select([]);
    this.#move(i);
  }

  #toggle(i) {
    const selected = new Set(this.selected);
    if (!selected.delete(i)) selected.add(i);
    this.#select(selected);
  }

  /* Everything from where the selection began to i. */
  #extend(i) {
    this.anchor ??= this.cursor;
    const [low, high] = [Math.min(this.anchor, i), Math.max(this.anchor, i)];
    this.#select(Array.from({length: high - low + 1}, (_, step) => low + step), true);
  }

  #select(indices, keepAnchor = false) {
    this.selected = new Set(indices);
    if (!keepAnchor) this.anchor = null;
    this.#mark();
  }

  #move(to) {
    this.cursor = Math.max(0, Math.min(this.patches.length - 1, to));
    this.#mark();
    this.patches[this.cursor]?.card.element.scrollIntoView({block: 'nearest'});
  }

  #mark() {
    this.patches.forEach(({card}, i) => card.mark(i === this.cursor, this.selected.has(i)));
    this.side.showCursor(this.patches[this.cursor] ?? null, this.cursor, this.selected.size);
  }

  #turn(step) {
    const page = this.data.page + step;
    if (page < 0 || page >= this.data.pages) return this.side.say(step > 0 ? 'This is the last page.' : 'This is the first page.');
    this.page('page', {page, atEnd: false});
  }

  #key(event) {
    if (event.isComposing || isTyping(event) || event.altKey) return;
    const isOurs = this.#pressed(event);
    if (isOurs) event.preventDefault();
    // C clears the page's caches in Streamlit: too near to keys of classes.
    const isStreamlits = /^[rc]$/i.test(event.key) && !event.ctrlKey && !event.metaKey;
    if (isOurs || isStreamlits) event.stopPropagation();
  }

  /* Whether the key was ours. */
  #pressed(event) {
    const {key} = event, held = event.ctrlKey || event.metaKey, low = key.toLowerCase();
    if (this.side.answer(low)) return true;
    if (held && low === 'a') return this.run('all'), true;
    if (held && low === 'z') return this.run(event.shiftKey ? 'redo' : 'undo'), true;
    if (held) return false;
    if (MOVES[key]) {
      const to = this.cursor + MOVES[key](this.side.columns());
      if (to < 0 || to >= this.patches.length) return this.#over(key, to), true;
      if (event.shiftKey) this.#extend(to);
      else if (this.selected.size) this.#select([]);
      this.#move(to);
      return true;
    }
    const command = this.data.commands.find(({keys}) => keys.includes(event.shiftKey ? `Shift+${low}` : low));
    if (command) return event.repeat || this.run(command.name), true;
    if (!event.shiftKey && this.keys.has(low)) return event.repeat || this.setClass(this.keys.get(low)), true;
    return false;
  }

  /* Left of the first and right of the last patch lie the pages before and after. */
  #over(key, to) {
    const step = to < 0 ? -1 : 1, page = this.data.page + step;
    if (page < 0 || page >= this.data.pages || key === 'ArrowUp' || key === 'ArrowDown') return;
    this.page('page', {page, atEnd: step < 0});
  }
}

/* The wish in a stroke on its way, also one of before a reload. */
function wishIn({effect, to_class: toClass, box}) {
  return {effect, toClass, cell: effect === 'class' && box[3] === 1 && box[2] === 1 ? box[1] : null};
}

function isTyping(event) {
  const field = event.composedPath()[0];
  if (!(field instanceof Element)) return false;
  if (field.isContentEditable) return true;
  if (field.matches('button') && /^(Enter| )$/.test(event.key)) return true;
  return field.matches('textarea, select, input:not([type=range], [type=checkbox], [type=radio], [type=button])');
}
