/* The key sheet: every command with its keys of now, to be read, searched, and run with a click. */

import {COMMANDS, command, keyOf} from '../commands.js';
import {h} from '../dom.js';
import {button} from './controls.js';

const FOOT = 'A click runs the command. Search shows what each one does. Keys do nothing while you type in a field.';
const CLASS_ROWS = /^class-([2-9]|1\d)$/;

export class KeySheet {
  constructor(modals) {
    this.modals = modals;
    this.search = h('input', {type: 'search', className: 'search', placeholder: 'Search', autocomplete: 'off',
      ariaLabel: 'Search the commands'});
    this.search.addEventListener('input', () => this.#filter());
    this.groups = h('div', {className: 'columns'});
    this.empty = h('p', {className: 'muted', hidden: true, role: 'status'}, 'No command matches.');
    this.element = h('div', {className: 'window sheet', hidden: true, role: 'dialog', ariaLabel: 'Keys', tabIndex: -1},
      h('div', {className: 'head'}, h('h2', {}, 'Keys'), this.search,
        command('remap') ? button('remap', {text: 'Change keys', className: 'text'}) : null,
        button('cancel', {text: 'Close', className: 'text'})),
      h('div', {className: 'scroll'}, this.groups, this.empty), (this.foot = h('p', {className: 'foot'}, FOOT)));
    for (const name of ['pointerover', 'focusin'])
      this.groups.addEventListener(name, ({target}) => this.#explain(target.closest('.key-row')));
    this.groups.addEventListener('pointerleave', () => this.#explain(null));
    this.showKeys();
  }

  /* What the command under the cursor does, in the line below; without one how the sheet is used. */
  #explain(line) {
    const help = line && command(line.dataset.help).help;
    this.foot.textContent = help ?? FOOT;
  }

  /* Write the rows with the keys of now. */
  showKeys() {
    const names = [...new Set(COMMANDS.map(({group}) => group))];
    this.groups.replaceChildren(...names.map((name) => h('section', {}, h('h3', {}, name),
      ...COMMANDS.filter(({group, id}) => group === name && !CLASS_ROWS.test(id)).map(row))));
    this.#filter();
  }

  toggle() {
    if (!this.element.hidden) return this.close();
    this.search.value = '';
    this.#filter();
    this.modals.open(this.element, {focus: this.search, onClose: () => this.close(),
      onKey: (event) => this.#key(event)});
  }

  close() {
    this.modals.close(this.element);
  }

  /* The key that opened the sheet closes it, unless it is being typed. */
  #key(event) {
    if (command('help').keys.includes(keyOf(event)) && !this.search.value) {
      this.close();
      return true;
    }
    return false;
  }

  #filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    this.element.classList.toggle('searching', words.length > 0);
    for (const section of this.groups.children) {
      let here = 0;
      for (const line of section.querySelectorAll('.key-row')) {
        const text = line.textContent.toLowerCase();
        line.hidden = !words.every((word) => text.includes(word));
        here += line.hidden ? 0 : 1;
      }
      section.hidden = here === 0;
      shown += here;
    }
    this.empty.hidden = shown > 0;
  }
}

function row(entry) {
  const first = entry.id === 'class-1';
  const keys = first ? keyCaps(['1', 'Shift+9'], [' … ']) : keyCaps(entry.keys);
  const help = first ? 'Paint with that class of the list; the list shows each key.' : entry.help;
  const content = [h('b', {}, first ? 'Class 1 to 19' : entry.label), h('span', {className: 'keys'}, ...keys),
    h('span', {className: 'what'}, help)];
  if (first) return h('div', {className: 'key-row', title: help, data: {help: entry.id}}, ...content);
  return h('button', {type: 'button', className: 'key-row', title: help, data: {help: entry.id, run: entry.id}}, ...content);
}

export function keyCaps(keys, joins = []) {
  if (!keys.length) return [h('span', {className: 'no-key'}, 'no key')];
  return keys.flatMap((key, i) => [i ? (joins[i - 1] ?? ' or ') : null, h('kbd', {}, key)]).filter(Boolean);
}
