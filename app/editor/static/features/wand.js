/* The settings of the magic wand, in a section of their own while the wand is in hand. */

import {h} from '../dom.js';
import {button} from '../panel/controls.js';
import {SOURCES} from '../tools/wand.js';

const USUAL = 16;

export class WandSettings {
  static id = 'wand';

  constructor(editor) {
    this.editor = editor;
    this.source = button('wand', {text: '', className: 'wide'});
    this.tidy = button('wand-tidy', {text: '', className: 'wide'});
    this.tolerance = h('input', {type: 'range', min: 0, max: 128, step: 1, ariaLabel: 'Tolerance of the wand',
      title: 'How much image values may differ from the pixel pressed, 0 to 254'});
    this.number = h('output', {className: 'value'});
    this.content = editor.panel.section('wand', 'Magic wand');
    // First of the sections: what goes with the tool in hand must not need scrolling.
    const section = this.content.closest('.section');
    section.parentElement.prepend(section);
    this.content.append(
      h('div', {className: 'pair'}, h('span', {}, 'Follows'), this.source),
      h('div', {className: 'pair'}, h('span', {}, 'Specks'), this.tidy),
      h('div', {className: 'name'}, 'Tolerance', this.number),
      h('div', {className: 'row'}, this.tolerance));
    this.tolerance.addEventListener('input', () => {
      editor.settings.change({wandTolerance: Number(this.tolerance.value)});
      this.show();
    });
    this.tolerance.addEventListener('pointerup', () => this.tolerance.blur());
    this.watch = new MutationObserver(() => this.show());
    this.watch.observe(editor.element, {attributeFilter: ['data-tool']});
    this.show();
  }

  /* Take the next kind of image; both only where there are both. */
  cycle() {
    const {settings, display, panel} = this.editor, names = Object.keys(SOURCES);
    const {optical, sar} = display.shown;
    const fits = names.filter((name) => (name === 'sar' || optical) && (name === 'optical' || sar));
    if (!fits.length) return;
    const next = fits[(fits.indexOf(settings.wandSource ?? 'optical') + 1) % fits.length];
    settings.change({wandSource: next});
    this.show();
    panel.say(`The wand follows ${SOURCES[next]}.`);
  }

  turnTidy() {
    const {settings, panel, hand} = this.editor, on = !settings.wandTidy;
    settings.change({wandTidy: on});
    this.show();
    hand.gestures.wand?.refresh();
    panel.say(on ? 'The wand leaves out specks and small holes.' : 'The wand takes all that looks alike.');
  }

  show(tolerance = this.editor.settings.wandTolerance ?? USUAL) {
    const {settings, element} = this.editor;
    this.content.closest('.section').hidden = element.dataset.tool !== 'wand';
    const source = SOURCES[settings.wandSource] ?? SOURCES.optical;
    this.source.textContent = source;
    this.source.ariaLabel = `The wand follows ${source}`;
    this.tidy.textContent = settings.wandTidy ? 'left out' : 'as found';
    this.tidy.ariaLabel = `Specks and small holes: ${this.tidy.textContent}`;
    this.number.textContent = String(tolerance);
    this.tolerance.value = String(tolerance);
  }

  destroy() {
    this.watch.disconnect();
  }
}
