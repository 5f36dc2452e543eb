/* Moving a misregistered image on the screen: a small bar with arrows in its pane. Only the drawing
moves; labels, values and exports stay. Everybody sees the nudge, as it is kept with the layer. */

import {h} from '../dom.js';
import {keepFromGround} from '../panes.js';
import {nudgeText} from './shown.js';

const MOST_PX = 200;
const SAVE_AFTER_MS = 400;
const ARROWS = [['ArrowLeft', '←', 0, -1, 'left'], ['ArrowUp', '↑', -1, 0, 'up'],
  ['ArrowDown', '↓', 1, 0, 'down'], ['ArrowRight', '→', 0, 1, 'right']];

export class Nudge {
  /* `editor` for its display, server and panel. */
  constructor(editor) {
    this.editor = editor;
    this.layer = null;
    this.text = h('span', {className: 'nudge-text'});
    const button = (label, name, run) => {
      const element = h('button', {type: 'button', className: 'command', ariaLabel: name, title: name}, label);
      element.addEventListener('click', (event) => {
        run(event);
        // After a click the arrow keys go on moving, and Enter does not press the button again.
        if (event.detail && this.layer) this.bar.focus();
      });
      return element;
    };
    this.bar = h('div', {className: 'nudge', role: 'group', tabIndex: -1, ariaLabel: 'Move the image'}, this.text,
      ...ARROWS.map(([, label, y, x, name]) => button(label, `Move ${name} 1 px; Shift 10 px, Alt half a px`,
        (event) => this.move(y, x, event))),
      button('Reset', 'Put the image back in its place', () => this.#set({y: 0, x: 0})),
      button('✕', 'Close', () => this.close()));
    keepFromGround(this.bar);
    this.bar.addEventListener('keydown', (event) => this.#key(event));
  }

  /* Open the bar in a pane, or close it where it is open. */
  toggle(slot) {
    const {display, view, panel} = this.editor, {layer, missing} = display.found[slot];
    if (this.layer && this.bar.parentElement === view.panes[slot].element) return this.close();
    if (!layer || missing) return panel.say('This pane shows no image that could be moved.');
    this.layer = layer;
    view.panes[slot].element.append(this.bar);
    this.#show();
    this.bar.focus();
  }

  close() {
    if (!this.layer) return false;
    const root = this.bar.getRootNode();
    if (this.bar.contains(root.activeElement)) root.activeElement.blur();
    this.layer = null;
    this.bar.remove();
    return true;
  }

  /* The same tile as told anew: the image that is being moved is one of these now. */
  renew({layers}) {
    if (this.layer) this.layer = layers.find(({id}) => id === this.layer.id) ?? this.layer;
  }

  #key(event) {
    const arrow = ARROWS.find(([key]) => key === event.key);
    if (!arrow || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(arrow[2], arrow[3], event);
  }

  /* One step: 1 px, with Shift 10, with Alt half a pixel. */
  move(y, x, {shiftKey = false, altKey = false} = {}) {
    const step = shiftKey ? 10 : altKey ? 0.5 : 1, {nudge} = this.layer;
    const within = (value) => Math.max(-MOST_PX, Math.min(MOST_PX, value));
    this.#set({y: within(nudge.y + y * step), x: within(nudge.x + x * step)});
  }

  #set(nudge) {
    const {scene} = this.editor;
    Object.assign(this.layer.nudge, nudge);
    scene.nudge(this.layer.id, nudge);
    this.editor.display.showCaptions();
    this.editor.probe.renew();
    this.#show();
    this.#save(this.layer);
  }

  #show() {
    this.text.textContent = nudgeText(this.layer.nudge) || 'in its place';
  }

  /* Keep the last of several steps. On a tile that may not be changed the nudge lasts until it is left. */
  #save(layer) {
    const {server, panel, manifest, scene} = this.editor;
    clearTimeout(this.timer);
    if (manifest.readonly) return;
    this.timer = setTimeout(async () => {
      const response = await server.post(`/tile/${scene.tile.id}/nudge/${layer.id}`, layer.nudge).catch(() => null);
      if (!response?.ok) panel.say('The place of the image could not be kept; it holds until the tile is left.', {kind: 'warning'});
    }, SAVE_AFTER_MS);
  }
}
