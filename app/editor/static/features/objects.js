/* Buildings of a damage tile: the component under the cursor, found in the labels on screen, and the id
that the server gives it. Tools and read-out ask here. */

import {command} from '../commands.js';
import {setTooltip} from '../panel/controls.js';
import {component} from '../raster.js';
import {mayPass} from '../server.js';

const FIRST_SIDE = 128;
const LARGEST_SIDE = 4096;
const ASK_AFTER_MS = 120;
const AGAIN_MS = 2000, LONGEST_MS = 10000;
const WHY_NOT = 'Objects are the buildings of damage projects; this project maps land cover.';

export class Objects {
  static id = 'objects';

  constructor(editor) {
    this.editor = editor;
    Object.assign(this, {scene: null, order: [], known: new Map(), here: null, asking: false, timer: null});
    this.listeners = new Set();
  }

  open(scene, manifest) {
    const {editor} = this;
    if (scene !== this.scene)
      Object.assign(this, {scene, here: null, known: new Map(), pause: ASK_AFTER_MS, refused: false});
    // By severity, as the class table lists them.
    this.order = manifest.classes.filter(({isVoid, isClear}) => !isVoid && !isClear);
    this.isBuilding = new Uint8Array(256);
    for (const {code} of this.order) this.isBuilding[code] = 1;
    this.available = manifest.project.kind === 'damage';
    for (const element of editor.element.querySelectorAll('[data-command="object"]')) {
      if (!this.available) element.disabled = true;
      setTooltip(element, command('object'), this.available ? '' : WHY_NOT);
    }
    if (!this.available && editor.settings.tool === 'object') editor.setTool('brush');
  }

  committed() {
    this.here = null;
  }

  destroy() {
    clearTimeout(this.timer);
  }

  /* Take the tool in hand, or say why it is not for this project. */
  take() {
    if (this.available) this.editor.setTool('object');
    else this.editor.panel.say(WHY_NOT);
  }

  /* Call back when ids have come from the server. */
  onKnown(listener) {
    this.listeners.add(listener);
  }

  /* The building under a pixel: {mask, pixels, code, at, name}, name null while it is not known. Null
     where there is none. */
  at(row, col) {
    const {labels} = this.scene, {here} = this;
    if (!this.available || !this.isBuilding[labels.at(row, col)?.label]) return null;
    if (here && here.edits === labels.edits && here.tile === labels && covers(here.mask, row, col))
      return this.#named(here);
    const mask = this.#component(row, col);
    const found = {...this.#measured(mask), mask, edits: labels.edits, tile: labels};
    this.here = found;
    return this.#named(found);
  }

  /* The connected building pixels around a seed; the part searched grows while they reach its edge. */
  #component(row, col) {
    const {labels} = this.scene;
    for (let side = FIRST_SIDE; ; side *= 4) {
      const y0 = Math.max(0, row - side / 2), x0 = Math.max(0, col - side / 2);
      const h = Math.min(labels.height, row + side / 2) - y0, w = Math.min(labels.width, col + side / 2) - x0;
      const data = labels.window({y0, x0, h, w});
      for (let i = 0; i < data.length; i++) data[i] = this.isBuilding[data[i]];
      const mask = component(data, h, w, row - y0, col - x0);
      const cut = (mask.y0 === 0 && y0 > 0) || (mask.x0 === 0 && x0 > 0)
        || (mask.y0 + mask.h === h && y0 + h < labels.height) || (mask.x0 + mask.w === w && x0 + w < labels.width);
      if (!cut || side >= LARGEST_SIDE) return {...mask, y0: mask.y0 + y0, x0: mask.x0 + x0};
    }
  }

  /* Pixels, first pixel in scan order and class: the one of most pixels, the more severe in a tie. */
  #measured(mask) {
    const values = this.scene.labels.window(mask), counts = new Float64Array(256);
    let pixels = 0;
    for (let i = 0; i < values.length; i++)
      if (mask.data[i]) {
        counts[values[i]]++;
        pixels++;
      }
    const best = this.order.reduce((a, b) => (counts[b.code] >= counts[a.code] ? b : a));
    return {pixels, code: best.code, at: `${mask.y0}/${mask.x0 + mask.data.indexOf(1)}`};
  }

  #named(found) {
    const known = this.known.get(found.at);
    const name = known && known.pixels === found.pixels ? known.name : null;
    if (name === null) this.#ask(found);
    return {...found, name};
  }

  /* Ask for the ids around a building; again as long as what the server has is another shape, but not on
     a tile for which it gives none. */
  #ask({mask}) {
    if (this.asking || this.refused) return;
    this.asking = true;
    this.timer = setTimeout(() => this.#load(mask), this.pause);
  }

  async #load({y0, x0, h, w}) {
    const {scene} = this, {server} = this.editor;
    try {
      const path = `/tile/${scene.tile.id}/objects?y0=${y0}&x0=${x0}&h=${h}&w=${w}`;
      const {objects} = await server.json(path);
      if (scene !== this.scene) return;
      this.pause = ASK_AFTER_MS;
      for (const {at, name, pixels} of objects) this.known.set(at.join('/'), {name, pixels});
    } catch (error) {
      if (scene === this.scene) this.#failed(error);
    } finally {
      this.asking = false;
    }
    for (const listener of this.listeners) listener();
  }

  /* Whoever rests on a building asks on: after longer and longer, and with one message. */
  #failed(error) {
    if (error.status !== undefined && this.pause === ASK_AFTER_MS) this.editor.panel.say(error.message);
    this.refused = !mayPass(error);
    this.pause = this.pause < AGAIN_MS ? AGAIN_MS : Math.min(LONGEST_MS, 2 * this.pause);
  }

  /* The class after one in the order of severity, back to the first after the last. */
  next(code) {
    const place = this.order.findIndex((entry) => entry.code === code);
    return this.order[(place + 1) % this.order.length].code;
  }
}

function covers({y0, x0, h, w, data}, row, col) {
  return row >= y0 && col >= x0 && row < y0 + h && col < x0 + w && data[(row - y0) * w + col - x0] === 1;
}
