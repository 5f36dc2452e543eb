/* The bar at the top: which tile this is, whether it is saved, what is shown, and where to go next. */

import {h} from '../dom.js';
import {blurAfterPointer, button} from './controls.js';

export class Bar {
  constructor({onAcquisition, onModel, onHome}) {
    this.home = h('button', {type: 'button', className: 'crumb', title: 'Back to the project'});
    this.home.addEventListener('click', onHome);
    this.tileName = h('h1', {className: 'tile-name'});
    this.place = h('span', {className: 'muted place'});
    this.state = h('button', {type: 'button', className: 'state', title: ''});
    this.acquisition = choice('Optical image', onAcquisition);
    this.model = choice('Model', onModel);
    this.people = h('span', {className: 'people'});
    this.element = h('header', {className: 'bar'},
      this.home, h('span', {className: 'muted', ariaHidden: 'true'}, '›'), this.tileName, this.place,
      this.state, this.people, h('span', {className: 'stretch'}), this.acquisition.label, this.model.label,
      button('help'), h('span', {className: 'gap'}), button('previous'), button('next'),
      button('skip', {text: 'Skip'}), button('done', {text: 'Done', className: 'primary'}));
  }

  show({project, tile, acquisitions, models, neighbours}, chosen) {
    this.home.textContent = project.name;
    this.tileName.textContent = tile.name;
    this.tileName.title = tile.name;
    this.place.textContent = `${neighbours.index} of ${neighbours.count}`;
    fillChoice(this.acquisition, acquisitions.map(({id, label}) => [id, label]), chosen.acquisition,
      'No optical image');
    fillChoice(this.model, models.map(({key, name, promoted}) => [key, promoted ? `${name} · in use` : name]),
      chosen.model, 'No model yet');
  }

  showState({kind, text, detail = ''}) {
    if (this.state.dataset.kind !== kind) this.state.dataset.kind = kind;
    if (this.state.textContent !== text) this.state.textContent = text;
    if (this.state.title !== detail) this.state.title = detail;
  }
}

function choice(name, onChange) {
  const select = h('select', {title: name, ariaLabel: name});
  blurAfterPointer(select);
  select.addEventListener('change', () => onChange(select.value));
  return {select, label: h('label', {className: 'choice'}, select)};
}

function fillChoice({select, label}, options, chosen, none) {
  select.replaceChildren(...(options.length ? options : [['', none]]).map(([value, text]) =>
    h('option', {value: String(value)}, text)));
  select.value = String(chosen ?? '');
  select.disabled = options.length < 2;
  // A long name is cut in the bar; the tooltip has all of it.
  select.title = `${select.ariaLabel}: ${select.selectedOptions[0]?.textContent ?? none}`;
  label.classList.toggle('empty', options.length === 0);
}
