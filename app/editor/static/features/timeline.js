/* The timeline of a tile under the panes: every edit with who, when and what, and a slider over its
versions. An earlier version is only looked at: nothing can be painted until one is back to now, or
has brought that version back as a new edit. */

import {ago} from '../conflict.js';
import {h} from '../dom.js';
import {icon} from '../icons.js';
import {Past} from './past.js';
import {row} from './timeline_row.js';

const PAGE = 100, NEAR_PX = 400;
const TICK_MS = 160, LONGEST_PLAY_MS = 20000;
const FOLLOW_MS = 1000, AGAIN_MS = 5000;

export class Timeline {
  static id = 'timeline';

  constructor(editor) {
    Object.assign(this, {editor, past: null, scene: null, people: [], person: 0, playing: null});
    this.element = this.#build();
    this.element.hidden = true;
    this.#clear();
    editor.panel.dock.append(this.element);
  }

  // ---- hooks

  open(scene) {
    if (scene === this.scene) return;
    this.#leave();
    this.scene = scene;
    this.person = 0;
    this.#clear();
    if (!this.element.hidden) this.#reload();
  }

  arrived() {
    this.#mark();
  }

  /* Edits come in bursts, one's own and others': the list follows a little later. Who has scrolled down
     reads on: the list is not pulled away. */
  #follow() {
    for (const time of this.list.querySelectorAll('time')) {
      const text = ago(time.dateTime).trim();
      if (time.textContent !== text) time.textContent = text;
    }
    if (this.#newest === this.listed || this.loadingList || performance.now() < this.notBefore) return;
    this.#showState();
    if (this.list.scrollTop === 0) this.#reload();
  }

  cancel() {
    if (this.element.hidden) return false;
    if (this.past === null) this.toggle();
    else this.toNow();
    return true;
  }

  destroy() {
    this.#stop();
    clearInterval(this.following);
    this.element.remove();
  }

  // ---- commands

  toggle() {
    const open = this.element.hidden;
    this.element.hidden = !open;
    for (const button of this.editor.element.querySelectorAll('[data-command="timeline"]'))
      button.ariaPressed = String(open);
    clearInterval(this.following);
    if (!open) return this.#leave();
    this.following = setInterval(() => this.#follow(), FOLLOW_MS);
    this.#reload();
  }

  /* Look at a version; the newest is now. */
  show(version) {
    const wanted = Math.max(0, Math.min(this.#newest, version));
    if (wanted === this.#newest) return this.toNow();
    this.editor.hand.finish();
    this.past ??= new Past(this.editor, this.scene);
    this.past.show(wanted);
    this.editor.past = {what: `version ${wanted} of ${this.#newest}`,
      why: 'You look at an earlier version. Press Escape to come back to now.'};
    this.#showState();
  }

  toNow() {
    this.#leave();
    this.#showState();
  }

  /* Make the version that is looked at the labels of now. */
  restore() {
    const version = this.past?.version ?? null;
    if (version === null || this.editor.manifest.readonly) return;
    this.toNow();
    this.editor.saver.restore(version, this.editor.display.panesShown());
    this.editor.panel.say(`Version ${version} is brought back as a new edit; undo takes it back.`);
  }

  get #newest() {
    return this.scene?.labels.version ?? 0;
  }

  get #at() {
    return this.past?.version ?? this.#newest;
  }

  #leave() {
    this.#stop();
    this.past?.close();
    this.past = null;
    this.editor.past = null;
    this.editor.preview?.clear('timeline');
    this.#mark();
  }

  // ---- playing

  #play() {
    if (this.playing) return this.#stop();
    if (this.#at === this.#newest) this.show(0);
    this.playing = true;
    this.#face();
    this.#tick();
  }

  async #tick() {
    const step = Math.max(1, Math.ceil(this.#newest / (LONGEST_PLAY_MS / TICK_MS)));
    try {
      await this.past?.prefetch(this.#at);
    } catch {
      return this.#stop();
    }
    if (!this.playing || !this.past) return this.#stop();
    this.show(this.#at + step);
    if (!this.past) return this.#stop();
    this.playing = setTimeout(() => this.#tick(), TICK_MS);
  }

  #stop() {
    clearTimeout(this.playing);
    this.playing = null;
    this.#face();
  }

  #face() {
    const name = this.playing ? 'Pause' : 'Play';
    this.playButton.replaceChildren(icon(this.playing ? 'pause' : 'play'));
    Object.assign(this.playButton, {title: `${name} the versions one after the other`, ariaLabel: name});
  }

  // ---- the element

  #build() {
    const act = (label, title, run, content = label) => {
      const button = h('button', {type: 'button', className: 'command', title, ariaLabel: label}, content);
      button.addEventListener('click', run);
      return button;
    };
    this.playButton = act('Play', '', () => this.#play());
    this.slider = h('input', {type: 'range', min: 0, max: 0, step: 1, ariaLabel: 'Version', className: 'versions'});
    this.slider.addEventListener('input', () => {
      this.#stop();
      this.show(Number(this.slider.value));
    });
    this.where = h('output', {className: 'where'});
    this.who = h('select', {ariaLabel: 'Whose edits', title: 'Show the edits of one person'});
    this.who.addEventListener('change', () => {
      this.person = Number(this.who.value);
      this.list.scrollTop = 0;
      this.#clear();
      this.#reload();
    });
    this.restoreButton = act('Restore this version',
      'Bring this version back as a new edit, which undo takes back', () => this.restore());
    this.restoreButton.classList.add('text');
    this.nowButton = act('Back to now', 'Show the labels of now, to paint again (Escape)', () => this.toNow());
    this.nowButton.classList.add('text', 'primary');
    this.note = h('p', {className: 'muted'});
    this.list = h('div', {className: 'edits', role: 'list', ariaLabel: 'Edits, newest first'});
    this.list.addEventListener('scroll', () => this.#scrolled());
    this.list.addEventListener('click', (event) => this.#clicked(event));
    this.#face();
    return h('section', {className: 'timeline', ariaLabel: 'Timeline'},
      h('div', {className: 'controls'}, h('h2', {}, 'Timeline'), this.playButton,
        act('Earlier', 'One version earlier', () => this.show(this.#at - 1), '‹'), this.slider,
        act('Later', 'One version later', () => this.show(this.#at + 1), '›'),
        this.where, this.restoreButton, this.nowButton, h('span', {className: 'stretch'}), this.who,
        act('Close', 'Close the timeline (Shift+H)', () => this.toggle(), icon('close'))),
      this.list);
  }

  #showState() {
    const at = this.#at, newest = this.#newest, past = this.past !== null;
    this.slider.max = String(newest);
    this.slider.value = String(at);
    this.where.textContent = past ? `version ${at} of ${newest}` : `now, version ${newest}`;
    this.slider.ariaValueText = this.where.textContent;
    this.element.classList.toggle('past', past);
    this.restoreButton.disabled = !past || this.editor.manifest?.readonly !== null;
    this.nowButton.disabled = !past;
    for (const entry of this.list.children)
      entry.classList?.toggle('shown', Number(entry.dataset.version) === at);
    this.#mark();
  }

  /* Say on every pane that shows labels that they are not those of now. */
  #mark() {
    const text = this.past === null ? null : `version ${this.past.version} of ${this.#newest} · read-only`;
    for (const {element, follows} of this.editor.view.panes) {
      if (text !== null && follows?.has('label')) element.dataset.past = text;
      else delete element.dataset.past;
    }
  }

  async #reload() {
    const {scene} = this;
    if (!scene || this.element.hidden) return;
    this.loadingList = true;
    await this.#page(null).finally(() => (this.loadingList = false));
    if (scene === this.scene) this.#showState();
  }

  async #page(before) {
    const {scene, person} = this, stale = () => scene !== this.scene || person !== this.person;
    const query = `limit=${PAGE}&person=${person}${before === null ? '' : `&before=${before}`}`;
    let found;
    try {
      found = await scene.server.json(`/tile/${scene.tile.id}/timeline?${query}`);
    } catch (error) {
      return stale() ? undefined : this.#failed(before, error);
    }
    if (stale()) return;
    const rows = found.edits.map((edit) => row(edit, scene.manifest.classes));
    Object.assign(this, {more: found.more, failed: false});
    if (before === null) {
      this.list.replaceChildren(...rows);
      this.list.scrollTop = 0;
      this.listed = found.version;
      if (!rows.length) this.#tell('Nobody has changed this tile yet.');
    } else {
      this.note.remove();
      this.list.append(...rows);
    }
    this.#showPeople(found.people);
  }

  /* Nothing is known of the tile, or of the person, yet. */
  #clear() {
    this.list.replaceChildren();
    Object.assign(this, {listed: null, more: false, failed: false, notBefore: 0});
  }

  /* The newest page is also asked for again by itself, a little later. */
  #failed(before, {message}) {
    const again = h('button', {type: 'button', className: 'command text'}, 'Load again');
    again.addEventListener('click', () => {
      again.disabled = true;
      if (before === null) this.#reload();
      else this.#page(before);
    });
    this.#tell(`The timeline could not be loaded: ${message} `, again);
    if (before !== null) this.failed = true;
    else {
      this.notBefore = performance.now() + AGAIN_MS;
      this.list.prepend(this.note);
    }
  }

  /* The one line of the list that is no edit. */
  #tell(...content) {
    this.note.replaceChildren(...content);
    this.list.append(this.note);
  }

  #showPeople(people) {
    const total = people.reduce((sum, {edits}) => sum + edits, 0);
    const options = [{id: 0, name: 'Everybody', edits: total}, ...people].map(({id, name, edits}) =>
      h('option', {value: String(id)}, `${name} · ${edits}`));
    this.who.replaceChildren(...options);
    this.who.value = String(this.person);
  }

  async #scrolled() {
    const {list} = this;
    if (!this.more || this.failed || this.paging || list.scrollHeight - list.scrollTop - list.clientHeight > NEAR_PX) return;
    this.paging = true;
    const last = [...list.querySelectorAll('[data-version]')].at(-1);
    await this.#page(Number(last.dataset.version));
    this.paging = false;
  }

  #clicked(event) {
    const entry = event.target.closest('[data-version]');
    if (!entry) return;
    const [y0, x0, height, w] = JSON.parse(entry.dataset.box);
    const box = {y0, x0, h: height, w};
    this.#stop();
    this.editor.view.reveal(box);
    this.editor.preview?.set('timeline', [{mask: {...box, data: new Uint8Array(height * w).fill(1)},
      colour: '#ffffff', style: 'outline'}]);
    if (!event.target.closest('[data-go]')) this.show(Number(entry.dataset.version));
  }
}
