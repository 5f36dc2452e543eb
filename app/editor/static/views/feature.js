/* Panes, their layout and their views as commands: what `display.js` shows, a person chooses here. */

import {command} from '../commands.js';
import {h} from '../dom.js';
import {button} from '../panel/controls.js';
import {FILTERS} from './catalog.js';
import {Compare} from './compare.js';
import {LAYOUTS, gridOf} from './layouts.js';
import {Menu, OUTLINED} from './menu.js';
import {Nudge} from './nudge.js';

const THICK = 2;

export class Views {
  static id = 'views';

  constructor(editor) {
    this.editor = editor;
    const {display, panel} = editor;
    this.compare = new Compare(editor);
    this.menu = new Menu(editor);
    this.nudge = new Nudge(editor);
    this.warned = new Set();
    panel.panes.onMenu = (slot, caption) => this.menu.open(slot, caption);
    display.compare = this.compare;
    display.onShow = () => this.#shown();
    this.#fillSection(panel.section('panes', 'Panes'));
  }

  #fillSection(section) {
    this.layouts = h('div', {className: 'layouts', role: 'group', ariaLabel: 'Layout of the panes'},
      ...LAYOUTS.map((layout) => this.#layoutButton(layout)));
    section.append(this.layouts, h('div', {className: 'pane-commands'},
      ...['layout', 'layout-back', 'next-view', 'swipe', 'flicker', 'nudge', 'speckle', 'sky', 'contours', 'only-class']
        .map((id) => button(id, {text: command(id).label}))),
    h('div', {className: 'row', role: 'group', ariaLabel: 'Move over the ground'},
      ...['pan-left', 'pan-up', 'pan-down', 'pan-right'].map((id) => button(id))));
  }

  #layoutButton(layout) {
    const {areas, rows, columns, names} = gridOf(layout);
    const picture = h('span', {className: 'layout-picture', ariaHidden: 'true'},
      ...names.map((name) => h('i', {style: `grid-area:${name}`})));
    Object.assign(picture.style, {gridTemplateAreas: areas, gridTemplateRows: rows, gridTemplateColumns: columns});
    const element = h('button', {type: 'button', className: 'command', title: layout.label, ariaLabel: layout.label,
      data: {layout: layout.id}}, picture);
    element.addEventListener('click', () => {
      this.editor.display.setLayout(layout.id);
      if (element.matches(':focus:not(:focus-visible)')) element.blur();
    });
    return element;
  }

  #shown() {
    const {layout} = this.editor.display.arrangement;
    for (const element of this.layouts?.children ?? []) element.ariaPressed = String(element.dataset.layout === layout);
    this.compare.show();
    this.editor.probe.renew();
  }

  /* The pane that a command is meant for: the one under the cursor, or that had it last. */
  get slot() {
    const {view} = this.editor, hovered = view.shown.find((pane) => pane.hovered);
    const last = this.last?.shown ? this.last : view.active;
    return view.panes.indexOf(hovered ?? last);
  }

  hover(at) {
    if (at) this.last = this.editor.view.shown.find(({hovered}) => hovered) ?? this.last;
  }

  open(scene, manifest) {
    if (scene === this.scene) return this.nudge.renew(manifest);
    this.scene = scene;
    this.menu.close();
    // Images of another tile have nudges of their own.
    this.nudge.close();
  }

  cancel() {
    return this.menu.close() || this.nudge.close() || this.compare.close();
  }

  /* Next speckle filter of every SAR image on the screen. */
  stepFilter() {
    const {display, panel} = this.editor, names = [undefined, ...Object.keys(FILTERS)];
    const slots = display.found.flatMap(({layer, missing}, i) => (layer?.modality === 'sar' && !missing ? [i] : []));
    if (!slots.length) return panel.say('No pane shows SAR.');
    const now = display.views[slots[0]].rendering.filter;
    const filter = names[(names.indexOf(now) + 1) % names.length];
    display.changeViews(slots, ({rendering}) => {
      const {filter: _, ...rest} = rendering;
      return {rendering: filter ? {...rest, filter} : rest};
    });
    panel.say(filter ? `SAR is shown through a ${FILTERS[filter]} filter. Stored values stay as they are.`
      : 'SAR is shown without a speckle filter.');
  }

  /* Draw classes as outlines, or filled again: in the pane under the cursor, or in all where it has none. */
  toggleContours() {
    const {display, panel} = this.editor, {slot} = this;
    const all = display.found.flatMap(({overlays}, i) => (OUTLINED.some((name) => overlays.includes(name)) ? [i] : []));
    if (!all.length) return panel.say('No pane shows classes.');
    const slots = all.includes(slot) ? [slot] : all, contours = !display.views[slots[0]].contours;
    display.changeViews(slots, () => ({contours}));
    panel.say(contours ? 'Classes are drawn as outlines.' : 'Classes are drawn filled.');
  }

  /* Warn once per tile when labels under thick cloud change while SAR could be looked at and is not. */
  committed(change) {
    const {display, scene, manifest, panel} = this.editor;
    if (scene.cloudId === null || this.warned.has(scene.tile.id)) return;
    if (!manifest.layers.some(({modality}) => modality === 'sar')) return;
    if (display.images.some(({modality}) => modality === 'sar') || !underThickCloud(scene, change)) return;
    this.warned.add(scene.tile.id);
    panel.say('You changed labels under thick cloud, and no pane shows SAR. Choose it in the caption of a pane.',
      {kind: 'warning'});
  }

  destroy() {
    this.menu.close();
  }
}

/* Whether any changed pixel lies under thick cloud, as far as clouds are loaded: where they are seen from
afar alone, the middle of each stretch of pixels tells. */
function underThickCloud(scene, change) {
  const {labels} = scene, known = new Map();
  let found = false;
  labels.along(change, (block, from, to, _n, row, col) => {
    if (found || !block) return;
    if (!known.has(block)) known.set(block, labels.companions(block.by, block.bx).cloud);
    const codes = known.get(block);
    found = codes ? codes.subarray(from, to).includes(THICK)
      : scene.at(row, col + ((to - from) >> 1)).cloud === THICK;
  });
  return found;
}
