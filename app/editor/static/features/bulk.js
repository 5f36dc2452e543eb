/* Commands on many pixels: a quiet strip under the panes with the command, what it would change, and the
line of what it did. Nothing is changed before it was shown; one undo takes all of it back. */

import {h} from '../dom.js';
import {decodeRuns} from '../runs.js';
import {RefusedError} from '../server.js';
import {BulkForm} from './bulk_form.js';
import {askLines} from './bulk_lines.js';

const DONE = {recode: 'Recoded', islands: 'Removed islands:', holes: 'Filled holes:', accept: 'Accepted'};
const POLL_MS = 60;
const MOST_ROWS = 100;
const UNDO_LIMIT_MS = 120000;

export class Bulk {
  static id = 'bulk';

  constructor(editor) {
    Object.assign(this, {editor, found: null, running: null, tile: null});
    this.form = new BulkForm(editor, () => this.#drop());
    this.look = this.#button('Preview', () => this.#preview(), 'primary');
    this.apply = this.#button('Apply', () => this.#apply(), 'primary');
    this.forget = this.#button('Drop', () => this.#drop());
    this.stop = this.#button('Cancel', () => this.running?.abort());
    this.bar = h('progress', {max: 1, value: 0, ariaLabel: 'Progress'});
    this.words = h('p', {className: 'bulk-words', role: 'status'});
    this.table = h('div', {className: 'bulk-table', tabIndex: 0, role: 'group', ariaLabel: 'Changes by class'});
    this.element = h('section', {className: 'bulk', hidden: true, ariaLabel: 'Commands on many pixels'}, this.form.element,
      h('div', {className: 'bulk-result'}, h('div', {className: 'row'}, this.look, this.apply, this.forget, this.bar,
        this.stop, h('span', {className: 'stretch'}), this.#button('Close', () => this.toggle())),
        this.form.help, this.form.limits, this.words, this.table));
    this.element.addEventListener('keydown', (event) => event.key === 'Escape' && this.#close());
    editor.panel.dock.append(this.element);
    this.#show();
  }

  get isOpen() {
    return !this.element.hidden;
  }

  toggle() {
    if (this.isOpen) return this.#close();
    this.element.hidden = false;
    // Its hatching would mix with that of the command.
    this.editor.features.suggest.drop();
    this.form.open(this.editor.manifest);
    this.form.kind.focus();
    this.editor.showSettings();
  }

  open(scene, manifest) {
    if (this.tile !== scene.tile.id) {
      this.tile = scene.tile.id;
      this.running?.abort();
      this.#drop();
      this.#say('');
    }
    if (manifest.readonly) this.element.hidden = true;
    if (this.isOpen) this.form.open(manifest);
  }

  cancel() {
    if (!this.isOpen || this.running) return false;
    this.#close();
    return true;
  }

  destroy() {
    this.running?.abort();
  }

  #close() {
    this.#drop();
    this.element.hidden = true;
    this.editor.showSettings();
    this.editor.panel.element.focus();
  }

  // ---- looking

  async #preview() {
    this.#drop();
    const body = this.form.read();
    if (body.missing) return this.#say(body.missing);
    const found = await this.#run('bulk/preview', body);
    if (!found) return;
    this.found = {...found.preview, body};
    const {pixels, regions, tiles} = found.preview, sure = body.scope === 'project';
    this.#say(pixels === 0 ? `Nothing to change${skippedWords(found.preview)}`
      : `${count(pixels)} px in ${some(regions, 'region')}${sure ? ` of ${some(tiles, 'tile')}` : ''}${area(found.preview.area_m2)}`
        + skippedWords(found.preview));
    this.#list(found.preview.changes);
    if (found.preview.masks) this.#hatch(byClass(found.preview.masks));
    else if (!sure && pixels) this.words.append(' Too many small pieces to draw.');
    this.#show();
  }

  /* Draw what would change in the colour of what it becomes. */
  #hatch(masks) {
    const {classes} = this.editor.manifest, colours = new Map(classes.map(({code, colour}) => [code, colour || '#ffffff']));
    this.editor.preview.set('bulk', masks.map(([code, mask]) =>
      ({mask, colour: colours.get(code) ?? '#ffffff', style: 'hatch'})));
  }

  #list(changes) {
    const name = (code) => this.editor.manifest.classes.find((entry) => entry.code === code)?.name ?? `class ${code}`;
    const row = (cells, tag = 'td') => h('tr', {}, ...cells.map((text) => h(tag, {}, text)));
    const sized = changes.some(({area_m2: size}) => size !== null);
    const body = changes.slice(0, MOST_ROWS).map(({from, to, pixels, area_m2: size}) =>
      row([name(from), name(to), count(pixels), ...(sized ? [area(size).slice(2)] : [])]));
    const head = ['From', 'To', 'Pixels', ...(sized ? ['Area'] : [])];
    this.table.replaceChildren(...(changes.length ? [h('table', {}, h('thead', {}, row(head, 'th')),
      h('tbody', {}, ...body))] : []));
  }

  // ---- doing

  async #apply() {
    const {editor, found} = this, {saver, display, scene} = editor;
    if (!found) return;
    // The name stays when it is tried again: the server goes on where it was.
    const name = (found.name ??= {client_id: saver.client.id, seq: saver.client.next()});
    const done = await this.#run('bulk', () => ({...found.body, ...name, base_version: scene.labels.version,
      started_at: Date.now(), panes_shown: display.panesShown()}));
    if (!this.cancelled && !done) return;
    this.#drop();
    if (scene === editor.scene) await this.#takeOver(name, done?.applied ?? null);
    if (done) this.#report(found.body, name, done.applied);
    else this.#say('Stopped: tiles that were done stay done. ', this.#undoButton(name, null));
  }

  /* Show what was saved, and let undo know of it. */
  async #takeOver({client_id, seq}, applied) {
    const {saver} = this.editor;
    if (applied === null || (applied.version !== null && applied.status !== 'unchanged')) saver.history.push(client_id, seq, null);
    await saver.catchUp().catch(() => {});
    saver.onState();
  }

  #report(body, name, applied) {
    const {pixels, tiles} = applied, where = body.scope === 'project' ? ` in ${some(tiles, 'tile')}` : '';
    const text = `${DONE[body.kind]} ${count(pixels)} px${where}.${skippedWords(applied, ' ')} `;
    this.#say(text, ...(pixels ? [this.#undoButton(name, applied)] : []));
  }

  /* Stays until the command is taken back. */
  #undoButton(name, applied) {
    // One name for all tries: the server takes a command back once.
    const undo = {client_id: this.editor.saver.client.id, seq: null};
    const button = this.#button('Undo', async () => {
      button.disabled = true;
      const why = await this.#undo(name, applied, undo);
      button.disabled = false;
      if (why === null) this.#say('Taken back.');
      else this.#say(`${why} `, button);
    });
    return button;
  }

  /* Take a command back: from this tile where it is a step here, else from one where it is. A promise of
     null, or of the words why not. */
  async #undo(command, applied, undo) {
    const {editor} = this, {history, client} = editor.saver, {client_id, seq} = command;
    const step = history.undoable.find((item) => item.client_id === client_id && item.seq === seq);
    if (step) {
      history.undoable.push(...history.undoable.splice(history.undoable.indexOf(step), 1));
      editor.hand.undo();
      return history.undoable.includes(step) ? 'It was not taken back.' : null;
    }
    if (!applied?.on) return 'Press undo on one of its tiles to take it back.';
    undo.seq ??= client.next();
    const body = {tool: 'undo', ...undo, base_version: 0, reverses: {client_id, seq}};
    const response = await editor.server.stream(`/tile/${applied.on}/edits`, body, AbortSignal.timeout(UNDO_LIMIT_MS))
      .catch(() => null);
    if (!response?.ok) return 'It could not be taken back now; try again, or undo on one of its tiles.';
    await editor.saver.catchUp().catch(() => {});
    return null;
  }

  // ---- running

  /* Ask the server, once every stroke is saved; a promise of the last line, or null with the words said. */
  async #run(route, body) {
    const {editor} = this, running = new AbortController(), {signal} = running, {tile} = this;
    Object.assign(this, {running, cancelled: false});
    this.bar.removeAttribute('value');
    this.#show();
    try {
      await this.#saved(signal);
      return await askLines(editor.server, `/tile/${tile}/${route}`, typeof body === 'function' ? body() : body,
        {signal, onProgress: ({done, of}) => Object.assign(this.bar, {max: of, value: done})});
    } catch (error) {
      this.cancelled = signal.aborted;
      this.#say(signal.aborted ? 'Cancelled.' : error instanceof RefusedError ? error.message
        : 'The server cannot be reached. Nothing was lost: try again when it is back.');
      return null;
    } finally {
      this.running = null;
      this.#show();
    }
  }

  async #saved(signal) {
    const {outbox} = this.editor;
    const waiting = () => outbox.entries.length - outbox.parked().length;
    if (waiting()) this.#say('Waiting until every stroke is saved…');
    while (waiting()) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      signal.throwIfAborted();
    }
  }

  /* Forget what was shown: the command is another one now. */
  #drop() {
    if (this.found) this.#say('');
    this.found = null;
    this.editor.preview.clear('bulk');
    this.table?.replaceChildren();
    this.#show();
  }

  #say(...content) {
    this.words?.replaceChildren(...content);
  }

  #show() {
    if (!this.apply) return;
    const busy = this.running !== null, some = Boolean(this.found?.pixels);
    this.look.disabled = busy;
    this.look.hidden = some && !busy;
    this.apply.hidden = !some || busy;
    this.forget.hidden = !this.found || busy;
    this.bar.hidden = this.stop.hidden = !busy;
  }

  #button(text, run, className = '') {
    const button = h('button', {type: 'button', className: `command text ${className}`.trim()}, text);
    button.addEventListener('click', ({detail}) => {
      if (detail) button.blur();
      run();
    });
    return button;
  }
}

/* Masks as the server tells them, {to, box, mask} for each class, as [code, mask]. */
export const byClass = (told) => told.map(({to, box: [y0, x0, height, w], mask}) =>
  [to, {y0, x0, h: height, w, data: decodeRuns(mask, height * w)}]);

export const count = (number) => number.toLocaleString('en');
const some = (number, word) => `${count(number)} ${word}${number === 1 ? '' : 's'}`;

/* ", 1.23 ha" or nothing. */
export function area(squareMetres) {
  if (squareMetres === null || squareMetres === undefined) return '';
  if (squareMetres < 1000) return `, ${count(Math.round(squareMetres))} m²`;
  return `, ${(squareMetres / 10000).toLocaleString('en', {maximumSignificantDigits: 3})} ha`;
}

function skippedWords({skipped}, before = '; ') {
  if (!skipped.length) return '';
  return `${before}${some(skipped.length, 'tile')} left out: ${skipped[0].why}`;
}
