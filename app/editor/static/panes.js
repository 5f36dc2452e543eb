/* The panes as elements: six of them, of which a layout shows some. Each has a caption that opens its
menu, the range of its image, scale and north, and what its patterns mean. */

import {h} from './dom.js';
import {icon} from './icons.js';
import {CLOUDS, PROVENANCE, PROVENANCE_NAMES, repeat} from './patterns.js';
import {MOST_PANES, gridOf} from './views/layouts.js';

const FIRST = ['optical', 'sar', 'label', 'prediction'];
const CLOUD_NAMES = [[2, 'thick cloud'], [1, 'thin cloud'], [3, 'shadow']];
const CLICK_PX = 4;
const SVG = 'http://www.w3.org/2000/svg';

export class Panes {
  constructor() {
    // Called with the index of the pane whose caption was clicked, and the caption.
    this.onMenu = () => {};
    this.parts = [];
    this.list = Array.from({length: MOST_PANES}, (_, i) => ({id: FIRST[i] ?? `pane-${i + 1}`, element: this.#pane(i)}));
    this.element = h('div', {className: 'panes'}, ...this.list.map(({element}) => element));
  }

  #pane(i) {
    const title = h('span', {className: 'title'}), note = h('span', {className: 'note'});
    const caption = h('button', {type: 'button', className: 'caption', ariaHasPopup: 'dialog', ariaExpanded: 'false',
      title: 'Choose what this pane shows'}, title, note, h('span', {className: 'caret'}, icon('fold')));
    const range = h('div', {className: 'range'}), foot = h('div', {className: 'pane-foot'}, range);
    const ruler = h('div', {className: 'ruler', hidden: true}), length = h('span'), bar = h('i');
    const north = northArrow();
    ruler.append(north, h('span', {className: 'length'}, length, bar));
    this.parts.push({caption, title, note, range, foot, ruler, north, length, bar, legend: null, key: ''});
    const pane = h('section', {className: 'pane', data: {pane: FIRST[i] ?? `pane-${i + 1}`, slot: String(i)}},
      caption, foot, ruler);
    shareWithGround(caption, pane, () => this.onMenu(i, caption));
    return pane;
  }

  /* Lay out the panes as a layout says. */
  arrange(layout) {
    const {areas, rows, columns, names} = gridOf(layout);
    Object.assign(this.element.style, {gridTemplateAreas: areas, gridTemplateRows: rows, gridTemplateColumns: columns});
    this.element.dataset.layout = layout.id;
    this.list.forEach(({element}, i) => {
      element.style.gridArea = names[i] ?? '';
      element.hidden = i >= names.length;
    });
  }

  /* Name a pane, say what is special about it, and the range of its values. */
  showCaption(i, title, note = '', range = '') {
    const parts = this.parts[i];
    for (const [part, text] of Object.entries({title, note, range}))
      if (parts[part].textContent !== text) parts[part].textContent = text;
    const name = note ? `${title}, ${note}` : title;
    if (parts.caption.ariaLabel !== name) parts.caption.ariaLabel = name;
  }

  /* Explain patterns and colours of a pane: `provenance`, `levels` of cloud, and `colours` as {colour,
     text}. */
  showLegend(i, {provenance = false, levels = [], colours = []}) {
    const parts = this.parts[i], key = JSON.stringify([provenance, levels, colours]);
    if (parts.key === key) return;
    parts.key = key;
    const patterns = [...(provenance ? PROVENANCE_NAMES.map(([code, name]) => [PROVENANCE[code], name]) : []),
      ...CLOUD_NAMES.filter(([level]) => levels.includes(level)).map(([level, name]) => [CLOUDS[level], name])];
    const entries = [...patterns.map(([pattern, name]) => h('span', {}, swatch(pattern), name)),
      ...colours.map(({colour, text}) => h('span', {}, h('i', {className: 'colour', style: `background:${colour}`}), text))];
    parts.legend?.remove();
    parts.legend = entries.length ? h('div', {className: 'legend'}, ...entries) : null;
    if (parts.legend) parts.foot.prepend(parts.legend);
  }

  /* Show the scale bar of `views/scale.js` and the direction of north, in degrees from the top. */
  showScale(i, bar, north) {
    const {ruler, north: arrow, length, bar: line} = this.parts[i];
    ruler.hidden = bar === null;
    this.list[i].element.classList.toggle('ruled', bar !== null);
    if (bar === null) return;
    if (length.textContent !== bar.text) length.textContent = bar.text;
    line.style.width = `${bar.length}px`;
    arrow.style.transform = `rotate(${north}deg)`;
  }
}

/* What happens on an element above a pane is not meant for the ground below it. */
export function keepFromGround(element) {
  for (const type of ['pointerdown', 'pointermove', 'pointerup', 'wheel', 'contextmenu'])
    element.addEventListener(type, (event) => event.stopPropagation());
}

/* A button above a pane that stands in nobody's way: only a click is for it. What is dragged from it, the
   wheel and the cursor are for the ground below, where they act as if the button were not there. */
function shareWithGround(button, pane, onClick) {
  let pressed = null, passed = false;
  const pass = (event, type = event.type) => pane.dispatchEvent(new PointerEvent(type, event));
  const on = (type, handler) => button.addEventListener(type, (event) => {
    event.stopPropagation();
    handler(event);
  });
  on('pointerdown', (event) => {
    [pressed, passed] = [event.button === 0 ? event : null, false];
    if (event.button === 1) pass(event);
  });
  on('pointermove', (event) => {
    if (!pressed) return pass(event);
    if (Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) <= CLICK_PX) return undefined;
    pass(pressed, 'pointerdown');
    [pressed, passed] = [null, true];
    return pass(event);
  });
  on('pointerup', () => (pressed = null));
  on('wheel', (event) => pane.dispatchEvent(new WheelEvent('wheel', event)));
  on('contextmenu', (event) => event.preventDefault());
  button.addEventListener('click', () => !passed && onClick());
}

function swatch(pattern) {
  const canvas = h('canvas', {width: 36, height: 28}), context = canvas.getContext('2d');
  context.fillStyle = '#6d747c';
  context.fillRect(0, 0, 36, 28);
  if (pattern) {
    context.fillStyle = context.createPattern(repeat(pattern, 2), 'repeat');
    context.fillRect(0, 0, 36, 28);
  }
  return canvas;
}

function northArrow() {
  const svg = document.createElementNS(SVG, 'svg'), path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 16 20');
  svg.setAttribute('class', 'north');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'North');
  path.setAttribute('d', 'M8 1 13 19 8 15 3 19Z');
  svg.append(path);
  return svg;
}
