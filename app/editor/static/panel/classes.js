/* The class list: one to paint with, its key, its share of the tile, and while recoding the classes that
may be painted over. */

import {command, tooltip} from '../commands.js';
import {h} from '../dom.js';
import {swatch} from '../class_patterns.js';
import {button, rove} from './controls.js';

export class ClassList {
  /* `onCommand(id, value)` as the panel has it, `onSource(code)` for the toggles of recoding. */
  constructor({onCommand, onSource}) {
    Object.assign(this, {onCommand, onSource});
    this.rows = new Map();
    this.list = h('div', {className: 'classes', role: 'radiogroup', ariaLabel: 'Class to paint'});
    this.roving = rove(this.list, '.class');
    this.element = h('section', {className: 'palette', ariaLabel: 'Classes'},
      h('div', {className: 'head'}, h('h2', {}, 'Classes'), button('swap')), this.list);
  }

  /* The classes of a tile, void last. */
  fill(classes) {
    this.rows.clear();
    this.list.replaceChildren(...classes.map((entry, i) => this.#row(entry, i)));
    this.showKeys();
  }

  #row(entry, i) {
    const {code, name, isVoid} = entry, id = isVoid ? 'void' : `class-${i + 1}`;
    const share = h('span', {className: 'share'}), key = h('kbd'), known = command(id);
    const face = h('span', {className: 'face'}, swatch(entry, false));
    const row = h('button', {type: 'button', className: 'class', role: 'radio', ariaChecked: 'false',
      tabIndex: i ? -1 : 0, data: known ? {command: id} : {}},
    key, face, h('span', {className: 'class-name'}, name), share);
    if (!known) row.addEventListener('click', () => this.onCommand('class-code', code));
    const from = h('button', {type: 'button', className: 'from', ariaPressed: 'false', hidden: true,
      ariaLabel: `Recode from ${name}`, title: `Recode pixels of ${name}`}, 'from');
    from.addEventListener('click', () => {
      from.blur();
      this.onSource(code);
    });
    this.rows.set(code, {row, share, key, face, from, entry, known});
    return h('div', {className: 'class-row'}, row, from);
  }

  /* The keys of now, in the list and in its tooltips. */
  showKeys() {
    for (const {row, key, entry, known} of this.rows.values()) {
      key.textContent = known?.keys[0]?.replace('Shift+', '⇧') ?? '';
      const [title] = known ? tooltip({...known, label: entry.name}).split('\n') : [entry.name];
      row.title = entry.isClear ? `${title}\nDrawn clear, so that the image shows` : title;
    }
  }

  showShares(counts, total) {
    for (const [code, {share}] of this.rows) {
      const text = total ? percent(counts[code] / total) : '';
      if (share.textContent !== text) share.textContent = text;
    }
  }

  /* Mark the class in hand and the one under the cursor; `recode` is {on, from: [codes]}. */
  show({classCode, hoverCode, recode = {on: false, from: []}, classPatterns = false}) {
    const patterned = this.patterned !== classPatterns;
    this.showHover(hoverCode);
    this.patterned = classPatterns;
    this.list.classList.toggle('recoding', recode.on);
    for (const [code, {row, from, face, entry}] of this.rows) {
      const chosen = code === classCode;
      row.ariaChecked = String(chosen);
      row.classList.toggle('chosen', chosen);
      from.hidden = !recode.on;
      from.ariaPressed = String(recode.from.includes(code));
      if (patterned || face.dataset.drawn !== String(classPatterns)) {
        face.replaceChildren(swatch(entry, classPatterns));
        face.dataset.drawn = String(classPatterns);
      }
      if (chosen && !this.list.matches(':focus-within')) this.roving.stop(row);
    }
  }

  /* Mark the class under the cursor: two rows change, however often that is called. */
  showHover(code) {
    this.rows.get(this.hovered)?.row.classList.remove('hovered');
    this.rows.get(code)?.row.classList.add('hovered');
    this.hovered = code;
  }

  nameOf(code) {
    return this.rows.get(code)?.entry.name ?? `class ${code}`;
  }
}

/* A share with two significant digits; what is there never reads as 0. */
export function percent(share) {
  const value = 100 * share;
  if (value === 0) return '–';
  if (value < 0.1) return '<0.1 %';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
