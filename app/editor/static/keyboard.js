/* Keys of the window: which belong to a command, which are held, and which are left to the page. */

import {commandOfKey, keyOf} from './commands.js';

// Keys that a control uses itself while it has the focus. Clicks leave no focus behind, so whoever has
// it there came by keyboard.
const OWN_KEYS = [
  ['button, summary, [role=button]', /^(Enter| )$/],
  ['input[type=checkbox], input[type=radio]', /^( |Arrow\w+)$/],
  ['input[type=range]', /^(Arrow\w+|Home|End|PageUp|PageDown)$/],
  ['[data-rove] *, [role=slider]', /^(Arrow\w+|Home|End)$/],
  ['.nudge, .nudge *', /^Arrow\w+$/],
];

export class Keyboard {
  /* `editor` gets run(id), onShift(pressed) and says whether it `takesKeys`; its panel knows what is open. */
  constructor(editor, signal) {
    this.editor = editor;
    this.held = null;
    // Capturing on the window: the page's own shortcuts must not see keys that are ours.
    addEventListener('keydown', (event) => this.#down(event), {capture: true, signal});
    addEventListener('keyup', (event) => this.#up(event), {capture: true, signal});
    addEventListener('blur', () => this.#dropHeld(), {signal});
  }

  #down(event) {
    if (event.isComposing) return;
    const {modals} = this.editor.panel;
    if (modals.top) return modals.key(event);
    if (isTyping(event) || usesItself(event) || isForBrowser(event)) return;
    // A gesture may have a use of its own for a key: Enter closes a polygon.
    if (this.editor.takesKeys && this.editor.hand.key(keyOf(event))) {
      event.stopPropagation();
      return event.preventDefault();
    }
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

const targetOf = (event) => event.composedPath()[0];

/* Whether the key goes into a field, also inside a shadow root. */
function isTyping(event) {
  const field = targetOf(event);
  if (!(field instanceof Element)) return false;
  if (field.isContentEditable) return true;
  return field.matches('textarea, select, input:not([type=range], [type=checkbox], [type=radio], [type=button])');
}

/* Whether a key is pressed with Alt, as for the menus of the browser and for going back: those are no
   commands. AltGr is another key, and Option writes brackets on some keyboards of Apple without saying so. */
function isForBrowser(event) {
  return event.altKey && !'[]'.includes(event.key) && !event.getModifierState('AltGraph');
}

/* Whether the control with the focus uses the key itself. */
function usesItself(event) {
  const control = targetOf(event);
  if (!(control instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return false;
  return OWN_KEYS.some(([selector, keys]) => keys.test(event.key) && control.matches(selector));
}
