/* Mouse, pen and fingers on the panes: which gesture is meant, and where it is in tile pixels.
Left, the pen or one finger works with the tool; middle, or left while panning, drags the images; two
fingers drag and zoom them, and while there is a pen the hand that rests beside it does nothing; Alt and drag sets the brush size; the wheel zooms at the cursor, Shift and
wheel sets the brush size. */

const PX_PER_SIZE_STEP = 8;
// For so long after a pen was seen, what touches the glass is taken for the hand that holds it.
const PALM_MS = 1000;

export class Pointer {
  /* `target` gets hover(at, keys), exit(), press(at, keys), drag(at, keys), release(time), cancel(),
     doubleClick(at, keys), isPanning() and stepBrush(steps). */
  constructor(view, target, timings) {
    Object.assign(this, {view, target, timings});
    this.gesture = null;
    this.fingers = new Map();
    this.palms = new Set();
    this.penSeen = -Infinity;
    for (const pane of view.panes) this.listen(pane);
  }

  /* Take over a pane of the view. */
  listen(pane) {
    // Panes of different sizes show the same ground in their middle: places count from one of them.
    const on = (name, handler, options) => pane.element.addEventListener(name, (event) => {
      if (event.pointerType === 'pen') this.penSeen = performance.now();
      if (this.#isPalm(event)) return;
      this.pane = pane;
      handler(event);
    }, options);
    on('pointerdown', (event) => this.#down(pane, event));
    on('pointermove', (event) => this.#move(pane, event));
    on('pointerup', (event) => this.#up(event));
    on('pointercancel', (event) => this.#cancel(event));
    on('lostpointercapture', (event) => this.#lost(event));
    on('pointerleave', () => this.#leave(pane));
    on('dblclick', (event) => event.button === 0 && !this.target.isPanning()
      && this.target.doubleClick(this.#at(event), keysOf(event)));
    on('wheel', (event) => this.#wheel(event), {passive: false});
    on('contextmenu', (event) => event.preventDefault());
    // A middle click would start the browser's own scrolling.
    on('mousedown', (event) => event.button === 1 && event.preventDefault());
  }

  #at(event) {
    return this.view.toTile(event.offsetX, event.offsetY, this.pane);
  }

  /* Whether an event comes from the hand that holds the pen. */
  #isPalm({type, pointerId, pointerType}) {
    if (pointerType !== 'touch') return false;
    if (type === 'pointerdown' && performance.now() - this.penSeen < PALM_MS) this.palms.add(pointerId);
    const isPalm = this.palms.has(pointerId);
    if (isPalm && ['pointerleave', 'pointercancel'].includes(type)) this.palms.delete(pointerId);
    return isPalm;
  }

  /* A pen comes down: what lay on the glass before it was the hand, and what it began is dropped. */
  #penDown() {
    for (const id of this.fingers.keys()) this.palms.add(id);
    this.fingers.clear();
    const {gesture} = this;
    if (!gesture?.touch) return;
    this.gesture = null;
    if (gesture.kind === 'tool') this.target.cancel();
  }

  #down(pane, event) {
    if (event.pointerType === 'pen') this.#penDown();
    if (event.pointerType === 'touch' && this.#fingerDown(pane, event)) return;
    if (this.gesture || event.button === 2) return;
    this.#capture(pane, event);
    const at = {pointer: event.pointerId, touch: event.pointerType === 'touch', clientX: event.clientX, clientY: event.clientY};
    if (event.button === 1 || this.target.isPanning()) this.gesture = {kind: 'pan', ...at};
    else if (event.altKey) this.gesture = {kind: 'size', ...at};
    else if (this.target.press(this.#at(event), keysOf(event))) this.gesture = {kind: 'tool', ...at};
    this.#show(pane);
  }

  /* Count the fingers; returns whether they move the images. The stroke that the first one has begun is
     dropped when the second comes down. */
  #fingerDown(pane, event) {
    this.fingers.set(event.pointerId, {x: event.offsetX, y: event.offsetY});
    if (this.fingers.size < 2) return false;
    this.#capture(pane, event);
    if (this.gesture?.kind === 'tool') this.target.cancel();
    this.gesture = {kind: 'pinch', touch: true};
    return true;
  }

  #capture(pane, event) {
    try {
      pane.element.setPointerCapture(event.pointerId);
    } catch (error) {
      if (error.name !== 'NotFoundError') throw error; // the pointer is gone already
    }
  }

  #move(pane, event) {
    const started = performance.now();
    this.#show(pane);
    const {gesture} = this;
    if (gesture?.kind === 'pinch') this.#pinch(event);
    else if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, {x: event.offsetX, y: event.offsetY});
    if (gesture?.kind === 'pinch' || (gesture && event.pointerId !== gesture.pointer)) return;
    if (gesture?.kind === 'tool') {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.target.drag(this.#at(each), keysOf(each));
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
    if (gesture?.kind !== 'size') this.target.hover(this.#at(event), keysOf(event));
    this.timings.add('move', performance.now() - started);
  }

  /* Move and zoom the images with the first two fingers; what lies between them stays there. */
  #pinch(event) {
    const finger = this.fingers.get(event.pointerId);
    if (!finger || this.fingers.size < 2) return;
    const [a, b] = [...this.fingers.values()], before = between(a, b);
    Object.assign(finger, {x: event.offsetX, y: event.offsetY});
    const after = between(a, b);
    this.view.pan(after.x - before.x, after.y - before.y);
    if (before.apart > 0 && after.apart > 0) this.view.zoom(after.apart / before.apart, after.x, after.y, this.pane);
  }

  #up(event) {
    const {gesture} = this;
    this.fingers.delete(event.pointerId);
    if (gesture?.kind === 'pinch') {
      // The finger that is left does not paint.
      if (this.fingers.size === 0) this.gesture = null;
      return;
    }
    if (gesture?.pointer !== event.pointerId) return;
    this.gesture = null;
    if (gesture.kind === 'tool') this.target.release(event.timeStamp);
    if (event.pointerType === 'touch') this.target.exit();
  }

  #cancel(event) {
    const {gesture} = this;
    this.fingers.delete(event.pointerId);
    if (gesture?.kind === 'pinch' ? this.fingers.size : gesture?.pointer !== event.pointerId) return;
    this.gesture = null;
    if (gesture.kind === 'tool') this.target.cancel();
  }

  #lost(event) {
    if (this.gesture) this.#cancel(event);
  }

  /* Forget a running stroke: its tool has been cancelled by key. */
  drop() {
    if (this.gesture?.kind === 'tool') this.gesture = null;
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
      this.view.zoom(Math.exp(-delta * lines * speed), event.offsetX, event.offsetY, this.pane);
    }
    this.target.hover(this.#at(event), {...keysOf(event), shift: false});
  }
}

function keysOf(event) {
  return {shift: event.shiftKey, ctrl: event.ctrlKey || event.metaKey, alt: event.altKey,
    pressure: event.pointerType === 'pen' && event.pressure > 0 ? event.pressure : null};
}

/* The middle between two fingers, and how far apart they are. */
function between(a, b) {
  return {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y)};
}
