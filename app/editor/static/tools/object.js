/* Object mode of damage projects: the building under the cursor is outlined in every pane and named in the
read-out; a click gives it the next class, a digit the class of that number. The brush mends shapes. */

import {outerPath} from '../outline.js';

export class ObjectTool {
  static line = 'object';

  constructor(hand) {
    this.hand = hand;
    Object.assign(this, {at: null, shown: null});
    hand.editor.features.objects.onKnown(() => this.at && hand.gesture === this && this.hover(this.at));
  }

  press(at) {
    const found = this.#building(at), {objects} = this.hand.editor.features;
    if (found) this.#set(found, objects.next(found.code));
    else this.hand.say('There is no building here. Paint one with the brush (B).');
    return false;
  }

  /* Digits go by the list of classes, as everywhere. */
  key(name) {
    const found = this.at && /^[1-9]$/.test(name) && this.#building(this.at);
    const entry = found && this.hand.editor.manifest.classes.filter(({isVoid}) => !isVoid)[Number(name) - 1];
    if (!entry || !this.hand.mayEdit()) return false;
    this.#set(found, entry.code);
    return true;
  }

  async #set({mask, name}, code) {
    const {hand} = this, reason = name ? `building ${name}` : null;
    await hand.apply('object', mask, {effect: 'class', toClass: code, reason});
    if (this.at) this.hover(this.at);
  }

  hover(at) {
    this.at = at;
    const found = at && this.#building(at), {editor} = this.hand;
    editor.probe.setNote(found ? this.#words(found) : null);
    if (found?.mask === this.shown) return;
    this.shown = found?.mask ?? null;
    editor.preview.path(ObjectTool.line, found ? outerPath(found.mask) : null, true);
  }

  cancel() {
    this.hover(null);
    return false;
  }

  #building({x, y}) {
    return this.hand.editor.features.objects.at(Math.floor(y), Math.floor(x));
  }

  #words({name, pixels, code}) {
    const {name: label, colour} = this.hand.editor.manifest.classes.find((entry) => entry.code === code);
    const size = `${pixels.toLocaleString('en')} px`;
    return [['building', `${name === null ? '…' : name}  ${size}  ${label}`, colour]];
  }
}
