/* The column at the right: classes, brush, restrictions, how the images are shown, and the sections of
the features. Sections fold, and stay as they were left. */

import {command} from '../commands.js';
import {h} from '../dom.js';
import {icon} from '../icons.js';
import {read, write} from '../kept.js';
import {Badges} from './badges.js';
import {ClassList} from './classes.js';
import {blurAfterPointer, button} from './controls.js';

const FOLDED = 'cloudbrush.folded';

export class Side {
  constructor({onCommand, onSource}) {
    this.folded = read(FOLDED) ?? {};
    this.classes = new ClassList({onCommand, onSource});
    this.values = {};
    this.sections = h('div', {className: 'sections'});
    this.element = h('aside', {className: 'side', ariaLabel: 'Classes and settings'},
      this.classes.element, (this.badges = new Badges()).element, this.sections);
    this.#brush();
    // Filled by its feature; here it has its place.
    this.section('restrictions', 'Only change');
    this.#views();
  }

  /* A section to fill; one `id` is one section. `folded` says how it starts. */
  section(id, title, {folded = false} = {}) {
    const known = this.sections.querySelector(`[data-section="${id}"] > .content`);
    if (known) return known;
    const content = h('div', {className: 'content', id: `section-${id}`});
    const fold = h('button', {type: 'button', className: 'fold'}, icon('fold'), title);
    fold.setAttribute('aria-controls', content.id);
    const show = (open) => {
      content.hidden = !open;
      fold.ariaExpanded = String(open);
    };
    fold.addEventListener('click', ({detail}) => {
      this.unfold(id, content.hidden);
      // Not after Enter or Space: who came by keyboard stays.
      if (detail) fold.blur();
    });
    const section = h('section', {className: 'section', data: {section: id}}, h('h2', {}, fold), content);
    section.fold = show;
    show(!(this.folded[id] ?? folded));
    this.sections.append(section);
    return content;
  }

  /* Fold or unfold a section, and remember it. */
  unfold(id, open = true) {
    this.sections.querySelector(`[data-section="${id}"]`)?.fold(open);
    this.folded = {...this.folded, [id]: !open};
    write(FOLDED, this.folded);
  }

  #brush() {
    this.size = h('output', {className: 'value'});
    this.slider = h('input', {type: 'range', min: 0, max: 100, step: 1, title: 'Brush size, 1 to 256 px',
      ariaLabel: 'Brush size'});
    blurAfterPointer(this.slider);
    const switches = ['square', 'pressure'].filter(command).map((id) => button(id));
    const content = this.section('brush', 'Brush');
    content.append(h('div', {className: 'row'}, button('smaller'), this.slider, button('larger'), this.size));
    content.previousElementSibling.append(...switches);
  }

  #views() {
    this.opacity = button('opacity-step', {text: '', className: 'wide'});
    const content = this.section('labels', 'Labels over images');
    content.append(
      h('div', {className: 'row opacities'}, button('opacity-none', {text: '0'}), this.opacity,
        button('opacity-full', {text: '100'}), button('hide')),
      ...[['Labels over', 'underlay'], ['Provenance', 'provenance'], ['Patterns', 'patterns'],
        ['Contrast', 'contrast'], ['Clouds', 'clouds']]
        .filter(([, id]) => command(id)).map(([name, id]) => this.pair(name, id)));
  }

  /* A line with a name and a button that shows the value of now. */
  pair(name, id) {
    this.values[id] = button(id, {text: '', className: 'wide'});
    this.values[id].ariaLabel = null;
    return h('div', {className: 'pair', data: {pair: id}}, h('span', {}, name), this.values[id]);
  }

  /* Say the value of a command's button, also to a screen reader. */
  showValue(id, text) {
    const element = this.values[id];
    if (!element || element.textContent === text) return;
    element.textContent = text;
    element.ariaLabel = `${command(id).label}: ${text}`;
  }

  showBrush({diameter, opacity, hidden}) {
    this.size.textContent = `${diameter} px`;
    this.slider.value = String(Math.round((100 * Math.log(diameter)) / Math.log(256)));
    this.slider.setAttribute('aria-valuetext', `${diameter} px`);
    this.opacity.textContent = hidden ? 'hidden' : `opacity ${Math.round(100 * opacity)} %`;
    this.opacity.ariaLabel = `${command('opacity-step').label}: ${this.opacity.textContent}`;
  }
}
