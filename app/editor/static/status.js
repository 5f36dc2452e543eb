/* The state line: whether everything is saved, what waits and for what, or why the tile is read-only. */

import {asideFile, asideWords} from './aside.js';
import {saveFile} from './dom.js';

const QUIET_SAVE_MS = 500;

export class Status {
  constructor({panel, outbox, withdraw}) {
    Object.assign(this, {panel, outbox, withdraw});
    this.slowSave = false;
    this.waitsFor = null;
    panel.state.addEventListener('click', () => this.#explain());
  }

  /* Show the state of the open tile. */
  show({version, readonly}) {
    Object.assign(this, {version, readonly});
    this.panel.showState(readonly ? this.#readonlyLine() : this.#line());
    const {kind} = this.outbox;
    // Saving takes some 20 ms; a line that changed twice per stroke would only flicker.
    clearTimeout(this.timer);
    if (kind === 'saving' && !this.slowSave)
      this.timer = setTimeout(() => {
        this.slowSave = true;
        this.show(this);
      }, QUIET_SAVE_MS);
    if (kind === 'saved') this.slowSave = false;
  }

  /* Say what is being waited for, until it is (null) over. */
  wait(words) {
    this.waitsFor = words;
    this.show(this);
  }

  #line() {
    if (this.waitsFor) return {kind: 'saved', text: this.waitsFor};
    const {kind} = this.outbox, waiting = strokes(this.outbox.entries.length);
    const saved = `saved, version ${this.version}`;
    if (kind === 'offline' && this.outbox.stuck) return {kind: 'offline', text: `the server fails on a stroke, ${waiting} waiting`,
      detail: `${this.#kept} They are tried again. Click to set the one that fails aside.`};
    if (kind === 'offline') return {kind: 'offline', text: `offline, ${waiting} waiting`,
      detail: `${this.#kept} They are sent when the server is back.`};
    if (kind === 'expired') return {kind: 'offline', text: `renewing access, ${waiting} waiting`,
      detail: `${this.#kept} They are sent when access has been renewed.`};
    if (kind === 'conflict') return {kind: 'offline', text: `your choice is needed, ${waiting} waiting`};
    if (kind === 'saving' && this.slowSave) return {kind: 'saved', text: `saving, ${waiting} waiting`};
    const parked = this.outbox.parked();
    if (parked.length) return {kind: 'parked', text: `${saved}; ${parkedText(parked)}`,
      detail: this.#parkedDetail(parked)};
    return {kind: 'saved', text: saved, detail: 'Every stroke is on the server’s disk.'};
  }

  get #kept() {
    return this.outbox.storage.works ? 'The strokes are kept in this browser, also over a reload.'
      : 'The strokes are held in this page alone, as the browser keeps no data: leave it open.';
  }

  #parkedDetail(parked) {
    return `${parkedText(parked)}. ${this.#kept} ` +
      'Open a tile there that may be edited: what waits for its project is then sent.';
  }

  #readonlyLine() {
    const {what, why} = this.readonly, parked = this.outbox.parked();
    const line = {kind: 'readonly', text: `read-only: ${what}`, detail: why};
    if (!parked.length) return line;
    return {...line, text: `${line.text}; ${parkedText(parked)}`, detail: `${why} ${this.#parkedDetail(parked)}`};
  }

  #explain() {
    if (!this.readonly && this.outbox.stuck) return this.#askAside();
    if (this.readonly) this.panel.say(`Read-only: ${this.readonly.what}. ${this.panel.state.title}`);
    else if (this.panel.state.title) this.panel.say(this.panel.state.title);
    this.outbox.retryNow();
  }

  /* The server fails on the same stroke again and again, and the others wait behind it. */
  sayStuck() {
    this.panel.say('The server fails on a stroke, and what was painted after it waits.',
      {kind: 'warning', sticky: true, action: {label: 'What now?', run: () => this.#askAside()}});
  }

  /* Let the person set the stroke aside: it is kept as a file, and the others are sent. */
  async #askAside() {
    const {outbox, panel} = this, entry = outbox.stuck;
    if (!entry) return;
    const choice = await panel.ask('The server fails on a stroke', asideWords(entry, outbox.entries.length - 1),
      [{value: 'wait', label: 'Keep trying', primary: true},
        {value: 'aside', label: 'Set it aside', help: 'Save the stroke as a file and send the others'}]);
    if (choice !== 'aside' || outbox.stuck !== entry) return;
    saveFile(`stroke-${entry.client_id.slice(0, 8)}-${entry.seq}.json`, asideFile(entry));
    outbox.setAside(entry);
    this.withdraw(entry);
    panel.say('The stroke was set aside and saved as a file; the others are being sent.');
  }
}

const strokes = (n) => `${n} stroke${n === 1 ? '' : 's'}`;

const projectsOf = (parked) => [...new Set(parked.map(({project}) => project))].join(', ');

function parkedText(parked) {
  return `${strokes(parked.length)} waiting for ${projectsOf(parked)}`;
}
