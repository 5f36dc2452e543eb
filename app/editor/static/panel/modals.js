/* What opens over the editor and keeps the keyboard until it is closed: key sheet, remapping, choices.
Focus goes in, stays in, and returns to where it was. */

const FOCUSABLE = 'button, input, select, textarea, [tabindex="0"]';

export class Modals {
  constructor() {
    this.stack = [];
  }

  get top() {
    return this.stack.at(-1) ?? null;
  }

  /* Show an element as a modal. `onClose` hears that Escape closed it; without one Escape does nothing,
     as where a choice must be made. `onKey(event)` may take a key first and then returns true. */
  open(element, {onClose = null, onKey = null, focus = null} = {}) {
    if (this.stack.some((modal) => modal.element === element)) return;
    const before = element.getRootNode().activeElement ?? null;
    this.stack.push({element, onClose, onKey, before});
    element.hidden = false;
    element.setAttribute('aria-modal', 'true');
    (focus ?? focusable(element)[0] ?? element).focus();
  }

  close(element) {
    const at = this.stack.findIndex((modal) => modal.element === element);
    if (at < 0) return;
    const [{before}] = this.stack.splice(at, 1);
    element.hidden = true;
    if (before?.isConnected) before.focus();
    else element.getRootNode().activeElement?.blur();
  }

  /* A key was pressed while something is open. The page behind must not hear it. */
  key(event) {
    const {element, onClose, onKey} = this.top;
    if (onKey?.(event)) return stop(event);
    if (event.key === 'Escape') {
      onClose?.();
      return stop(event);
    }
    if (event.key === 'Tab') this.#keepInside(event, element);
  }

  #keepInside(event, element) {
    const list = focusable(element), at = list.indexOf(event.composedPath()[0]);
    const last = event.shiftKey ? 0 : list.length - 1;
    if (at !== last && at >= 0) return;
    (event.shiftKey ? list.at(-1) : list[0])?.focus();
    stop(event);
  }
}

function focusable(element) {
  return [...element.querySelectorAll(FOCUSABLE)]
    .filter((item) => !item.disabled && item.tabIndex >= 0 && item.offsetParent !== null);
}

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}
