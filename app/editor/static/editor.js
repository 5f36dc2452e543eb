/* The editor of one parent element: it puts the parts together, opens tiles and leads commands to
the part that does them. It knows nothing of Streamlit: what the page must do goes through
`page(action, values)`. */

import {command} from './commands.js';
import {Display} from './display.js';
import {Features} from './features.js';
import {Hand} from './hand.js';
import {Keyboard} from './keyboard.js';
import {Leaving} from './leaving.js';
import {Offthread} from './offthread.js';
import {Panel} from './panel.js';
import {Pointer} from './pointer.js';
import {Preview} from './preview.js';
import {Probe} from './probe.js';
import {rehearse} from './rehearsal.js';
import {Saver} from './saver.js';
import {Scene} from './scene.js';
import {Settings} from './settings.js';
import {Status} from './status.js';
import {Timings} from './timings.js';
import {stepDiameter} from './tools/brush.js';
import {GESTURES} from './tools/index.js';
import {View} from './view.js';

const SHARES_EVERY_MS = 150, STATE_AFTER_MS = 30;

export class Editor {
  constructor(root, {server, outbox, client, page}) {
    Object.assign(this, {server, outbox, page});
    Object.assign(this, {toolBefore: null, classCode: null, classBefore: null, manifest: null,
      scene: null, opening: null, failed: null});
    this.timings = new Timings();
    this.worker = new Offthread();
    this.settings = new Settings();
    this.panel = new Panel(root, {
      onCommand: (id, value) => this.run(id, value),
      onAcquisition: (id) => this.#choose('acquisition', Number(id)),
      onModel: (key) => this.#choose('model', key),
      onHome: () => this.leave('home'),
    });
    this.element = this.panel.element;
    this.element.editor = this;
    this.view = new View(this.panel.panes.list, this.timings);
    this.view.onChange = () => this.#loadVisible();
    this.preview = new Preview(this.view);
    this.display = new Display({view: this.view, panel: this.panel, settings: this.settings, server,
      preview: this.preview, onSettings: () => this.showSettings(), onLayers: () => this.#loadVisible()});
    this.status = new Status({panel: this.panel, outbox,
      withdraw: (entry) => this.saver.withdraw(entry)});
    this.saver = new Saver({server, outbox, client, timings: this.timings, ui: {
      say: (...message) => this.panel.say(...message),
      ask: (...question) => this.panel.ask(...question),
      onStuck: () => this.status.sayStuck(),
      onState: () => this.#showState(),
      onFrozen: () => this.page('renew', {}),
      reveal: (box) => this.view.reveal(box),
      className: (code) => this.manifest.classes.find((entry) => entry.code === code)?.name ?? `class ${code}`,
      showConflict: (theirs, mine) => this.display.showConflict(theirs, mine),
    }});
    this.hand = new Hand(this);
    this.leaving = new Leaving(this);
    this.probe = new Probe(this);
    this.pointer = new Pointer(this.view, this.#pointerTarget(), this.timings);
    this.features = new Features(this);
    this.#listen();
  }

  #pointerTarget() {
    const {hand} = this;
    return {
      press: (at, keys) => hand.press(at, keys), drag: (at, keys) => hand.drag(at, keys),
      release: (time) => hand.release(time), cancel: () => hand.abort(),
      doubleClick: (at, keys) => hand.doubleClick(at, keys),
      hover: (at, keys) => this.#hover(at, keys), exit: () => this.#hover(null),
      isPanning: () => this.settings.tool === 'pan', stepBrush: (steps) => this.stepBrush(steps),
    };
  }

  #hover(at, keys) {
    if (at) this.probe.hover(at, keys);
    else this.probe.exit();
    this.hand.hover(at, keys);
    this.features.hover(at);
  }

  #listen() {
    this.gone = new AbortController();
    const {signal} = this.gone;
    this.keyboard = new Keyboard(this, signal);
    addEventListener('beforeunload', (event) => this.#warnUnsaved(event), {signal});
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.saver.catchUp().catch(() => {});
    }, {signal});
    const {slider} = this.panel;
    slider.addEventListener('input', () => this.setDiameter(Math.round(256 ** (slider.value / 100))));
  }

  destroy() {
    this.gone.abort();
    clearTimeout(this.stateTimer);
    this.features.destroy();
    this.worker.destroy();
    this.view.destroy();
    this.scene?.close();
    this.outbox.leave(this.saver);
    this.element.remove();
  }

  // ---- tiles

  /* Show a tile, or take over what changed for the one that is open. */
  open(manifest) {
    const same = this.manifest?.tile.id === manifest.tile.id;
    if (same) this.#update({...manifest, chosen: stillThere(this.manifest.chosen, manifest)});
    else this.#change(manifest);
  }

  #update(manifest) {
    this.manifest = manifest;
    if (manifest.readonly) this.hand.abort();
    this.panel.showTile(manifest, manifest.chosen);
    this.display.open(this.scene, manifest);
    this.showSettings();
    this.saver.setWritable(!manifest.readonly);
    this.outbox.retryNow();
    this.features.open(this.scene, manifest);
    this.display.predict();
    this.#showState();
  }

  #change(manifest) {
    this.hand.finish();
    this.manifest = {...manifest};
    this.opening ??= performance.now();
    this.scene?.close();
    this.hand.leave();
    this.scene = new Scene({
      server: this.server, manifest,
      onChange: () => this.#arrived(),
      onError: (error) => this.#loadFailed(error),
      onAgain: () => this.#loadInView(),
      onDirty: (box) => this.#dirty(box),
      keeps: () => this.saver.waitingBoxes(manifest.tile.id),
    });
    if (!manifest.classes.some(({code}) => code === this.classCode)) {
      this.classCode = manifest.classes[0].code;
      this.classBefore = manifest.classes[1].code;
    }
    this.panel.showTile(this.manifest, manifest.chosen);
    this.view.setTile(manifest.tile);
    this.display.open(this.scene, this.manifest);
    this.showSettings();
    this.saver.open(this.scene, !manifest.readonly).catch((error) => this.#loadFailed(error));
    this.features.open(this.scene, this.manifest);
    this.#showState();
  }

  #loadVisible() {
    this.scene?.load(this.view.visible());
  }

  #arrived() {
    this.view.draw();
    this.#showShares();
    this.display.showCaptions();
    this.features.arrived();
    this.#showState();
    if (!this.scene.settled || this.arrival) return;
    if (!this.scene.lacks) this.#allLoaded();
    // Two frames on, everything that arrived has been painted.
    this.arrival = requestAnimationFrame(() => requestAnimationFrame(() => {
      this.arrival = null;
      if (!this.scene.settled) return this.#arrived();
      if (this.opening !== null) {
        this.timings.add('open', performance.now() - this.opening);
        this.opening = null;
        this.element.dataset.painted = String(this.scene.tile.id);
        this.scene.painted();
        rehearse();
      }
      this.display.predict();
    }));
  }

  #allLoaded() {
    this.failed?.();
    this.failed = null;
  }

  #loadFailed(error) {
    if (this.scene && !this.failed)
      this.failed = this.panel.say(error.status
        ? `Part of the tile could not be loaded: ${error.message}`
        : 'The server cannot be reached. What you paint is kept here and sent when it is back.',
      {kind: 'warning', sticky: true, action: {label: 'Load again', run: () => this.#reloadAll()}});
  }

  #reloadAll() {
    this.failed = null;
    this.outbox.retryNow();
    this.#loadInView();
  }

  #loadInView() {
    this.#loadVisible();
    this.view.draw();
  }

  #dirty(box) {
    this.view.draw(box, ['label']);
    this.#showShares();
  }

  #showShares() {
    this.sharesTimer ??= setTimeout(() => {
      this.sharesTimer = null;
      this.panel.showShares(this.scene.labels.counts, this.scene.labels.loaded);
    }, SHARES_EVERY_MS);
  }

  /* The state line and the buttons of undo change several times for one stroke. They wait for the frame
     that shows the stroke, which would have to lay the page out for them. */
  #showState() {
    this.stateTimer ??= setTimeout(() => {
      this.stateTimer = null;
      if (!this.scene) return;
      this.status.show({version: this.scene.labels.version, readonly: this.manifest.readonly});
      this.panel.showDepths(this.saver.history.undoable.length, this.saver.history.redoable.length);
    }, STATE_AFTER_MS);
  }

  #warnUnsaved(event) {
    // Strokes survive a reload in IndexedDB; only without it would they be lost.
    if (this.outbox.entries.length && !this.outbox.storage.works) event.preventDefault();
  }

  // ---- commands

  get takesKeys() {
    return this.manifest !== null && !this.panel.modals.top;
  }

  run(id, value) {
    if (!this.manifest) return;
    if (id === 'class-code') this.#setClass(value);
    else if (id === 'recode-from') this.features.restrictions.toggleSource(value);
    else command(id).run(this);
  }

  onShift(pressed) {
    this.probe.setShift(pressed);
  }

  #set(changes) {
    this.settings.change(changes);
    this.showSettings();
  }

  /* Change settings of the tools. */
  change(values) {
    this.hand.finish();
    this.#set(values);
  }

  showSettings() {
    const {settings, classCode, probe, display} = this;
    this.panel.showSettings({...settings, ...settings.words(), classCode, hoverCode: probe.hoverCode,
      hidden: display.hidden});
    this.element.dataset.tool = settings.tool;
    this.features.onlyClass.show();
    probe.showGhost();
  }

  /* Take a tool in hand. It paints the chosen class, unless an effect is named. */
  setTool(tool, effect = 'class') {
    this.hand.finish();
    if (tool !== (this.toolBefore ?? this.settings.tool)) this.hand.putDown();
    this.toolBefore = null;
    this.#set({tool, effect});
  }

  /* Paint something else with the tool in hand, or with the brush where it has none. */
  setEffect(effect) {
    this.hand.finish();
    this.toolBefore = null;
    this.#set({effect, tool: this.#painting});
  }

  get #painting() {
    const tool = this.toolBefore ?? this.settings.tool;
    return GESTURES[tool] && GESTURES[tool].paints !== false ? tool : 'brush';
  }

  holdPan() {
    if (this.hand.stroke) return;
    this.toolBefore ??= this.settings.tool === 'pan' ? 'brush' : this.settings.tool;
    this.#set({tool: 'pan'});
  }

  releasePan() {
    if (this.toolBefore) this.#set({tool: this.toolBefore});
    this.toolBefore = null;
  }

  chooseClass(index) {
    const entry = this.manifest.classes.filter(({isVoid}) => !isVoid)[index];
    if (entry) this.#setClass(entry.code);
    else this.panel.say(`There is no class ${index + 1} here.`);
  }

  chooseVoid() {
    this.#setClass(this.manifest.voidCode);
  }

  #setClass(code) {
    this.hand.finish();
    if (code !== this.classCode) this.classBefore = this.classCode;
    this.classCode = code;
    this.setEffect('class');
  }

  swapClasses() {
    if (this.classBefore !== null) this.#setClass(this.classBefore);
  }

  pick() {
    const found = this.probe.pixel;
    if (found) this.#setClass(found.label);
    else this.panel.say('Point at a pixel of the tile, then press I.');
  }

  setDiameter(diameter) {
    this.#set({diameter: Math.max(1, Math.min(256, diameter))});
  }

  stepBrush(steps) {
    this.setDiameter(stepDiameter(this.settings.diameter, steps));
  }

  zoom(factor) {
    const {x, y} = this.probe.place;
    this.view.zoom(factor, x, y);
  }

  /* Move over the ground by steps: what is in view goes right and down. */
  pan(across, down) {
    if (this.hand.stroke) return;
    const {view, probe} = this, {place} = probe, step = Math.round(Math.min(view.size.width, view.size.height) / 8);
    view.pan(across * step, down * step);
    // The cursor stays where it is on the screen, over other ground.
    if (probe.cursor) this.#hover(view.toTile(place.x, place.y), probe.keys);
  }

  #choose(what, value) {
    this.display.choose({[what]: value});
    this.page(what, {value});
  }

  /* Go to another tile: next, previous, skip or done. */
  leave(action) {
    this.leaving.go(action);
  }

  toggleHelp() {
    this.panel.toggleHelp();
  }

  /* Escape: drop the stroke being painted, else close what is open. */
  cancel() {
    if (this.hand.abort() || this.features.cancel()) return;
    if (!this.panel.sheet.hidden) this.toggleHelp();
    else this.panel.hush();
  }
}

/* What was chosen, where it still is there; a first model or image that has come is chosen. */
export function stillThere(chosen, {acquisitions, models, chosen: fresh}) {
  const acquisition = acquisitions.some(({id}) => id === chosen.acquisition) ? chosen.acquisition : fresh.acquisition;
  const model = models.some(({key}) => key === chosen.model) ? chosen.model : fresh.model;
  return {...chosen, acquisition, model};
}
