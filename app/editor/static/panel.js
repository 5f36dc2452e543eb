/* The furniture around the panes: bar, toolbar, class list, settings, read-out, key sheet, banner
and dialogs. It shows what the editor tells it and reports clicks as commands; text from the
database goes in as text nodes only. */

import {COMMANDS, TOOLBAR, command, tooltip} from './commands.js';
import {h} from './dom.js';
import {icon} from './icons.js';
import {Panes} from './panes.js';

/* A button for a command, with its icon or label, its key in the tooltip. */
function button(id, {text = null, className = ''} = {}) {
  const entry = command(id);
  const face = text === null && entry.icon ? icon(entry.icon) : (text ?? entry.label);
  return h('button', {type: 'button', className: `command ${className}`, title: tooltip(entry),
    ariaLabel: entry.label, data: {command: id}}, face);
}

export class Panel {
  constructor(root, {onCommand, onAcquisition, onModel, onHome}) {
    this.onCommand = onCommand;
    this.element = h('div', {className: 'editor', tabIndex: -1});
    this.panes = new Panes();
    this.element.append(
      this.#bar({onAcquisition, onModel, onHome}),
      this.#toolbar(),
      this.panes.element,
      (this.dock = h('div', {className: 'dock'})),
      this.#side(),
      (this.readout = h('footer', {className: 'readout'})),
      (this.banner = h('div', {className: 'banner', hidden: true, role: 'status'})),
      (this.sheet = this.#sheet()),
      (this.dialog = h('div', {className: 'dialog', hidden: true, role: 'dialog'})),
    );
    this.element.addEventListener('click', (event) => this.#clicked(event));
    root.append(this.element);
  }

  #clicked(event) {
    const target = event.target.closest('[data-command]');
    if (!target) return;
    // Focus would catch the next Space or Enter.
    target.blur();
    this.onCommand(target.dataset.command);
  }

  #bar({onAcquisition, onModel, onHome}) {
    const home = h('button', {type: 'button', className: 'crumb', title: 'Back to the project'});
    home.addEventListener('click', onHome);
    this.crumb = home;
    this.tileName = h('span', {className: 'tile-name'});
    this.place = h('span', {className: 'muted'});
    this.state = h('button', {type: 'button', className: 'state', title: ''});
    this.acquisition = this.#choice('Optical image', onAcquisition);
    this.model = this.#choice('Model', onModel);
    return h('header', {className: 'bar'},
      home, h('span', {className: 'muted', ariaHidden: 'true'}, '›'), this.tileName, this.place,
      this.state, h('span', {className: 'stretch'}), this.acquisition.label, this.model.label,
      button('help'), h('span', {className: 'gap'}), button('previous'), button('next'),
      button('skip', {text: 'Skip'}), button('done', {text: 'Done', className: 'primary'}));
  }

  #choice(name, onChange) {
    const select = h('select', {title: name, ariaLabel: name});
    select.addEventListener('change', () => {
      select.blur();
      onChange(select.value);
    });
    return {select, label: h('label', {className: 'choice'}, select)};
  }

  #toolbar() {
    const bar = h('nav', {className: 'tools'});
    for (const group of TOOLBAR) {
      const ids = COMMANDS.filter(({toolbar}) => toolbar === group).map(({id}) => id);
      if (ids.length) bar.append(h('div', {className: 'group'}, ...ids.map((id) => button(id))));
    }
    return bar;
  }

  #side() {
    this.classes = h('div', {className: 'classes'});
    this.size = h('output', {className: 'value'});
    this.slider = h('input', {type: 'range', min: 0, max: 100, step: 1, title: 'Brush size, 1 to 256 px',
      ariaLabel: 'Brush size'});
    this.opacity = h('output', {className: 'value'});
    this.values = {};
    const value = (id) => (this.values[id] = h('button', {type: 'button', className: 'command wide',
      title: tooltip(command(id)), data: {command: id}}));
    const pair = (name, id) => h('div', {className: 'pair'}, h('span', {}, name), value(id));
    const row = (name, output, ...content) => h('div', {className: 'setting'},
      h('div', {className: 'name'}, name, output), h('div', {className: 'row'}, ...content));
    return (this.side = h('aside', {className: 'side'},
      h('div', {className: 'head'}, h('h2', {}, 'Classes'), button('swap')),
      this.classes,
      h('div', {className: 'settings'},
        row('Brush', this.size, button('smaller'), this.slider, button('larger')),
        row('Label opacity', this.opacity, button('opacity-none', {text: '0'}),
          button('opacity-step', {text: 'step'}), button('opacity-full', {text: '100'}), button('hide')),
        pair('Labels over', 'underlay'), pair('Provenance', 'provenance'), pair('Contrast', 'contrast'),
        pair('Clouds', 'clouds'))));
  }

  /* A section of the side column to fill; one `id` is one section. */
  section(id, title) {
    const known = this.side.querySelector(`[data-section="${id}"]`);
    if (known) return known.lastElementChild;
    const content = h('div');
    this.side.append(h('section', {className: 'section', data: {section: id}}, h('h2', {}, title), content));
    return content;
  }

  #sheet() {
    const sheet = h('div', {className: 'sheet', hidden: true, role: 'dialog', ariaLabel: 'Keys'});
    const groups = h('div', {className: 'columns'});
    this.sheetClasses = h('section');
    for (const name of [...new Set(COMMANDS.map(({group}) => group))]) {
      const section = h('section', {}, h('h3', {}, name));
      for (const entry of COMMANDS.filter(({group}) => group === name)) {
        if (/^class-([2-9]|1\d)$/.test(entry.id)) continue;
        const first = entry.id === 'class-1';
        section.append(h('div', {className: 'key-row', data: {help: entry.id}},
          h('span', {className: 'keys'}, ...(first ? keyCaps(['1', '9', 'Shift+0', 'Shift+9'], ['…', ' , ', '…'])
            : keyCaps(entry.keys))),
          h('span', {className: 'what'}, h('b', {}, first ? 'Class 1 to 19' : entry.label),
            h('span', {}, first ? 'Paint with that class of the list; the list shows each key.' : entry.help))));
      }
      groups.append(section);
    }
    sheet.append(h('div', {className: 'head'}, h('h2', {}, 'Keys'), button('cancel', {text: 'Close'})), groups,
      h('p', {className: 'muted'}, 'Keys do nothing while you type in a field. Every command is also a button.'));
    return sheet;
  }

  /* Fill what depends on the tile. */
  showTile({project, tile, classes, acquisitions, models, neighbours, readonly}, chosen) {
    this.crumb.textContent = project.name;
    this.tileName.textContent = tile.name;
    this.tileName.title = tile.name;
    this.place.textContent = `${neighbours.index} of ${neighbours.count}`;
    fillChoice(this.acquisition, acquisitions.map(({id, label}) => [id, label]), chosen.acquisition,
      'No optical image');
    fillChoice(this.model, models.map(({key, name, promoted}) => [key, promoted ? `${name} · in use` : name]),
      chosen.model, 'No model yet');
    for (const id of ['previous', 'next'])
      for (const element of this.element.querySelectorAll(`[data-command="${id}"]`))
        element.disabled = neighbours[id] === null;
    this.element.classList.toggle('readonly', readonly !== null);
    for (const {id} of COMMANDS.filter(({changes}) => changes))
      for (const element of this.element.querySelectorAll(`[data-command="${id}"]`))
        element.disabled = readonly !== null;
    this.values.clouds.parentElement.hidden = !acquisitions.some(({hasCloud}) => hasCloud);
    this.#listClasses(classes);
  }

  #listClasses(classes) {
    this.shares = new Map();
    this.classes.replaceChildren(...classes.map(({code, name, colour, isVoid, isClear}, i) => {
      const entry = command(isVoid ? 'void' : `class-${i + 1}`);
      const share = h('span', {className: 'share'});
      const row = h('button', {type: 'button', className: 'class',
        title: (entry ? `${name} (${entry.keys[0]})` : name) + (isClear ? '\nDrawn clear, so that the image shows' : ''),
        data: entry ? {command: entry.id} : {}},
        h('kbd', {}, entry ? shortKey(entry.keys[0]) : ''),
        swatch({colour, isVoid, isClear}),
        h('span', {className: 'class-name'}, name), share);
      if (!entry) row.addEventListener('click', () => this.onCommand('class-code', code));
      this.shares.set(code, {row, share});
      return row;
    }));
  }

  showShares(counts, total) {
    for (const [code, {share}] of this.shares) {
      const text = total ? percent(counts[code] / total) : '';
      if (share.textContent !== text) share.textContent = text;
    }
  }

  /* Mark the chosen tool, class and settings. */
  showSettings({tool, classCode, hoverCode, diameter, opacity, hidden, underlay, contrast, hatching, provenance}) {
    for (const {id} of COMMANDS.filter((entry) => entry.tool))
      for (const element of this.element.querySelectorAll(`.tools [data-command="${id}"]`))
        element.ariaPressed = String(id === tool);
    for (const [code, {row}] of this.shares ?? []) {
      row.classList.toggle('chosen', code === classCode);
      row.classList.toggle('hovered', code === hoverCode);
    }
    this.size.textContent = `${diameter} px`;
    this.slider.value = String(Math.round((100 * Math.log(diameter)) / Math.log(256)));
    this.opacity.textContent = hidden ? 'hidden' : `${Math.round(100 * opacity)} %`;
    for (const element of this.element.querySelectorAll('[data-command="hide"]'))
      element.ariaPressed = String(hidden);
    this.values.underlay.textContent = underlay;
    this.values.contrast.textContent = contrast;
    this.values.clouds.textContent = hatching;
    this.values.provenance.textContent = provenance;
  }

  /* The state of saving: {kind, text, detail}. */
  showState({kind, text, detail = ''}) {
    this.state.dataset.kind = kind;
    if (this.state.textContent !== text) this.state.textContent = text;
    this.state.title = detail;
  }

  showDepths(undo, redo) {
    for (const [id, depth] of [['undo', undo], ['redo', redo]])
      for (const element of this.element.querySelectorAll(`[data-command="${id}"]`)) {
        element.disabled = depth === 0;
        element.title = `${tooltip(command(id))}\n${depth} possible`;
      }
  }

  /* The read-out below the panes: a list of [name, value], name may be empty. */
  showReadout(items) {
    this.readout.replaceChildren(...items.map(([name, value, colour]) => h('span', {className: 'item'},
      name ? h('i', {}, name) : null,
      colour ? h('span', {className: 'dot', style: `background:${colour}`}) : null, value)));
  }

  /* A quiet line that says what happened and what to do; it stays until dismissed when `sticky`. */
  say(text, {kind = 'note', sticky = false, action = null} = {}) {
    clearTimeout(this.bannerTimer);
    const close = h('button', {type: 'button', className: 'command', title: 'Dismiss', ariaLabel: 'Dismiss'}, icon('close'));
    close.addEventListener('click', () => this.hush());
    const act = action && h('button', {type: 'button', className: 'command text'}, action.label);
    act?.addEventListener('click', () => {
      this.hush();
      action.run();
    });
    this.banner.replaceChildren(h('span', {}, text), act ?? '', close);
    this.banner.dataset.kind = kind;
    this.banner.hidden = false;
    if (!sticky) this.bannerTimer = setTimeout(() => this.hush(), 4500);
  }

  hush() {
    clearTimeout(this.bannerTimer);
    this.banner.hidden = true;
  }

  /* Ask for one of several answers; a promise of its `value`. */
  ask(title, text, answers) {
    return new Promise((resolve) => {
      const buttons = answers.map(({value, label, help, primary}) => {
        const choice = h('button', {type: 'button', className: `command text ${primary ? 'primary' : ''}`,
          title: help ?? '', data: {answer: value}}, label);
        choice.addEventListener('click', () => {
          this.dialog.hidden = true;
          resolve(value);
        });
        return choice;
      });
      this.dialog.replaceChildren(h('h2', {}, title), h('p', {}, text), h('div', {className: 'answers'}, ...buttons));
      this.dialog.hidden = false;
      buttons[0].focus();
    });
  }
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

/* The colour of a class; hollow where it is drawn clear, a checker where there is none. */
function swatch({colour, isVoid, isClear}) {
  const style = isVoid ? '' : isClear ? `border:2px solid ${colour}` : `background:${colour}`;
  return h('span', {className: isVoid ? 'swatch void' : isClear ? 'swatch clear' : 'swatch', style});
}

function keyCaps(keys, joins = []) {
  return keys.flatMap((key, i) => [i ? (joins[i - 1] ?? ' or ') : null, h('kbd', {}, key)]).filter(Boolean);
}

const shortKey = (key) => key.replace('Shift+', '⇧');

/* A share with two significant digits; what is there never reads as 0. */
export function percent(share) {
  const value = 100 * share;
  if (value === 0) return '–';
  if (value < 0.1) return '<0.1 %';
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
