/* What the board looks like: cards of patches, and the panel of classes and commands beside them. */

import {h} from '../editor/dom.js';
import {NONE, stateOf} from './labels.js';

const STATES = {saved: 'All saved', saving: 'Saving', offline: 'No connection; kept here and sent again',
  expired: 'Waiting for the page', conflict: 'Asks you', unasked: 'Asks you'};

const SHOWN = {escape: 'Esc', pageup: 'PgUp', pagedown: 'PgDn'};

const swatch = (colour) => {
  const square = h('span', {className: 'swatch'});
  square.style.background = colour;
  return square;
};

export class Card {
  constructor(patch, data, {press}) {
    this.classes = new Map(data.classes.map((entry) => [entry.code, entry]));
    this.chips = h('span', {className: 'chips'});
    this.badge = h('span', {className: 'badge', hidden: true});
    const pictures = patch.images.map(({src, title}) => {
      const image = h('img', {src, title, alt: title, loading: 'lazy', draggable: false});
      image.onerror = () => image.replaceWith(h('span', {className: 'missing'}, 'no picture'));
      return image;
    });
    this.element = h('div', {className: 'card', id: `patch-${patch.id}`, role: 'option', title:
      `${patch.name}, ${patch.region}, ${patch.splitName}`},
    h('span', {className: 'pictures'}, ...pictures), this.chips,
    h('span', {className: 'name'}, patch.name), this.badge);
    this.element.classList.toggle('held', !patch.editable);
    this.element.addEventListener('click', press);
    this.held = patch.editable ? '' : patch.splitName;
    this.draw(patch, false);
  }

  draw(label, isWaiting) {
    const present = label.codes.filter((code) => code !== NONE);
    this.chips.replaceChildren(...(present.length ? present.map((code) => this.#chip(code))
      : [h('span', {className: 'chip none'}, 'No class')]));
    const state = stateOf(label);
    this.badge.textContent = [this.held, state].filter(Boolean).join(', ');
    this.badge.hidden = !this.badge.textContent;
    this.badge.dataset.state = state;
    this.element.classList.toggle('waiting', isWaiting);
  }

  #chip(code) {
    const {name, colour} = this.classes.get(code) ?? {name: `code ${code}`, colour: '#888'};
    return h('span', {className: 'chip', title: name}, swatch(colour), h('span', {}, name));
  }

  mark(isHere, isSelected) {
    this.element.classList.toggle('here', isHere);
    this.element.classList.toggle('selected', isSelected);
    this.element.setAttribute('aria-selected', String(isHere || isSelected));
  }
}

export class Side {
  constructor(parent, board) {
    this.board = board;
    this.grid = h('div', {className: 'grid', role: 'listbox', tabIndex: 0, 'aria-label': 'Patches',
      'aria-multiselectable': 'true'});
    this.panel = h('div', {className: 'panel'});
    this.root = h('div', {className: 'patches'}, this.grid, this.panel);
    parent.append(this.root);
    this.question = null;
  }

  remove() {
    this.root.remove();
  }

  columns() {
    return getComputedStyle(this.grid).gridTemplateColumns.split(' ').length;
  }

  build({classes, commands, wide}) {
    this.grid.replaceChildren();
    this.grid.classList.toggle('wide', wide);
    this.place = h('p', {className: 'place'});
    this.saving = h('p', {className: 'state', role: 'status'});
    this.message = h('div', {className: 'message', role: 'status', 'aria-live': 'polite'});
    this.buttons = new Map(classes.map((entry) => [entry.code, this.#button(entry)]));
    this.panel.replaceChildren(this.place, this.saving, this.message,
      h('div', {className: 'commands'}, ...commands.map((command) => this.#command(command))),
      h('div', {className: 'classes'}, ...this.buttons.values()));
  }

  #button({code, name, colour, key}) {
    const button = h('button', {type: 'button', className: 'class', title: key ? `Key ${key.toUpperCase()}` : name},
      h('kbd', {}, key.toUpperCase()), swatch(colour), h('span', {}, name));
    button.onclick = () => this.#pressed(button, () => this.board.setClass(code));
    return button;
  }

  #command({name, label, keys, help}) {
    const button = h('button', {type: 'button', className: 'command', title: help},
      h('kbd', {}, SHOWN[keys[0]] ?? keys[0].toUpperCase()), h('span', {}, label));
    button.onclick = () => this.#pressed(button, () => this.board.run(name));
    return button;
  }

  /* A click leaves no focus behind: the keys stay with the patches. */
  #pressed(button, run) {
    run();
    button.blur();
  }

  showCursor(patch, at = this.at, selected = this.selectedCount) {
    Object.assign(this, {at, selectedCount: selected});
    for (const [code, button] of this.buttons ?? []) {
      button.setAttribute('aria-pressed', String(patch?.label.codes.includes(code) ?? false));
    }
    const {first = 0, total = 0} = this.board.data;
    if (patch) this.grid.setAttribute('aria-activedescendant', `patch-${patch.id}`);
    this.place.replaceChildren(h('b', {}, patch?.name ?? 'No patch'),
      patch ? ` ${first + at + 1} of ${total.toLocaleString('en')}` : '',
      selected ? `, ${selected} selected` : '');
  }

  state(kind, waiting) {
    if (!this.saving) return;
    this.saving.textContent = waiting && kind !== 'saved' ? `${STATES[kind] ?? kind} (${waiting})` : STATES.saved;
    this.saving.dataset.kind = waiting ? kind : 'saved';
  }

  say(text, isWarning = false) {
    if (this.question) return;
    this.message.textContent = text;
    this.message.classList.toggle('warning', isWarning);
  }

  /* A promise of "mine" or "theirs". */
  ask(patch, person) {
    return new Promise((resolve) => {
      const settle = (choice) => {
        this.question = null;
        this.say('');
        resolve(choice);
      };
      const choice = (letter, label, what) => {
        const button = h('button', {type: 'button', className: 'command'}, h('kbd', {}, letter), h('span', {}, label));
        button.onclick = () => settle(what);
        return button;
      };
      this.message.classList.add('warning');
      this.message.replaceChildren(`${person} has changed ${patch} meanwhile. `,
        choice('K', 'Keep mine', 'mine'), choice('T', 'Take theirs', 'theirs'));
      this.question = {k: () => settle('mine'), t: () => settle('theirs')};
    });
  }

  /* Whether the key answers an open question. */
  answer(key) {
    const settle = this.question?.[key];
    settle?.();
    return settle !== undefined;
  }
}
