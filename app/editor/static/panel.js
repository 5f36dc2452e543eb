/* The furniture around the panes: bar, toolbar, side column, read-out, key sheet, messages and choices.
It shows what the editor tells it and reports clicks as commands; text from the database goes in as
text nodes only. The parts lie in `panel/`. */

import {COMMANDS, command} from './commands.js';
import {h} from './dom.js';
import {Bar} from './panel/bar.js';
import {refreshTooltips, setTooltip} from './panel/controls.js';
import {Messages} from './panel/messages.js';
import {Modals} from './panel/modals.js';
import {KeySheet} from './panel/sheet.js';
import {Side} from './panel/side.js';
import {Toolbar} from './panel/toolbar.js';
import {Panes} from './panes.js';

export class Panel {
  constructor(root, {onCommand, onAcquisition, onModel, onHome}) {
    this.onCommand = onCommand;
    this.element = h('div', {className: 'editor', tabIndex: -1});
    this.modals = new Modals();
    this.panes = new Panes();
    this.bar = new Bar({onAcquisition, onModel, onHome});
    this.toolbar = new Toolbar();
    this.column = new Side({onCommand, onSource: (code) => onCommand('recode-from', code)});
    this.messages = new Messages(this.modals);
    this.keySheet = new KeySheet(this.modals);
    this.dock = h('div', {className: 'dock'});
    this.readout = h('footer', {className: 'readout', role: 'group', ariaLabel: 'Under the cursor'});
    this.element.append(this.bar.element, this.toolbar.element, this.panes.element, this.dock,
      this.column.element, this.readout, ...this.messages.elements, this.keySheet.element);
    this.element.addEventListener('click', (event) => this.#clicked(event));
    // What is typed in a field here must not be taken for a shortcut of the page.
    for (const name of ['keydown', 'keyup'])
      this.element.addEventListener(name, (event) => event.stopPropagation());
    root.append(this.element);
  }

  // What the editor and its features reach for by name.
  get slider() { return this.column.slider; }
  get values() { return this.column.values; }
  get side() { return this.column.element; }
  get state() { return this.bar.state; }
  get sheet() { return this.keySheet.element; }
  get banner() { return this.messages.banner; }
  get dialog() { return this.messages.dialog; }

  #clicked(event) {
    const target = event.target.closest('[data-command], [data-run]');
    if (!target || target.ariaDisabled === 'true') return;
    const {command: id, run} = target.dataset, {top} = this.modals;
    // Focus left by the mouse would catch the next Space or Enter.
    if (event.detail) target.blur();
    if (top?.element.contains(target) && (run || id === 'cancel')) top.onClose?.();
    if (run) this.onCommand(run);
    else if (!top?.element.contains(target) || id !== 'cancel') this.onCommand(id);
  }

  /* A section of the side column to fill; one `id` is one section. `{folded: true}` starts it folded. */
  section(id, title, options) {
    return this.column.section(id, title, options);
  }

  /* Open a section, as for a command that belongs to it. */
  unfold(id) {
    this.column.unfold(id);
  }

  toggleHelp() {
    this.keySheet.toggle();
  }

  /* Keys were changed: every place that names one names the new one. */
  keysChanged() {
    refreshTooltips(this.element);
    this.column.classes.showKeys();
    this.keySheet.showKeys();
  }

  /* Fill what depends on the tile. */
  showTile(manifest, chosen) {
    const {classes, acquisitions, neighbours, readonly} = manifest;
    this.bar.show(manifest, chosen);
    refreshTooltips(this.element);
    for (const id of ['previous', 'next']) this.#enable(id, neighbours[id] !== null);
    this.element.classList.toggle('readonly', readonly !== null);
    for (const {id} of COMMANDS.filter(({changes}) => changes)) this.#enable(id, readonly === null);
    const clouds = this.column.element.querySelector('[data-pair="clouds"]');
    if (clouds) clouds.hidden = !acquisitions.some(({hasCloud}) => hasCloud);
    this.column.classes.fill(classes.map((entry, place) => ({...entry, place})));
  }

  #enable(id, on) {
    for (const element of this.element.querySelectorAll(`[data-command="${id}"]`)) element.disabled = !on;
  }

  showShares(counts, total) {
    this.column.classes.showShares(counts, total);
  }

  /* Mark the class under the cursor; called often. */
  showHover(code) {
    this.column.classes.showHover(code);
  }

  /* Mark the chosen tool, class and settings. */
  showSettings(settings) {
    const {tool, classCode, hidden, underlay, contrast, hatching, provenance} = settings;
    const patterns = settings.classPatterns ? 'shown' : 'hidden';
    this.toolbar.show(this.element.editor, tool);
    this.column.classes.show(settings);
    this.column.showBrush(settings);
    this.column.badges.show(this.element.editor, (code) => this.column.classes.nameOf(code));
    this.#showPressed();
    for (const element of this.element.querySelectorAll('[data-command="hide"]'))
      element.ariaPressed = String(hidden);
    this.element.dataset.effect = settings.effect;
    for (const [id, text] of Object.entries({underlay, contrast, clouds: hatching, provenance, patterns}))
      this.column.showValue(id, text);
    this.#speak(tool, classCode);
  }

  /* The switches outside the toolbar. */
  #showPressed() {
    const {editor} = this.element;
    for (const element of this.element.querySelectorAll('.side [data-command], .dock [data-command]')) {
      const entry = command(element.dataset.command);
      if (entry?.pressed && !element.classList.contains('wide')) element.ariaPressed = String(entry.pressed(editor));
    }
  }

  /* Tell a screen reader which tool and class are in hand when they change. */
  #speak(tool, classCode) {
    const said = `${command(tool)?.label ?? tool}, ${this.column.classes.nameOf(classCode)}`;
    if (this.said && this.said !== said) this.messages.speak(said);
    this.said = said;
  }

  /* The state of saving: {kind, text, detail}. */
  showState(state) {
    this.bar.showState(state);
  }

  showDepths(undo, redo) {
    for (const [id, depth] of [['undo', undo], ['redo', redo]])
      for (const element of this.element.querySelectorAll(`[data-command="${id}"]`)) {
        element.disabled = depth === 0;
        setTooltip(element, command(id), `${depth} possible`);
      }
  }

  /* The read-out below the panes: a list of [name, value], name may be empty. */
  showReadout(items) {
    this.readout.replaceChildren(...items.map(([name, value, colour]) => h('span', {className: 'item'},
      name ? h('i', {}, name) : null,
      colour ? h('span', {className: 'dot', style: `background:${colour}`}) : null, value)));
  }

  say(text, options) {
    return this.messages.say(text, options);
  }

  hush() {
    this.messages.hush();
  }

  ask(title, text, answers) {
    return this.messages.ask(title, text, answers);
  }
}
