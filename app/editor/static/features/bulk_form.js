/* The form of commands on many pixels: what to do, with which numbers, where. */

import {badgesOf} from '../panel/badges.js';
import {h} from '../dom.js';
import {blurAfterPointer} from '../panel/controls.js';
import {formatRestrict, onlyOf} from '../restrict.js';
import {encodeRuns} from '../runs.js';

// Those that hold for commands on many pixels; verified pixels have a switch of their own there.
const RESTRICTIONS = ['recode', 'where', 'area'];

const KINDS = {recode: 'Recode classes', islands: 'Remove islands', holes: 'Fill holes', accept: 'Accept the model'};
const HELP = {
  recode: 'Every pixel of these classes becomes the other one.',
  islands: 'Regions smaller than this take the class that is most around them.',
  holes: 'Holes up to this size take the class that surrounds them.',
  accept: 'Where the model is at least this sure and says another class, its class is taken.',
};
const LARGEST = 1000000;

export class BulkForm {
  /* `onChange` is called whenever the command becomes another one. */
  constructor(editor, onChange) {
    Object.assign(this, {editor, onChange, from: new Set()});
    this.kind = this.#select('Command', KINDS);
    this.scope = this.#select('Where', {tile: 'this tile', project: 'whole project'});
    this.to = this.#select('New class', {});
    this.model = this.#select('Model', {});
    this.size = this.#number('Size in pixels', {min: 1, max: LARGEST, value: 20});
    this.percent = this.#number('Confidence in percent', {min: 0, max: 100, value: 90});
    this.verified = h('input', {type: 'checkbox'});
    this.verified.addEventListener('change', () => this.#changed());
    blurAfterPointer(this.verified);
    this.sources = h('div', {className: 'bulk-classes', role: 'group', ariaLabel: 'Classes to recode'});
    this.help = h('p', {className: 'bulk-help'});
    this.limits = h('p', {className: 'bulk-help'});
    this.parts = {
      recode: [line('From', this.sources), line('To', this.to)],
      size: [line('Size', this.size, h('span', {className: 'unit'}, 'px'))],
      accept: [line('Model', this.model), line('From', this.percent, h('span', {className: 'unit'}, '% confidence'))],
    };
    this.element = h('div', {className: 'bulk-form'}, line('Do', this.kind), ...Object.values(this.parts).flat(),
      line('In', this.scope), h('label', {className: 'check'}, this.verified, 'also verified pixels'));
  }

  /* Take over classes and models of a tile. */
  open({classes, models, chosen}) {
    const codes = new Set(classes.map(({code}) => code));
    this.from = new Set([...this.from].filter((code) => codes.has(code)));
    fill(this.to, classes.map(({code, name}) => [String(code), name]), this.to.value || String(this.editor.classCode));
    fill(this.model, models.map(({key, name}) => [key, name]), this.model.value || chosen.model);
    this.kind.querySelector('[value="accept"]').disabled = models.length === 0;
    if (models.length === 0 && this.kind.value === 'accept') this.kind.value = 'recode';
    this.sources.replaceChildren(...classes.map((entry) => this.#source(entry)));
    this.show();
  }

  /* The command as the server takes it, or words about what is missing. */
  read() {
    const {editor, kind, scope} = this, {manifest, settings, hand, scene} = editor;
    const only = onlyOf(settings, manifest, hand.area);
    if (only?.area && scope.value === 'project')
      return {missing: 'A drawn area counts on this tile only: clear it (Shift+A), or stay on this tile.'};
    const restrict = only && formatRestrict({...only, unverified: false});
    const {acquisition} = manifest.chosen;
    const body = {kind: kind.value, scope: scope.value, verified: this.verified.checked, restrict,
      acquisition: manifest.acquisitions.find(({id}) => id === acquisition)?.name ?? null,
      area: only?.area ? {box: boxOf(only.area), mask: [...encodeRuns(only.area.data)]} : null};
    return {...this.#numbers(scene), ...body};
  }

  #numbers(scene) {
    const kind = this.kind.value, {manifest} = this.editor;
    if (kind === 'recode') {
      const from = [...this.from].filter((code) => code !== Number(this.to.value));
      if (!from.length) return {missing: 'Choose the classes to recode, and another one that they become.'};
      return {from_classes: from, to_class: Number(this.to.value)};
    }
    if (kind === 'accept') {
      const percent = Number(this.percent.value), model = this.model.value;
      if (!this.percent.value || !(percent >= 0 && percent <= 100)) return {missing: 'Confidence goes from 0 to 100 %.'};
      return {percent, model, prediction: model === manifest.chosen.model ? scene.predictionId ?? null : null};
    }
    const size = Number(this.size.value);
    if (!(Number.isInteger(size) && size >= 1 && size <= LARGEST))
      return {missing: `A size is a whole number from 1 to ${LARGEST.toLocaleString('en')} px.`};
    return {size_px: size};
  }

  /* Show what belongs to the command of now. */
  show() {
    const kind = this.kind.value, {column} = this.editor.panel;
    for (const [name, parts] of Object.entries(this.parts)) {
      const shown = name === kind || (name === 'size' && (kind === 'islands' || kind === 'holes'));
      for (const part of parts) part.hidden = !shown;
    }
    for (const element of this.sources.children)
      element.ariaPressed = String(this.from.has(Number(element.dataset.code)));
    this.help.textContent = HELP[kind];
    const words = badgesOf(this.editor, (code) => column.classes.nameOf(code))
      .filter(({id}) => RESTRICTIONS.includes(id)).map(({text}) => text);
    this.limits.textContent = words.length ? `Changes ${words.join('; ')}.` : '';
  }

  #changed() {
    this.show();
    this.onChange();
  }

  #source({code, name, colour}) {
    const element = h('button', {type: 'button', className: 'command bulk-source', data: {code}},
      h('span', {className: colour ? 'swatch' : 'swatch void', style: colour ? `background:${colour}` : ''}), name);
    element.addEventListener('click', ({detail}) => {
      if (!this.from.delete(code)) this.from.add(code);
      if (detail) element.blur();
      this.#changed();
    });
    return element;
  }

  #select(name, options) {
    const select = h('select', {ariaLabel: name});
    fill(select, Object.entries(options), null);
    select.addEventListener('change', () => this.#changed());
    blurAfterPointer(select);
    return select;
  }

  #number(name, {min, max, value}) {
    const field = h('input', {type: 'number', ariaLabel: name, min, max, step: 1, value});
    field.addEventListener('input', () => this.#changed());
    return field;
  }
}

function line(name, ...content) {
  return h('div', {className: 'bulk-line'}, h('span', {className: 'bulk-name'}, name), ...content);
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => h('option', {value}, text)));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

const boxOf = ({y0, x0, h: height, w}) => [y0, x0, height, w];
