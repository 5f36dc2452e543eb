/* The dialog that changes keys: every command by group, searched, a key pressed in place of another.
What is in use is named with a way out, what must stay free is refused with the reason. */

import {COMMANDS, keyOf, keymap} from '../commands.js';
import {h} from '../dom.js';
import {isModifier} from '../keymap.js';
import {read, write} from '../kept.js';

const KEPT = 'cloudbrush.keys';

export class Remap {
  static id = 'remap';

  constructor(editor) {
    this.editor = editor;
    this.waiting = null;
    keymap.load(read(KEPT));
    editor.panel.keysChanged();
    this.#build();
    this.gone = new AbortController();
    // Another tab changed them.
    addEventListener('storage', ({key}) => key === KEPT && this.#reload(), {signal: this.gone.signal});
  }

  destroy() {
    this.gone.abort();
  }

  show() {
    const {panel} = this.editor;
    if (!panel.sheet.hidden) panel.toggleHelp();
    this.search.value = '';
    this.#say('');
    this.#list();
    panel.modals.open(this.element, {focus: this.search, onClose: () => this.close(),
      onKey: (event) => this.#key(event)});
  }

  close() {
    this.#stopWaiting();
    this.editor.panel.modals.close(this.element);
  }

  #build() {
    this.search = h('input', {type: 'search', className: 'search', placeholder: 'Search', autocomplete: 'off',
      ariaLabel: 'Search the commands'});
    this.search.addEventListener('input', () => this.#list());
    this.rows = h('div', {className: 'remap-rows'});
    this.note = h('div', {className: 'remap-note', role: 'status'});
    const all = textButton('Reset all keys', () => this.#resetAll());
    this.all = all;
    this.element = h('div', {className: 'window remap', hidden: true, role: 'dialog', ariaLabel: 'Change keys',
      tabIndex: -1},
    h('div', {className: 'head'}, h('h2', {}, 'Change keys'), this.search, all,
      textButton('Close', () => this.close())),
    h('p', {className: 'foot'}, 'Choose a key, then press another one. They are kept in this browser.'),
    h('div', {className: 'scroll'}, this.rows), this.note);
    this.editor.panel.element.append(this.element);
  }

  /* Write the rows that match the search. */
  #list() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (entry) => {
      const text = [entry.group, this.#nameOf(entry), ...entry.keys].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const sections = [...new Set(COMMANDS.map(({group}) => group))].map((name) => {
      const entries = COMMANDS.filter((entry) => entry.group === name && matches(entry));
      return entries.length ? h('section', {}, h('h3', {}, name), ...entries.map((entry) => this.#row(entry))) : '';
    });
    this.rows.replaceChildren(...sections);
    this.all.disabled = !COMMANDS.some((entry) => keymap.isChanged(entry));
  }

  #nameOf({id, label}) {
    const place = Number(/^class-(\d+)$/.exec(id)?.[1] ?? 0);
    const name = this.editor.manifest?.classes.filter(({isVoid}) => !isVoid)[place - 1]?.name;
    return name ? `${label} · ${name}` : label;
  }

  #row(entry) {
    const name = this.#nameOf(entry), changed = keymap.isChanged(entry), fixed = !keymap.mayChange(entry);
    const caps = entry.keys.map((key) => keyButton(key, `${name}: ${key}, change`, fixed,
      () => this.#wait(entry, key)));
    const add = fixed || entry.keys.length > 3 ? '' : keyButton('+', `${name}: add a key`, false,
      () => this.#wait(entry, null));
    const reset = changed ? textButton('Reset', () => this.#reset(entry), `${name}: reset`) : '';
    return h('div', {className: changed ? 'remap-row changed' : 'remap-row', data: {remap: entry.id}},
      h('span', {className: 'remap-name', title: entry.help}, name),
      h('span', {className: 'remap-keys'}, ...caps, add), reset);
  }

  // ---- a key in place of another

  #wait(entry, instead) {
    this.waiting = {entry, instead};
    const name = this.#nameOf(entry);
    const drop = instead && textButton(`Remove ${instead}`, () => {
      keymap.drop(entry, instead);
      this.#changed(`${instead} is free now.`, entry);
    });
    this.#say(instead ? `Press the key for ${name} in place of ${instead}.` : `Press another key for ${name}.`,
      drop, textButton('Leave it', () => this.#leave()));
    this.#mark();
  }

  #leave() {
    const {entry} = this.waiting ?? {};
    this.#stopWaiting();
    this.#say('');
    if (entry) this.#focusRow(entry);
  }

  #stopWaiting() {
    this.waiting = null;
    this.#mark();
  }

  #mark() {
    const {entry, instead} = this.waiting ?? {};
    for (const row of this.rows.querySelectorAll('.remap-row'))
      for (const cap of row.querySelectorAll('.key')) {
        const key = cap.textContent === '+' && cap.dataset.add !== undefined ? null : cap.textContent;
        cap.classList.toggle('waiting', row.dataset.remap === entry?.id && key === instead);
      }
  }

  /* While a key is awaited, the next one is it. Returns whether it was taken. */
  #key(event) {
    if (!this.waiting) return false;
    const key = keyOf(event);
    if (key === 'Escape') this.#leave();
    // The buttons of the question are reached and pressed as everywhere.
    else if (/Tab$/.test(key) || (onButton(event, this.note) && /^(Enter|Space)$/.test(key))) return false;
    else if (!isModifier(key)) this.#take(key, event.altKey && !event.getModifierState?.('AltGraph'));
    return true;
  }

  #take(key, alt) {
    const {entry, instead} = this.waiting, name = this.#nameOf(entry);
    const leave = textButton('Leave it', () => this.#leave());
    const why = alt ? 'Alt belongs to the menus of the browser and to the brush size.' : keymap.refusal(key);
    if (why) return this.#say(`${why} Press another key.`, leave);
    const holder = keymap.commandOf(key);
    if (!holder || holder === entry) return this.#give(entry, key, instead, `${key} is ${name} now.`);
    if (!keymap.mayChange(holder)) return this.#say(`${key} stays with ${holder.label}. Press another key.`, leave);
    this.#say(`${key} is ${this.#nameOf(holder)}. Press another key, or`,
      textButton('Take it over', () => this.#give(entry, key, instead,
        `${key} is ${name} now; ${this.#nameOf(holder)} ${holder.keys.length > 1 ? 'keeps its other key' : 'has no key'}.`)),
      leave);
  }

  #give(entry, key, instead, text) {
    keymap.give(entry, key, instead);
    this.#changed(text, entry);
  }

  #reset(entry) {
    const losers = keymap.reset(entry).map((other) => this.#nameOf(other));
    this.#changed(`${this.#nameOf(entry)} has its usual keys${losers.length
      ? `; ${losers.join(' and ')} lost them` : ''}.`, entry);
  }

  #resetAll() {
    keymap.resetAll();
    this.#changed('All keys are the usual ones.', null);
    this.search.focus();
  }

  #changed(text, entry) {
    this.waiting = null;
    const kept = write(KEPT, keymap.own);
    this.editor.panel.keysChanged();
    this.#list();
    this.#say(kept ? text : `${text} This browser does not keep it for the next time.`);
    if (entry) this.#focusRow(entry);
  }

  #reload() {
    keymap.load(read(KEPT));
    this.editor.panel.keysChanged();
    if (!this.element.hidden) this.#list();
  }

  #focusRow({id}) {
    const cap = this.rows.querySelector(`[data-remap="${id}"] .key`);
    (cap ?? this.search).focus();
  }

  #say(text, ...buttons) {
    this.note.replaceChildren(h('span', {}, text), ...buttons.filter(Boolean));
    this.note.hidden = !text;
  }
}

function textButton(text, run, label = text) {
  const element = h('button', {type: 'button', className: 'command text', ariaLabel: label}, text);
  element.addEventListener('click', run);
  return element;
}

function keyButton(text, label, fixed, run) {
  const element = h('button', {type: 'button', className: 'key', ariaLabel: label, disabled: fixed}, text);
  if (text === '+' && label.endsWith('add a key')) element.dataset.add = '';
  element.addEventListener('click', run);
  return element;
}

function onButton(event, within) {
  const target = event.composedPath()[0];
  return target instanceof HTMLButtonElement && within.contains(target);
}
