/* The menu of a pane: which view it shows, and how. */

import {h} from '../dom.js';
import {CHOICES} from '../settings.js';
import {FILTERS, LEAST_TONE, MAX_EXPRESSION, MOST_TONE, OVERLAYS, STRETCHES, cleanTone, menu} from './catalog.js';

const OVERLAY_NAMES = {label: 'Label', prediction: 'Prediction', confidence: 'Confidence',
  disagreement: 'Disagreement', provenance: 'Provenance', cloud: 'Clouds'};
// The maps that can be drawn as outlines.
export const OUTLINED = ['label', 'prediction'];
// Not every browser draws through filters.
const CAN_TONE = 'filter' in (globalThis.CanvasRenderingContext2D?.prototype ?? {});
const AS_SET = '';
const ASK_AFTER_MS = 250;
const MARGIN = 8;

export class Menu {
  /* `editor` for its display, panel and server. */
  constructor(editor) {
    this.editor = editor;
    this.slot = null;
    this.items = h('div', {className: 'view-items'});
    this.options = h('div', {className: 'view-options'});
    this.element = h('div', {className: 'view-menu', role: 'dialog', hidden: true, tabIndex: -1}, this.items, this.options);
    editor.element.append(this.element);
    this.outside = (event) => {
      const path = event.composedPath();
      if (!path.includes(this.element) && !path.includes(this.caption)) this.close();
    };
  }

  get given() {
    return this.editor.display.views[this.slot];
  }

  open(slot, caption) {
    if (this.slot === slot) return this.close();
    this.close();
    Object.assign(this, {slot, caption});
    this.element.ariaLabel = `What pane ${slot + 1} shows`;
    this.#fill();
    const {modals} = this.editor.panel;
    modals.open(this.element, {onClose: () => this.close(),
      focus: this.items.querySelector('[aria-checked="true"]') ?? this.element});
    caption.ariaExpanded = 'true';
    this.#place();
    addEventListener('pointerdown', this.outside, {capture: true});
  }

  close() {
    if (this.slot === null) return false;
    removeEventListener('pointerdown', this.outside, {capture: true});
    this.slot = null;
    this.editor.panel.modals.close(this.element);
    this.caption.ariaExpanded = 'false';
    // A caption that was clicked must not catch the next key.
    this.caption.blur();
    return true;
  }

  /* Beside the pane, so that one sees what changes; below its caption where there is no room. */
  #place() {
    const from = this.caption.getBoundingClientRect(), {style} = this.element;
    const pane = this.caption.parentElement.getBoundingClientRect();
    style.maxHeight = `${innerHeight - 2 * MARGIN}px`;
    const {width, height} = this.element.getBoundingClientRect();
    const right = pane.right + 4, left = pane.left - width - 4;
    const beside = right + width + MARGIN <= innerWidth ? right : left >= MARGIN ? left : null;
    const top = beside === null ? from.bottom + 4 : pane.top + 4;
    style.left = `${beside ?? Math.max(MARGIN, Math.min(from.left, innerWidth - width - MARGIN))}px`;
    style.top = `${Math.max(MARGIN, Math.min(top, innerHeight - height - MARGIN))}px`;
  }

  #fill() {
    const {manifest} = this.editor, {id} = this.given;
    this.items.replaceChildren(...menu(manifest).map(({group, items}) => h('div', {className: 'view-group', role: 'radiogroup', ariaLabel: group},
      h('h3', {}, group), ...items.map((item) => this.#item(item, item.view.id === id)))));
    this.#fillOptions();
  }

  #item({view, label, missing, help, opens}, isChosen) {
    const title = missing ? `Not here: ${missing}` : (help ?? '');
    const item = h('button', {type: 'button', className: 'view-item', role: 'radio', ariaChecked: String(isChosen),
      disabled: missing !== undefined, title, data: {view: view.id}}, label);
    item.addEventListener('click', () => this.#choose(view, opens));
    return item;
  }

  /* Bands and expressions are chosen before they are looked at; else the menu has done its work. */
  #choose(view, opens) {
    this.editor.display.setView(this.slot, structuredClone(view));
    if (!opens) return this.close();
    this.#fill();
    const field = this.options.querySelector(`[data-option="${opens}"]`);
    field?.focus();
    field?.select?.();
  }

  /* Change the view of this pane; the rest of it stays. */
  #change({rendering, ...changes}) {
    const {given} = this, next = {...given, ...changes, rendering: {...given.rendering, ...rendering}};
    for (const [name, value] of Object.entries(next.rendering)) if (value === undefined) delete next.rendering[name];
    this.editor.display.setView(this.slot, next);
  }

  #fillOptions() {
    const found = this.editor.display.found[this.slot], {layer} = found, isMap = found.view.base === 'under';
    const rows = [];
    if (layer) rows.push(this.#stretch());
    if (layer && CAN_TONE) rows.push(...this.#tone());
    if (layer?.modality === 'sar') rows.push(this.#filter());
    if (layer && !isMap && layer.bands.length > 1) rows.push(this.#bands(layer));
    if (layer && !isMap) rows.push(this.#expression(layer));
    if (found.overlays.some((name) => ['prediction', 'confidence', 'disagreement'].includes(name))) rows.push(this.#model());
    rows.push(this.#overlays());
    if (OUTLINED.some((name) => found.overlays.includes(name))) rows.push(this.#contours());
    rows.push(this.#opacity());
    this.options.replaceChildren(h('h3', {}, 'How it is shown'), ...rows);
  }

  #select(name, label, options, chosen, onChange) {
    const select = h('select', {ariaLabel: label, data: {option: name}},
      ...options.map(([value, text]) => h('option', {value}, text)));
    select.value = chosen;
    select.addEventListener('change', () => onChange(select.value));
    return select;
  }

  #stretch() {
    const {settings} = this.editor, {stretch} = this.given.rendering;
    const options = [[AS_SET, `as set: ${CHOICES.contrast[settings.contrast]}`],
      ...STRETCHES.map((name) => [name, CHOICES.contrast[name]])];
    return row('Contrast', this.#select('stretch', 'Contrast of this pane', options, stretch ?? AS_SET,
      (value) => this.#change({rendering: {stretch: value || undefined}})));
  }

  /* Brightness and contrast of the picture on the screen, on top of its stretch; a double click resets. */
  #tone() {
    return [['brightness', 'Brightness'], ['contrast', 'Contrast ±']].map(([name, label]) => {
      const value = h('output', {className: 'value'});
      const slider = h('input', {type: 'range', min: LEAST_TONE, max: MOST_TONE, step: '5', data: {option: `tone-${name}`},
        ariaLabel: `${label}, of this pane, for display only`, title: 'For display only; a double click resets it'});
      const show = () => (value.textContent = `${slider.value} %`);
      const set = (percent) => {
        slider.value = String(percent);
        this.#change({tone: cleanTone({...this.given.tone, [name]: Number(slider.value)})});
        show();
      };
      slider.value = String(this.given.tone?.[name] ?? 0);
      slider.addEventListener('input', () => set(slider.value));
      slider.addEventListener('dblclick', () => set(0));
      show();
      return row(label, h('span', {className: 'blend'}, slider, value));
    });
  }

  #filter() {
    const options = [[AS_SET, 'off'], ...Object.entries(FILTERS)];
    return row('Speckle', this.#select('filter', 'Speckle filter, for display only', options,
      this.given.rendering.filter ?? AS_SET, (value) => this.#change({rendering: {filter: value || undefined}})));
  }

  /* One band as grey, or three as red, green and blue. */
  #bands({bands}) {
    const {bands: chosen} = this.given.rendering, numbers = bands.map((name, i) => [String(i + 1), name]);
    const usual = [[AS_SET, 'usual']], selects = [];
    const change = (at) => {
      const [red, green, blue] = selects.map(({value}) => value);
      // Green and blue follow red until they are chosen.
      const three = at > 0 || (green && blue) ? [red || '1', green || red || '1', blue || red || '1'].map(Number) : null;
      this.#change({rendering: {expr: undefined, bands: !red && at === 0 ? undefined : (three ?? [Number(red)])}});
      this.#fillOptions();
      this.options.querySelectorAll('[data-option^="bands"]')[at]?.focus();
    };
    const values = chosen ? (chosen.length === 1 ? [chosen[0], '', ''] : chosen).map(String) : ['', '', ''];
    ['Red or grey', 'Green', 'Blue'].slice(0, bands.length > 2 ? 3 : 1).forEach((name, at) =>
      selects.push(this.#select(at ? `bands-${at}` : 'bands', `Band shown as ${name.toLowerCase()}`,
        [...(at ? [[AS_SET, '–']] : usual), ...numbers], values[at], () => change(at))));
    return row('Bands', h('span', {className: 'bands'}, ...selects));
  }

  /* An expression over the bands; what is wrong with it is said by the server, in words. */
  #expression(layer) {
    const field = h('input', {type: 'text', className: 'expression', maxLength: MAX_EXPRESSION, spellcheck: false,
      ariaLabel: 'Expression over the bands', data: {option: 'expr'}, value: this.given.rendering.expr ?? '',
      placeholder: layer.bands.length > 1 ? `${layer.bands[0]} - ${layer.bands[1]}` : layer.bands[0] ?? 'band1'});
    const note = h('div', {className: 'expression-note', role: 'status'});
    field.addEventListener('input', () => {
      clearTimeout(this.asking);
      this.asking = setTimeout(() => this.#check(field, note, layer), ASK_AFTER_MS);
    });
    field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      clearTimeout(this.asking);
      this.#check(field, note, layer);
    });
    note.textContent = `Bands: ${layer.bands.join(', ')}`;
    return h('div', {}, row('Expression', field), note);
  }

  async #check(field, note, layer) {
    const {server, scene} = this.editor, {slot} = this, expr = field.value.trim();
    const show = (words, isWrong) => {
      note.textContent = words;
      note.classList.toggle('wrong', isWrong);
      field.ariaInvalid = String(isWrong);
    };
    if (!expr) {
      show(`Bands: ${layer.bands.join(', ')}`, false);
      return this.#change({rendering: {expr: undefined}});
    }
    try {
      const found = await server.json(`/tile/${scene.tile.id}/expression?layer=${layer.id}&expr=${encodeURIComponent(expr)}`);
      if (this.slot !== slot || field.value.trim() !== expr) return;
      show(found.ok ? 'Shown.' : found.error, !found.ok);
      if (found.ok) this.#change({rendering: {expr, bands: undefined}});
    } catch (error) {
      show(error.message, true);
    }
  }

  #model() {
    const {models} = this.editor.manifest;
    return row('Model', this.#select('model', 'Model of this pane', [[AS_SET, 'the one chosen above'],
      ...models.map(({key, name}) => [key, name])], this.given.model ?? AS_SET,
    (value) => this.#change({model: value || null})));
  }

  #overlays() {
    const {manifest} = this.editor, {overlays, base} = this.given;
    const can = {prediction: manifest.models.length, confidence: manifest.models.length,
      disagreement: manifest.models.length, cloud: manifest.acquisitions.some(({hasCloud}) => hasCloud)};
    const boxes = OVERLAYS.map((name) => {
      const box = h('input', {type: 'checkbox', checked: overlays.includes(name),
        disabled: can[name] !== undefined && !can[name], data: {overlay: name}});
      box.addEventListener('change', () => {
        const next = OVERLAYS.filter((other) => (other === name ? box.checked : overlays.includes(other)));
        if (base === null && !next.length) return (box.checked = true);
        this.#change({overlays: next});
        this.#fillOptions();
        this.options.querySelector(`[data-overlay="${name}"]`)?.focus();
      });
      return h('label', {className: 'check'}, box, OVERLAY_NAMES[name]);
    });
    return h('div', {className: 'overlays'}, h('span', {className: 'view-name'}, 'Above it'), h('div', {className: 'checks'}, ...boxes));
  }

  #contours() {
    const options = [['fill', 'filled'], ['lines', 'as outlines']];
    return row('Classes', this.#select('contours', 'How classes are drawn in this pane', options,
      this.given.contours ? 'lines' : 'fill', (value) => this.#change({contours: value === 'lines'})));
  }

  /* The blend of image and maps in this pane. */
  #opacity() {
    const {settings} = this.editor, {blend} = this.given;
    const value = h('output', {className: 'value'}), text = (share) => `${Math.round(100 * share)} %`;
    const slider = h('input', {type: 'range', min: '0', max: '100', step: '5', ariaLabel: 'Opacity of the maps in this pane',
      data: {option: 'blend'}, value: String(Math.round(100 * (blend ?? settings.opacity)))});
    const reset = h('button', {type: 'button', className: 'command text', title: 'Follow the opacity of the labels'}, 'as set');
    const show = () => {
      value.textContent = text(this.given.blend ?? settings.opacity);
      reset.disabled = this.given.blend === null;
    };
    slider.addEventListener('input', () => {
      this.#change({blend: slider.value / 100});
      show();
    });
    reset.addEventListener('click', () => {
      this.#change({blend: null});
      slider.value = String(100 * settings.opacity);
      show();
    });
    show();
    return row('Opacity', h('span', {className: 'blend'}, slider, value, reset));
  }
}

const row = (name, control) => h('div', {className: 'view-row'}, h('span', {className: 'view-name'}, name), control);
