/* What the editor says: a quiet line above the read-out, the same words for screen readers, and the
few questions that need an answer. */

import {h} from '../dom.js';
import {icon} from '../icons.js';

const SHOWN_MS = 4500;
// A question may come while keys are pressed for the panes: they must not answer it.
const ARMED_AFTER_MS = 500;

export class Messages {
  constructor(modals) {
    this.modals = modals;
    // The note on the screen, and those that stay until they are dismissed, the newest last.
    Object.assign(this, {shown: null, standing: []});
    this.banner = h('div', {className: 'banner', hidden: true});
    // Two lines that always exist: a screen reader does not hear elements that come with their text.
    this.spoken = h('div', {className: 'unseen', role: 'status', ariaLive: 'polite'});
    this.urgent = h('div', {className: 'unseen', role: 'alert', ariaLive: 'assertive'});
    this.dialog = h('div', {className: 'dialog', hidden: true, role: 'alertdialog', tabIndex: -1});
    this.elements = [this.banner, this.spoken, this.urgent, this.dialog];
  }

  /* Say what happened and what to do; it stays until dismissed when `sticky`, and comes back after what
     is said meanwhile. Returns a function that takes these words back. */
  say(text, {kind = 'note', sticky = false, action = null} = {}) {
    const note = this.#note({text, kind, sticky, action});
    if (sticky) this.standing = [...this.standing.filter((other) => other.text !== text), note];
    this.#show(note);
    (kind === 'warning' ? this.urgent : this.spoken).textContent = text;
    return () => this.#takeBack(note);
  }

  #note({text, kind, sticky, action}) {
    const note = {text, kind, sticky};
    const close = h('button', {type: 'button', className: 'command', title: 'Dismiss', ariaLabel: 'Dismiss'},
      icon('close'));
    close.addEventListener('click', () => this.#takeBack(note));
    const act = action && h('button', {type: 'button', className: 'command text'}, action.label);
    act?.addEventListener('click', () => {
      this.#takeBack(note);
      action.run();
    });
    note.parts = [h('span', {}, text), act ?? '', close];
    return note;
  }

  /* Show a note, or (null) none. */
  #show(note) {
    clearTimeout(this.timer);
    this.shown = note;
    this.banner.hidden = note === null;
    if (!note) return;
    this.banner.replaceChildren(...note.parts);
    this.banner.dataset.kind = note.kind;
    if (!note.sticky) this.timer = setTimeout(() => this.hush(), SHOWN_MS);
  }

  #takeBack(note) {
    this.standing = this.standing.filter((other) => other !== note);
    if (this.shown === note) this.#show(this.standing.at(-1) ?? null);
  }

  /* Dismiss what stands there. */
  hush() {
    if (this.shown) this.#takeBack(this.shown);
  }

  /* Tell a screen reader alone: what others see changed beside them. */
  speak(text) {
    this.spoken.textContent = text;
  }

  /* Ask for one of several answers; a promise of its `value`. */
  ask(title, text, answers) {
    return new Promise((resolve) => {
      const buttons = answers.map(({value, label, help, primary}) => {
        const choice = h('button', {type: 'button', className: `command text ${primary ? 'primary' : ''}`,
          title: help ?? '', data: {answer: value}}, label);
        choice.addEventListener('click', () => {
          this.modals.close(this.dialog);
          resolve(value);
        });
        return choice;
      });
      const heading = h('h2', {id: 'dialog-title'}, title), words = h('p', {id: 'dialog-text'}, text);
      this.dialog.setAttribute('aria-labelledby', heading.id);
      this.dialog.setAttribute('aria-describedby', words.id);
      this.dialog.replaceChildren(heading, words, h('div', {className: 'answers'}, ...buttons));
      const asked = performance.now();
      this.modals.open(this.dialog, {focus: buttons[0], onKey: ({key, repeat}) =>
        (key === 'Enter' || key === ' ') && (repeat || performance.now() - asked < ARMED_AFTER_MS)});
    });
  }
}
