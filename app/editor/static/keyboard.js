/* Keys of the window: which belong to a command, which are held, and which are left to the page. */

import {commandOfKey, keyOf} from './commands.js';

export class Keyboard {
  /* `editor` gets run(id), onShift(pressed) and says whether it `takesKeys`. */
  constructor(editor, signal) {
    this.editor = editor;
    this.held = null;
    // Capturing on the window: the page's own shortcuts must not see keys that are ours.
    addEventListener('keydown', (event) => this.#down(event), {capture: true, signal});
    addEventListener('keyup', (event) => this.#up(event), {capture: true, signal});
    addEventListener('blur', () => this.#dropHeld(), {signal});
  }

  #down(event) {
    if (event.isComposing || isTyping(event)) return;
    const found = commandOfKey(keyOf(event));
    const streamlitKey = !event.ctrlKey && !event.metaKey && /^[rc]$/i.test(event.key);
    if (found || streamlitKey) event.stopPropagation();
    this.editor.onShift(event.shiftKey);
    if (!found || !this.editor.takesKeys) return;
    event.preventDefault();
    if (event.repeat && (found.release || found.group === 'Tiles')) return;
    if (found.release) this.held = {found, at: performance.now(), code: event.code};
    this.editor.run(found.id);
  }

  #up(event) {
    this.editor.onShift(event.shiftKey);
    if (!this.held || event.code !== this.held.code) return;
    const {found, at} = this.held;
    this.held = null;
    event.stopPropagation();
    found.release(this.editor, performance.now() - at);
  }

  /* The window lost the keyboard: keys let go elsewhere are not heard. */
  #dropHeld() {
    if (this.held) this.held.found.release(this.editor, Infinity);
    this.held = null;
  }
}

/* Whether the key goes into a field, also inside a shadow root. */
function isTyping(event) {
  const field = event.composedPath()[0];
  if (!(field instanceof Element)) return false;
  if (field.isContentEditable) return true;
  return field.matches('textarea, select, input:not([type=range], [type=checkbox], [type=button])');
}
