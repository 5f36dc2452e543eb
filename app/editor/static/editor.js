/* The editor of one parent element: state and commands. It knows labels, panes, tools and saving,
and nothing of Streamlit: what the page must do goes through `page(action, values)`. */

import {command, commandOfKey, keyOf} from './commands.js';
import {MaskLayer} from './masks.js';
import {Panel} from './panel.js';
import {Pointer} from './pointer.js';
import {readout} from './readout.js';
import {Saver} from './saver.js';
import {Scene} from './scene.js';
import {Timings} from './timings.js';
import {BrushStroke, applyMask, fillBox, regionAt, stepDiameter} from './tools.js';
import {stampOrigin} from './raster.js';
import {View} from './view.js';

const PREFERENCES = 'cloudbrush.editor';
const OPACITIES = [0.25, 0.5, 0.75];
const CONTRASTS = [['auto', 'automatic'], ['percentile', '2–98 %'], ['fixed', 'fixed range'],
  ['none', 'as stored']];
const HATCHINGS = [['thick', 'thick hatched', [2]], ['all', 'all hatched', [2, 1, 3]], ['none', 'not hatched', []]];
const QUIET_SAVE_MS = 500;
const SHARES_EVERY_MS = 150;
const VALUES_AFTER_MS = 70;

export class Editor {
  constructor(root, {server, outbox, client, page}) {
    Object.assign(this, {server, outbox, page});
    this.timings = new Timings();
    this.panel = new Panel(root, {
      onCommand: (id, value) => this.run(id, value),
      onAcquisition: (id) => this.setAcquisition(Number(id)),
      onModel: (key) => this.setModel(key),
      onHome: () => this.page('home', {}),
    });
    this.element = this.panel.element;
    this.element.editor = this;
    this.view = new View(this.panel.panes, this.timings);
    this.view.onChange = () => this.#loadVisible();
    this.masks = new MaskLayer();
    this.settings = {tool: 'brush', diameter: 16, opacity: 0.5, contrast: 'auto', hatching: 'thick',
      underlay: 'optical', ...JSON.parse(localStorage.getItem(PREFERENCES) ?? '{}')};
    Object.assign(this, {hidden: false, toolBefore: null, stroke: null, lastEnd: null, cursor: null,
      classCode: null, classBefore: null, manifest: null, scene: null, opening: null, shift: false});
    this.saver = new Saver({server, outbox, client, timings: this.timings, ui: {
      say: (...message) => this.panel.say(...message),
      ask: (...question) => this.panel.ask(...question),
      onState: () => this.#showState(),
      reveal: (box) => this.view.reveal(box),
      showConflict: (theirs, mine) => this.#showConflict(theirs, mine),
    }});
    this.pointer = new Pointer(this.view, this, this.timings);
    this.#listen();
  }

  #listen() {
    this.gone = new AbortController();
    const {signal} = this.gone;
    // Capturing on the window: the page's own shortcuts must not see keys that are ours.
    addEventListener('keydown', (event) => this.#keyDown(event), {capture: true, signal});
    addEventListener('keyup', (event) => this.#keyUp(event), {capture: true, signal});
    addEventListener('blur', () => this.#dropHeld(), {signal});
    addEventListener('beforeunload', (event) => this.#warnUnsaved(event), {signal});
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.saver.catchUp().catch(() => {});
    }, {signal});
    this.panel.slider.addEventListener('input', () =>
      this.setDiameter(Math.round(256 ** (this.panel.slider.value / 100))));
    this.panel.slider.addEventListener('change', () => this.panel.slider.blur());
    this.panel.state.addEventListener('click', () => this.#explainState());
  }

  destroy() {
    this.gone.abort();
    this.view.destroy();
    this.scene?.close();
    this.outbox.listener = null;
    this.element.remove();
  }

  /* Show a tile, or take over what changed for the one that is open. */
  open(manifest) {
    const same = this.manifest?.tile.id === manifest.tile.id;
    const chosen = same ? this.manifest.chosen : manifest.chosen;
    this.manifest = {...manifest, chosen};
    if (same) {
      this.panel.showTile(this.manifest, chosen);
      this.#showLayers();
      this.#showState();
      return;
    }
    this.#finishStroke();
    this.opening ??= performance.now();
    this.scene?.close();
    this.lastEnd = null;
    this.scene = new Scene({
      server: this.server, manifest,
      onChange: () => this.#arrived(),
      onError: (error) => this.#loadFailed(error),
      onDirty: (box) => this.#dirty(box),
    });
    if (!manifest.classes.some(({code}) => code === this.classCode)) {
      this.classCode = manifest.classes[0].code;
      this.classBefore = manifest.classes[1].code;
    }
    this.panel.showTile(this.manifest, chosen);
    this.view.setTile(manifest.tile);
    this.#showLayers();
    this.#showSettings();
    this.saver.open(this.scene).catch((error) => this.#loadFailed(error));
    this.#showState();
  }

  // ---- what the panes show

  #showLayers() {
    const {scene, settings, manifest} = this, {chosen} = manifest;
    const optical = this.#layerOf('optical', chosen.acquisition), sar = this.#layerOf('sar', null);
    for (const image of scene.images.values()) image.setStretch(this.#stretchOf(image.layer));
    const image = (layer) => (layer ? [scene.image(layer.id)] : []);
    const under = settings.underlay === 'sar' && sar ? sar : (optical ?? sar);
    const acquisition = manifest.acquisitions.find(({id}) => id === chosen.acquisition);
    scene.setCloud(acquisition?.hasCloud ? acquisition.id : null);
    scene.setPrediction(this.#predictionId());
    scene.clouds.levels = HATCHINGS.find(([id]) => id === settings.hatching)[2];
    scene.label.opacity = scene.prediction.opacity = settings.opacity;
    scene.label.hidden = scene.prediction.hidden = this.hidden;
    this.view.setLayers('optical', [...image(optical), scene.clouds]);
    this.view.setLayers('sar', image(sar));
    this.view.setLayers('label', [...image(under), scene.label, this.masks]);
    this.view.setLayers('prediction', [...image(under), scene.prediction]);
    this.#loadVisible();
    this.#showCaptions(optical, sar, under, acquisition);
  }

  #layerOf(modality, acquisition) {
    return this.manifest.layers.find((layer) => layer.modality === modality &&
      (layer.acquisition ?? null) === (acquisition ?? null)) ??
      this.manifest.layers.find((layer) => layer.modality === modality && modality === 'sar');
  }

  #stretchOf(layer) {
    // A fixed range exists for calibrated values only.
    const {contrast} = this.settings;
    return contrast === 'fixed' && !layer.calibrated ? 'auto' : contrast;
  }

  #showCaptions(optical, sar, under, acquisition) {
    const {chosen, models} = this.manifest;
    const model = models.find(({key}) => key === chosen.model);
    const range = (layer) => (layer ? rangeText(this.scene.image(layer.id).range) : '');
    const over = under ? `over ${under.modality === 'sar' ? 'SAR' : 'optical'}` : '';
    this.panel.showCaption('optical', 'Optical', optical ? (acquisition?.label ?? optical.name) : 'none for this tile', range(optical));
    this.panel.showCaption('sar', 'SAR', sar ? sar.name : 'none for this tile', range(sar));
    this.panel.showCaption('label', 'Label', this.hidden ? 'hidden' : over);
    const note = !model ? 'no model yet: train one' : this.scene.predictionId === null
      ? `${model.name}: ${this.predictionNote ?? 'being made'}` : `${model.name}, ${over}`;
    this.panel.showCaption('prediction', 'Prediction', note);
    this.shown = {optical, sar, under, acquisition};
  }

  #predictionId() {
    const {chosen, models} = this.manifest, model = models.find(({key}) => key === chosen.model);
    if (!model) return null;
    return model.predictions[model.usesOptical ? chosen.acquisition : ''] ?? null;
  }

  /* Ask for the prediction that is missing, after the tile has been painted. */
  async #predict() {
    const {manifest, scene} = this, {chosen} = manifest;
    const model = manifest.models.find(({key}) => key === chosen.model);
    if (!model?.id || this.#predictionId() !== null || scene.asked === `${model.key}/${chosen.acquisition}`) return;
    scene.asked = `${model.key}/${chosen.acquisition}`;
    this.predictionNote = 'being made';
    const query = model.usesOptical && chosen.acquisition ? `?acquisition=${chosen.acquisition}` : '';
    try {
      const {id} = await this.server.json(`/tile/${scene.tile.id}/predict/${model.id}${query}`);
      model.predictions[model.usesOptical ? chosen.acquisition : ''] = id;
    } catch (error) {
      this.predictionNote = 'not available';
      this.panel.say(`There is no prediction: ${error.message}`, {kind: 'warning'});
    }
    if (scene === this.scene) this.#showLayers();
  }

  #loadVisible() {
    if (!this.scene) return;
    const all = this.scene.load(this.view.visible());
    if (!all) this.panel.say('Zoom in to see and paint the labels: so large a part is not loaded at once.');
  }

  #arrived() {
    this.view.draw();
    this.#showShares();
    if (this.shown) this.#showCaptions(this.shown.optical, this.shown.sar, this.shown.under, this.shown.acquisition);
    this.#showState();
    if (!this.scene.settled || this.arrival) return;
    // Two frames on, everything that arrived has been painted.
    this.arrival = requestAnimationFrame(() => requestAnimationFrame(() => {
      this.arrival = null;
      if (!this.scene.settled) return this.#arrived();
      if (this.opening !== null) {
        this.timings.add('open', performance.now() - this.opening);
        this.opening = null;
        this.element.dataset.painted = String(this.scene.tile.id);
      }
      this.#predict();
    }));
  }

  #loadFailed(error) {
    if (this.scene && !this.failed)
      this.panel.say(error.status
        ? `Part of the tile could not be loaded: ${error.message}`
        : 'The server cannot be reached. What you paint is kept here and sent when it is back.',
      {kind: 'warning', sticky: true, action: {label: 'Load again', run: () => this.#reloadAll()}});
    this.failed = true;
  }

  #reloadAll() {
    this.failed = false;
    this.outbox.retryNow();
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

  #showConflict(theirs, mine) {
    this.masks.set([...theirs.map((mask) => ({mask, colour: '#f28c28'})),
      ...(mine ? [{mask: mine, colour: '#3aa0ff'}] : [])]);
    if (mine) this.view.reveal(mine);
    this.view.draw(null, ['label']);
  }

  // ---- the state line

  #showState() {
    if (!this.scene) return;
    const {readonly} = this.manifest, {kind} = this.outbox;
    const n = this.outbox.entries.length;
    const waiting = `${n} stroke${n === 1 ? '' : 's'} waiting`;
    const saved = `saved, version ${this.scene.labels.version}`;
    const lines = {
      saved: {kind: 'saved', text: saved, detail: 'Every stroke is on the server’s disk.'},
      saving: {kind: 'saved', text: this.slowSave ? `saving, ${waiting}` : saved},
      offline: {kind: 'offline', text: `offline, ${waiting}`,
        detail: 'The strokes are kept in this browser, also over a reload, and sent when the server is back.'},
      expired: {kind: 'offline', text: `renewing access, ${waiting}`,
        detail: 'The strokes are kept in this browser and sent when access has been renewed.'},
      conflict: {kind: 'offline', text: `your choice is needed, ${waiting}`},
    };
    this.panel.showState(readonly
      ? {kind: 'readonly', text: `read-only: ${readonly.what}`, detail: readonly.why} : lines[kind]);
    this.panel.showDepths(this.saver.history.undoable.length, this.saver.history.redoable.length);
    // Saving takes some 20 ms; a line that changed twice per stroke would only flicker.
    clearTimeout(this.saveTimer);
    if (kind === 'saving' && !this.slowSave)
      this.saveTimer = setTimeout(() => {
        this.slowSave = true;
        this.#showState();
      }, QUIET_SAVE_MS);
    if (kind === 'saved') this.slowSave = false;
  }

  #explainState() {
    const {readonly} = this.manifest;
    if (readonly) this.panel.say(`Read-only: ${readonly.what}. ${readonly.why}`);
    else if (this.panel.state.title) this.panel.say(this.panel.state.title);
    this.outbox.retryNow();
  }

  #warnUnsaved(event) {
    // Strokes survive a reload in IndexedDB; only without it would they be lost.
    if (this.outbox.entries.length && !this.outbox.storage.works) event.preventDefault();
  }

  // ---- commands

  run(id, value) {
    if (!this.manifest) return;
    if (id === 'class-code') this.#setClass(value);
    else command(id).run(this);
  }

  #keyDown(event) {
    if (event.isComposing || isTyping(event)) return;
    const key = keyOf(event), found = commandOfKey(key);
    const streamlitKey = !event.ctrlKey && !event.metaKey && /^[rc]$/i.test(event.key);
    if (found || streamlitKey) event.stopPropagation();
    this.#setShift(event.shiftKey);
    if (!found || !this.manifest || !this.panel.dialog.hidden) return;
    event.preventDefault();
    if (event.repeat && (found.release || found.group === 'Tiles')) return;
    if (found.release) this.held = {found, at: performance.now(), code: event.code};
    found.run(this);
  }

  #keyUp(event) {
    this.#setShift(event.shiftKey);
    if (!this.held || event.code !== this.held.code) return;
    const {found, at} = this.held;
    this.held = null;
    event.stopPropagation();
    found.release(this, performance.now() - at);
  }

  /* The window lost the keyboard: keys let go elsewhere are not heard. */
  #dropHeld() {
    if (this.held) this.held.found.release(this, Infinity);
    this.held = null;
  }

  #setShift(shift) {
    if (shift === this.shift) return;
    this.shift = shift;
    if (this.cursor) this.hover(this.cursor, {shift});
  }

  #set(changes) {
    Object.assign(this.settings, changes);
    localStorage.setItem(PREFERENCES, JSON.stringify(this.settings));
    this.#showSettings();
  }

  #showSettings() {
    const {settings, classCode, hidden} = this;
    const text = (table, id) => table.find(([name]) => name === id)[1];
    this.panel.showSettings({...settings, classCode, hoverCode: this.hoverCode, hidden,
      underlay: settings.underlay === 'sar' ? 'SAR' : 'optical',
      contrast: text(CONTRASTS, settings.contrast), hatching: text(HATCHINGS, settings.hatching)});
    this.element.dataset.tool = settings.tool;
    if (this.cursor) this.#showGhost();
  }

  setTool(tool) {
    this.#finishStroke();
    this.toolBefore = null;
    this.#set({tool});
  }

  holdPan() {
    if (this.stroke) return;
    this.toolBefore ??= this.settings.tool === 'pan' ? 'brush' : this.settings.tool;
    this.#set({tool: 'pan'});
  }

  releasePan() {
    if (this.toolBefore) this.#set({tool: this.toolBefore});
    this.toolBefore = null;
  }

  isPanning() {
    return this.settings.tool === 'pan';
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
    this.#finishStroke();
    if (code !== this.classCode) this.classBefore = this.classCode;
    this.classCode = code;
    this.#set({tool: this.settings.tool === 'fill' ? 'fill' : 'brush'});
  }

  swapClasses() {
    if (this.classBefore !== null) this.#setClass(this.classBefore);
  }

  pick() {
    const found = this.#under();
    if (found) this.#setClass(found.label);
    else this.panel.say('Point at a pixel of the tile, then press I.');
  }

  setDiameter(diameter) {
    this.#set({diameter: Math.max(1, Math.min(256, diameter))});
  }

  stepBrush(steps) {
    this.setDiameter(stepDiameter(this.settings.diameter, steps));
  }

  setOpacity(opacity) {
    this.hidden = false;
    this.#set({opacity});
    this.#showLayers();
  }

  stepOpacity() {
    this.setOpacity(OPACITIES.find((level) => level > this.settings.opacity + 0.01) ?? OPACITIES[0]);
  }

  toggleHidden() {
    this.hidden = !this.hidden;
    this.#showSettings();
    this.#showLayers();
  }

  stepContrast() {
    const calibrated = this.manifest.layers.some((layer) => layer.calibrated);
    const usable = CONTRASTS.filter(([id]) => id !== 'fixed' || calibrated);
    this.#set({contrast: nextOf(usable, this.settings.contrast)});
    this.#showLayers();
  }

  stepHatching() {
    this.#set({hatching: nextOf(HATCHINGS, this.settings.hatching)});
    this.#showLayers();
  }

  stepUnderlay() {
    this.#set({underlay: this.settings.underlay === 'sar' ? 'optical' : 'sar'});
    this.#showLayers();
  }

  zoom(factor) {
    const {x, y} = this.#cursorInPane();
    this.view.zoom(factor, x, y);
  }

  #cursorInPane() {
    const {transform, size} = this.view;
    if (!this.cursor) return {x: size.width / 2, y: size.height / 2};
    return {x: this.cursor.x * transform.scale + transform.x, y: this.cursor.y * transform.scale + transform.y};
  }

  fit() {
    this.view.fit();
  }

  setAcquisition(id) {
    this.manifest.chosen = {...this.manifest.chosen, acquisition: id};
    this.#showLayers();
    this.#predict();
    this.page('acquisition', {value: id});
  }

  setModel(key) {
    this.manifest.chosen = {...this.manifest.chosen, model: key};
    this.#showLayers();
    this.#predict();
    this.page('model', {value: key});
  }

  /* Go to another tile: next, previous, skip or done. */
  leave(action) {
    this.#finishStroke();
    const target = action === 'previous' ? 'previous' : 'next';
    const tile = this.manifest.neighbours[target];
    const writes = action === 'done' || action === 'skip';
    if (writes && !this.manifest.readonly) this.saver.setState(action === 'done' ? 'done' : 'skipped');
    if (tile === null) {
      this.panel.say(writes ? 'Marked. This was the last tile of the project: time to train a model.'
        : `There is no ${target} tile.`, writes ? {action: {label: 'Train', run: () => this.page('train', {})}} : {});
      return;
    }
    this.opening = performance.now();
    const {acquisitions, chosen} = this.manifest;
    this.page(action, {tile, acquisition: acquisitions.find(({id}) => id === chosen.acquisition)?.name});
  }

  toggleHelp() {
    this.panel.sheet.hidden = !this.panel.sheet.hidden;
  }

  cancel() {
    if (this.stroke) {
      this.scene.labels.abort();
      this.#endStroke();
      this.pointer.drop();
    } else if (!this.panel.sheet.hidden) this.toggleHelp();
    else this.panel.hush();
  }

  undo() {
    this.#finishStroke();
    if (!this.saver.ready) return;
    if (!this.saver.undo(this.#panesShown())) this.panel.say('Nothing to undo on this tile.');
  }

  redo() {
    this.#finishStroke();
    if (!this.saver.ready) return;
    if (!this.saver.redo(this.#panesShown())) this.panel.say('Nothing to redo.');
  }

  verifyRegion() {
    if (!this.#mayEdit()) return;
    if (!this.#under()) this.panel.say('Point at a region, then press W.');
    else this.#region('verify', this.cursor);
  }

  async verifyTile() {
    if (!this.#mayEdit()) return;
    const {labels, tile} = this.scene, box = fillBox(tile, {y: 0, x: 0});
    if (box.h * box.w < tile.height * tile.width)
      return this.panel.say('This tile is too large to be verified at once: verify it region by region.');
    await this.scene.loadLabels(box);
    const data = new Uint8Array(box.h * box.w).fill(1);
    this.#commit(applyMask(labels, 'verify', null, {...box, data}), 'Every pixel of this tile is settled already.');
  }

  async #region(tool, at) {
    const {scene} = this;
    await scene.loadLabels(fillBox(scene.tile, at));
    if (scene !== this.scene) return;
    this.startedAt = Date.now();
    const mask = regionAt(scene.labels, at);
    this.#commit(applyMask(scene.labels, tool, this.classCode, mask),
      tool === 'verify' ? 'This region is settled already.' : null);
  }

  #commit(change, otherwise = null) {
    if (change) {
      if (change.tool === 'verify') {
        const n = change.data.reduce((sum, bit) => sum + bit, 0);
        this.panel.say(`Verified ${n.toLocaleString('en')} px.`);
      }
      this.saver.commit(change, {startedAt: this.startedAt ?? Date.now(), panesShown: this.#panesShown(),
        releasedAt: this.releasedAt ?? performance.now()});
    } else if (otherwise) this.panel.say(otherwise);
    this.releasedAt = null;
    this.saver.strokeEnded();
  }

  #panesShown() {
    const {optical, sar} = this.shown ?? {};
    const acquisition = optical?.acquisition ? `optical/${optical.acquisition}` : optical && 'optical';
    return [acquisition, sar && 'sar', !this.hidden && this.settings.opacity > 0 && 'label',
      this.scene.predictionId !== null && `prediction/${this.scene.predictionId}`].filter(Boolean);
  }

  #mayEdit() {
    const {readonly} = this.manifest;
    if (readonly) this.panel.say(`Read-only: ${readonly.what}. ${readonly.why}`);
    return !readonly && this.saver.ready && this.scene.labels.blocks.size > 0;
  }

  // ---- the pointer's target

  press(at, {shift}) {
    const {settings, scene} = this;
    this.hover(at, {shift});
    if (!this.#mayEdit()) return false;
    const inside = scene.labels.at(Math.floor(at.y), Math.floor(at.x));
    if (settings.tool === 'fill') {
      if (inside) this.#region('fill', at);
      return false;
    }
    if (settings.tool === 'revert' && inside && inside.original === undefined) {
      this.panel.say('The original label is still being loaded; try again in a moment.');
      return false;
    }
    this.startedAt = Date.now();
    this.stroke = new BrushStroke({labels: scene.labels, tool: settings.tool, toClass: this.classCode,
      diameter: settings.diameter});
    this.stroke.press(at, shift ? this.lastEnd : null);
    this.lastEnd = at;
    return true;
  }

  drag(at) {
    this.stroke?.move(at);
    this.lastEnd = at;
  }

  release(releasedAt) {
    this.releasedAt = releasedAt;
    this.#finishStroke();
  }

  #finishStroke() {
    if (!this.stroke) return;
    const change = this.stroke.release();
    this.stroke = null;
    this.pointer.drop();
    this.#commit(change);
  }

  #endStroke() {
    this.stroke = null;
    this.saver.strokeEnded();
  }

  hover(at, {shift}) {
    this.cursor = at;
    this.shift = shift;
    this.#showGhost();
    this.readoutFrame ??= requestAnimationFrame(() => {
      this.readoutFrame = null;
      this.#showReadout();
    });
  }

  exit() {
    this.cursor = null;
    this.view.point(null, null);
    this.#showReadout();
  }

  #showGhost() {
    const {settings, cursor} = this, brush = settings.tool === 'brush' || settings.tool === 'revert';
    const ghost = brush && {diameter: settings.diameter, origin: stampOrigin(cursor.y, cursor.x, settings.diameter),
      from: this.shift && !this.stroke ? this.lastEnd : null};
    this.view.point(cursor, ghost || null);
  }

  #under() {
    return this.cursor && this.scene.labels.at(Math.floor(this.cursor.y), Math.floor(this.cursor.x));
  }

  #showReadout() {
    if (!this.cursor || !this.scene) return this.panel.showReadout([]);
    const row = Math.floor(this.cursor.y), col = Math.floor(this.cursor.x);
    const pixel = this.scene.labels.at(row, col);
    if (pixel?.label !== this.hoverCode) {
      this.hoverCode = pixel?.label;
      this.#showSettings();
    }
    this.#askValues(row, col);
    this.panel.showReadout(readout({row, col, pixel, manifest: this.manifest, maps: this.scene.at(row, col),
      values: this.values?.at === `${row}/${col}` ? this.values.items : this.values?.items ?? []}));
  }

  /* Ask for the band values once the cursor rests: moving over them needs none. */
  #askValues(row, col) {
    const {scene} = this, at = `${row}/${col}`;
    if (this.values?.at === at) return;
    clearTimeout(this.valuesTimer);
    this.valuesTimer = setTimeout(async () => {
      const layers = [this.shown.optical, this.shown.sar].filter(Boolean);
      if (!scene.labels.at(row, col)) return;
      const found = await Promise.all(layers.map((layer) =>
        this.server.json(`/tile/${scene.tile.id}/values/${layer.id}?row=${row}&col=${col}`).catch(() => null)));
      if (scene !== this.scene) return;
      this.values = {at, items: layers.map((layer, i) => ({layer, found: found[i]}))};
      this.#showReadout();
    }, VALUES_AFTER_MS);
  }
}

const nextOf = (table, id) => table[(table.findIndex(([name]) => name === id) + 1) % table.length][0];

/* "0,255 relative 8-bit" or "0,1;0,2 dB", as the server prints the stretch, for people. */
function rangeText(text) {
  const [, numbers, unit] = /^(\S+) (.*)$/.exec(text) ?? [];
  if (!numbers) return '';
  const ranges = numbers.split(';').map((one) => one.split(',').join(' to ')).join(', ');
  return `${ranges} ${unit === 'dB' ? 'dB' : `· ${unit}`}`;
}

/* Whether the key goes into a field, also inside a shadow root. */
function isTyping(event) {
  const field = event.composedPath()[0];
  if (!(field instanceof Element)) return false;
  if (field.isContentEditable) return true;
  return field.matches('textarea, select, input:not([type=range], [type=checkbox], [type=button])');
}
