/* The panes as elements, each with its caption, the range of its image and, over the label, what the
patterns of provenance mean. */

import {h} from './dom.js';
import {PROVENANCE, PROVENANCE_NAMES, repeat} from './patterns.js';

const PANE_IDS = ['optical', 'sar', 'label', 'prediction'];

export class Panes {
  constructor() {
    this.captions = {};
    this.list = PANE_IDS.map((id) => ({id, element: this.#pane(id)}));
    this.provenance = provenanceLegend();
    this.list.find(({id}) => id === 'label').element.append(this.provenance);
    this.element = h('div', {className: 'panes'}, ...this.list.map(({element}) => element));
  }

  #pane(id) {
    const pane = h('section', {className: 'pane', data: {pane: id}});
    const title = h('span', {className: 'title'}), note = h('span', {className: 'note'});
    const range = h('div', {className: 'range'});
    this.captions[id] = {title, note, range};
    pane.append(h('div', {className: 'caption'}, title, note), range);
    return pane;
  }

  showCaption(id, title, note = '', range = '') {
    const caption = this.captions[id];
    for (const [part, text] of Object.entries({title, note, range}))
      if (caption[part].textContent !== text) caption[part].textContent = text;
  }
}

/* What each pattern on the label means. */
function provenanceLegend() {
  const legend = h('div', {className: 'legend', hidden: true});
  for (const [code, name] of PROVENANCE_NAMES) {
    const canvas = h('canvas', {width: 36, height: 28}), context = canvas.getContext('2d');
    context.fillStyle = '#6d747c';
    context.fillRect(0, 0, 36, 28);
    if (PROVENANCE[code]) {
      context.fillStyle = context.createPattern(repeat(PROVENANCE[code], 2), 'repeat');
      context.fillRect(0, 0, 36, 28);
    }
    legend.append(h('span', {}, canvas, name));
  }
  return legend;
}
