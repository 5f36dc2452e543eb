/* Mouse and pen on the panes: which gesture is meant, and where it is in tile pixels.
Left paints with the tool; middle, or left while panning, drags the images; Alt and drag sets the
brush size; the wheel zooms at the cursor, Shift and wheel sets the brush size. */

const PX_PER_SIZE_STEP = 8;

export class Pointer {
  /* `target` gets hover(at, {shift}), exit(), press(at, {shift}), drag(at), release(), cancel(),
     isPanning() and stepBrush(steps). */
  constructor(view, target, timings) {
    Object.assign(this, {view, target, timings});
    this.gesture = null;
    for (const pane of view.panes) this.#listen(pane);
  }

  #listen(pane) {
    const on = (name, handler, options) => pane.element.addEventListener(name, handler, options);
    on('pointerdown', (event) => this.#down(pane, event));
    on('pointermove', (event) => this.#move(pane, event));
    on('pointerup', (event) => this.#up(event));
    on('pointercancel', () => this.#cancel());
    on('lostpointercapture', () => this.gesture && this.#cancel());
    on('pointerleave', () => this.#leave(pane));
    on('wheel', (event) => this.#wheel(event), {passive: false});
    on('contextmenu', (event) => event.preventDefault());
    // A middle click would start the browser's own scrolling.
    on('mousedown', (event) => event.button === 1 && event.preventDefault());
  }

  #at(event) {
    return this.view.toTile(event.offsetX, event.offsetY);
  }

  #down(pane, event) {
    if (this.gesture || event.button === 2) return;
    pane.element.setPointerCapture(event.pointerId);
    const at = {clientX: event.clientX, clientY: event.clientY};
    if (event.button === 1 || this.target.isPanning()) this.gesture = {kind: 'pan', ...at};
    else if (event.altKey) this.gesture = {kind: 'size', ...at};
    else if (this.target.press(this.#at(event), {shift: event.shiftKey})) this.gesture = {kind: 'tool'};
    this.#show(pane);
  }

  #move(pane, event) {
    const started = performance.now();
    this.#show(pane);
    const {gesture} = this;
    if (gesture?.kind === 'tool') {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.target.drag(this.#at(each));
    } else if (gesture?.kind === 'pan') {
      this.view.pan(event.clientX - gesture.clientX, event.clientY - gesture.clientY);
      Object.assign(gesture, {clientX: event.clientX, clientY: event.clientY, moved: true});
    } else if (gesture?.kind === 'size') {
      const steps = Math.trunc((event.clientX - gesture.clientX) / PX_PER_SIZE_STEP);
      if (steps) {
        this.target.stepBrush(steps);
        gesture.clientX += steps * PX_PER_SIZE_STEP;
      }
    }
    if (gesture?.kind !== 'size') this.target.hover(this.#at(event), {shift: event.shiftKey});
    this.timings.add('move', performance.now() - started);
  }

  #up(event) {
    const {gesture} = this;
    this.gesture = null;
    if (gesture?.kind === 'tool') this.target.release(event.timeStamp);
  }

  #cancel() {
    const {gesture} = this;
    this.gesture = null;
    if (gesture?.kind === 'tool') this.target.cancel();
  }

  /* Forget a running stroke: its tool has been cancelled by key. */
  drop() {
    this.gesture = null;
  }

  #leave(pane) {
    if (this.gesture) return;
    pane.hovered = false;
    this.target.exit();
  }

  #show(pane) {
    for (const other of this.view.panes) other.hovered = other === pane;
  }

  #wheel(event) {
    event.preventDefault();
    // Some systems turn Shift and wheel into a sideways scroll.
    const delta = event.deltaY || event.deltaX;
    if (event.shiftKey) this.target.stepBrush(delta < 0 ? 1 : -1);
    else {
      const lines = event.deltaMode === 1 ? 16 : 1;
      const speed = event.ctrlKey ? 0.01 : 0.0018;
      this.view.zoom(Math.exp(-delta * lines * speed), event.offsetX, event.offsetY);
    }
    this.target.hover(this.#at(event), {shift: false});
  }
}
