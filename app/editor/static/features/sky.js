/* Simulated clouds over the clear optical images on the screen: a strip under the panes with cover and
seed. Only the picture changes; labels, tools and files know nothing of it. */

import {h} from '../dom.js';
import {blurAfterPointer} from '../panel/controls.js';

const COVERS = [10, 25, 50, 75, 100], USUAL = 50, MOST_SEED = 10000;

export class Sky {
  static id = 'sky';

  constructor(editor) {
    this.editor = editor;
    this.cover = h('select', {ariaLabel: 'Cloud cover'}, ...COVERS.map((cover) => h('option', {value: String(cover)}, `${cover} %`)));
    this.cover.value = String(USUAL);
    this.seed = h('input', {type: 'number', min: 0, max: MOST_SEED, step: 1, value: '0', ariaLabel: 'Seed of the clouds'});
    for (const control of [this.cover, this.seed]) {
      control.addEventListener('change', () => this.#show());
      blurAfterPointer(control);
    }
    this.words = h('span', {className: 'sky-words', role: 'status'});
    this.element = h('section', {className: 'sky', hidden: true, ariaLabel: 'Simulated clouds'},
      h('label', {}, 'Cover', this.cover), h('label', {}, 'Seed', this.seed),
      this.#button('Other clouds', () => this.#next()), this.words, this.#button('Close', () => this.cancel()));
    this.element.addEventListener('keydown', (event) => event.key === 'Escape' && this.cancel());
    editor.panel.dock.append(this.element);
  }

  #button(text, run) {
    const element = h('button', {type: 'button', className: 'command text'}, text);
    element.addEventListener('click', run);
    return element;
  }

  get isOpen() {
    return !this.element.hidden;
  }

  toggle() {
    if (this.cancel()) return;
    this.element.hidden = false;
    this.editor.showSettings();
    this.#show();
  }

  #next() {
    this.seed.value = String((this.#seed + 1) % (MOST_SEED + 1));
    this.#show();
  }

  get #seed() {
    return Math.max(0, Math.min(MOST_SEED, Math.trunc(Number(this.seed.value)) || 0));
  }

  #show() {
    this.seed.value = String(this.#seed);
    this.editor.display.setSky({clouds: Number(this.cover.value), seed: this.#seed});
    this.arrived();
  }

  /* Another tile, layout or view may have no clear image on the screen, or again one. */
  arrived() {
    if (!this.isOpen) return;
    this.words.textContent = this.editor.display.underSky ? 'A preview of the picture alone: labels and files stay as they are.'
      : 'No pane shows a clear optical image as stored. Choose one in the caption of a pane.';
  }

  open() {
    this.arrived();
  }

  cancel() {
    if (!this.isOpen) return false;
    this.element.hidden = true;
    this.editor.display.setSky(null);
    this.editor.showSettings();
    this.editor.panel.element.focus();
    return true;
  }
}
