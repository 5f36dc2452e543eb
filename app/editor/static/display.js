/* What the panes show of the open tile: for each pane its view, resolved to layers on this tile, and
the caption that says so. Which views there are stands in `views/catalog.js`. */

import {contoursOf} from './contours.js';
import {Predictions} from './predictions.js';
import {acquisitionOf, filterText, kindOf, layerOf, logName, nextView, renderingText, resolve, skyText, titleOf,
  toneText, underSky} from './views/catalog.js';
import {fitted, layoutOf, nextLayout, remember, restore, sideBySide} from './views/layouts.js';
import {scaleBar} from './views/scale.js';
import {Faded, Hatched, nudgeText, toned} from './views/shown.js';

const HATCHED = {thick: [2], all: [2, 1, 3], none: []};
const VALUES_IN_A_LINE = 9;
const EVERY_CLOUD = [2, 1, 3];
// What hiding the labels hides.
const HIDDEN = ['label', 'prediction', 'confidence', 'disagreement', 'provenance'];
const OF_MODELS = ['prediction', 'confidence', 'disagreement'];
const DISAGREEMENT_OPACITY = 0.8;

export class Display {
  /* `onSettings()` after a setting changed here, `onLayers()` after the layers did. */
  constructor({view, panel, settings, server, preview, onSettings, onLayers}) {
    Object.assign(this, {view, panel, settings, preview, onSettings, onLayers});
    view.onMove = () => this.#showScale();
    // Called after the panes changed what they show.
    this.onShow = () => {};
    this.compare = null;
    this.sky = null;
    Object.assign(this, {hidden: false, scene: null, manifest: null, shown: {}, found: []});
    this.predictions = new Predictions({server, onChange: () => this.#predicted(), onAgain: () => this.#showAndPredict(),
      onFail: ({message}) => panel.say(`There is no prediction: ${message}`, {kind: 'warning'})});
  }

  open(scene, manifest) {
    if (scene === this.scene) this.#takeNudges(scene, manifest);
    this.predictions.open(scene);
    this.predictions.enter(manifest);
    const {kind, id: project = null} = manifest.project;
    if (kind !== this.kind || project !== this.project) this.arrangement = this.#arrangementFor(manifest);
    Object.assign(this, {kind, project});
    Object.assign(this, {scene, manifest});
    this.show();
  }

  #arrangementFor(manifest) {
    const {project: {kind, id: project = null}, against = []} = manifest;
    const kept = restore(this.settings.views, kind, project);
    return fitted(against.length > 1 ? sideBySide(kept, kind, against) : kept, manifest);
  }

  /* Nudges that others made since the tile was told last. */
  #takeNudges(scene, {layers}) {
    for (const {id, nudge} of layers) {
      const now = scene.nudges.get(id);
      if (now && (now.y !== nudge.y || now.x !== nudge.x)) scene.nudge(id, nudge);
    }
  }

  /* The views of the panes on the screen, the first pane first. */
  get views() {
    return this.arrangement.panes[this.arrangement.layout];
  }

  /* Bring layers and captions in line with settings and choices. */
  show() {
    const {scene, settings, manifest, view} = this, {chosen, acquisitions} = manifest;
    const layout = layoutOf(this.arrangement.layout);
    if (this.laidOut !== layout.id) {
      this.panel.panes.arrange(layout);
      view.arrange(layout.panes);
      this.laidOut = layout.id;
    }
    this.found = this.views.map((given) => underSky(resolve(given, manifest, settings), this.sky, manifest));
    const chosenDate = acquisitions.find(({id}) => id === chosen.acquisition);
    scene.setCloud(chosenDate?.hasCloud ? chosenDate.id : null);
    scene.setPrediction(resolve({base: null, rendering: {}, model: null}, manifest, settings).predictionId);
    this.found.forEach((found, i) => view.setPane(view.panes[i], {...this.compose(found), id: this.#idOf(i)}));
    this.onShow();
    this.shown = {optical: this.#layer('optical'), sar: this.#layer('sar'), acquisition: chosenDate};
    const values = this.images.reduce((sum, {bands}) => sum + bands.length, 0);
    this.panel.element.dataset.values = values > VALUES_IN_A_LINE ? 'many' : 'few';
    for (const {layer, rendering, missing} of this.found)
      if (layer && !missing) scene.image(layer.id, rendering)?.begin();
    this.onLayers();
    this.showCaptions();
  }

  /* The image of a kind that is on the screen, else the one that would be. */
  #layer(modality) {
    return this.images.find((layer) => layer.modality === modality) ?? layerOf({modality}, this.manifest) ?? undefined;
  }

  /* The images on the screen, each once. */
  get images() {
    return [...new Set(this.found.map(({layer, missing}) => (missing ? null : layer)).filter(Boolean))];
  }

  /* The expressions by which an image is on the screen, each once. */
  expressionsOf(image) {
    return [...new Set(this.found.filter(({layer, missing}) => layer === image && !missing)
      .map(({rendering}) => rendering.expr).filter(Boolean))];
  }

  #idOf(i) {
    const kinds = this.views.map(({id}) => kindOf(id)), before = kinds.slice(0, i).filter((kind) => kind === kinds[i]);
    return before.length ? `${kinds[i]}-${before.length + 1}` : kinds[i];
  }

  /* The layers of a resolved view from below, and what they follow. */
  compose(found) {
    const {scene, settings} = this, {layer, rendering, predictionId: id, view: {blend}} = found;
    const layers = layer && !found.missing ? [toned(scene.image(layer.id, rendering), found.view.tone)].filter(Boolean) : [];
    const faded = (map, usual) => layers.push(new Faded(map, this.hidden ? 0 : (blend ?? usual)));
    const drawn = (map) => (found.view.contours ? contoursOf(map) : map);
    const shows = (name) => found.overlays.includes(name);
    if (shows('label')) faded(drawn(scene.label), settings.opacity);
    if (shows('prediction') && id !== null) faded(drawn(scene.predictionOf(id)), settings.opacity);
    if (shows('confidence') && id !== null) faded(scene.confidenceOf(id), found.view.base === null ? 1 : settings.opacity);
    if (shows('disagreement') && id !== null) faded(scene.disagreementOf(id), DISAGREEMENT_OPACITY);
    if (this.#showsProvenance(found)) layers.push(scene.provenance);
    const levels = this.#cloudLevels(found);
    if (levels.length) layers.push(new Hatched(scene.cloudsOf(layer.acquisition), levels));
    const follows = this.#follows(found);
    if (follows.includes('label') && this.preview) layers.push(this.preview);
    return {layers, follows};
  }

  #showsProvenance({overlays}) {
    if (this.hidden) return false;
    return overlays.includes('provenance') || (overlays.includes('label') && this.settings.provenance === 'shown');
  }

  /* The levels of cloud that a view hatches; the view of clouds always shows them all. */
  #cloudLevels({overlays, layer, missing, view: {id}}) {
    const hatched = overlays.includes('cloud') && !missing && acquisitionOf(layer, this.manifest)?.hasCloud;
    if (!hatched) return [];
    return kindOf(id) === 'cloud' ? EVERY_CLOUD : HATCHED[this.settings.hatching];
  }

  #follows({overlays}) {
    const labels = ['label', 'provenance', 'disagreement'].some((name) => overlays.includes(name));
    return labels ? ['label', ...overlays] : overlays;
  }

  showCaptions() {
    const {panes} = this.panel;
    this.found.forEach((own, i) => {
      const found = this.compare?.secondIn(i) ?? own;
      panes.showCaption(i, titleOf(found), this.#noteOf(found), this.#rangeOf(found));
      panes.showLegend(i, {provenance: this.#showsProvenance(found),
        levels: kindOf(found.view.id) === 'cloud' ? this.#cloudLevels(found) : [],
        colours: this.#coloursOf(found)});
    });
    this.#showScale();
  }

  /* What the colours of a map or a difference mean. */
  #coloursOf({overlays, layer, missing, rendering, predictionId: id}) {
    if (overlays.includes('disagreement') && id !== null) return this.scene.disagreementOf(id).legend;
    if (overlays.includes('confidence') && id !== null) return this.scene.confidenceOf(id).legend;
    return (layer && !missing && this.scene.image(layer.id, rendering)?.legend) || [];
  }

  #noteOf(found) {
    const {layer, overlays, missing} = found, {base} = found.view, said = [];
    const isMap = base === null || base === 'under';
    if (missing && !isMap) return missing;
    if (overlays.some((name) => OF_MODELS.includes(name))) {
      if (!found.model) return 'no model yet: train one';
      said.push(this.#modelNote(found));
    }
    if (this.hidden && overlays.some((name) => HIDDEN.includes(name))) said.push('hidden');
    else if (base === 'under' && layer) said.push(`over ${layer.modality === 'sar' ? 'SAR' : 'optical'}`);
    if (!isMap) {
      const date = acquisitionOf(layer, this.manifest)?.label;
      const name = layer.name.toLowerCase() === layer.modality ? null : layer.name;
      // A filter changes what is seen: it is said first, as long captions are cut.
      said.push(...(found.rendering.filter ? [filterText(found)] : []), skyText(found), date ?? name,
        ...renderingText(found, this.manifest));
      const maps = overlays.filter((overlay) => overlay !== 'cloud');
      if (maps.length) said.push(`below ${maps.join(', ')}`);
    }
    if (layer && !missing) said.push(toneText(found.view.tone));
    const moved = layer && nudgeText(layer.nudge);
    if (moved) said.push(`moved ${moved}, for display only`);
    return said.filter(Boolean).join(', ');
  }

  #modelNote({model, predictionId}) {
    return predictionId === null ? `${model.name}: ${this.predictions.notes.get(model.key) ?? 'being made'}` : model.name;
  }

  #rangeOf({layer, missing, rendering, view: {base}}) {
    if (!layer || missing || base === null || base === 'under') return '';
    return rangeText(this.scene.image(layer.id, rendering)?.range);
  }

  /* One scale bar is enough: in the last pane, where it hides least. */
  #showScale() {
    if (!this.manifest) return;
    const {ground} = this.manifest.tile, {panes} = this.panel, last = this.found.length - 1;
    const bar = scaleBar(ground, this.view.transform.scale);
    panes.list.forEach((_, i) => panes.showScale(i, i === last ? bar : null, ground?.north ?? 0));
  }

  /* Ask for the predictions that are missing, after the tile has been painted. */
  predict() {
    const {manifest, scene} = this, {chosen} = manifest;
    const wanted = new Set(this.found.filter(({overlays, predictionId}) => predictionId === null &&
      overlays.some((name) => OF_MODELS.includes(name))).map(({model}) => model));
    if (scene.predictionId === null) wanted.add(manifest.models.find(({key}) => key === chosen.model));
    this.predictions.ask(wanted, chosen.acquisition);
  }

  /* The manifest of now: the page may have given another one since the map was asked for. */
  #predicted() {
    this.predictions.enter(this.manifest);
    this.show();
  }

  #showAndPredict() {
    this.show();
    this.predict();
  }

  /* Show another image or model: {acquisition} or {model}. */
  choose(choice) {
    this.manifest.chosen = {...this.manifest.chosen, ...choice};
    this.#showAndPredict();
  }

  // ---- layout and views

  setLayout(id) {
    this.#arrange({...this.arrangement, layout: layoutOf(id).id});
  }

  stepLayout(steps = 1) {
    this.setLayout(nextLayout(this.arrangement.layout, steps).id);
    this.panel.say(`Panes: ${layoutOf(this.arrangement.layout).label.toLowerCase()}.`);
  }

  /* Show a view in a pane of the layout. */
  setView(i, given) {
    this.changeViews([i], () => ({contours: false, tone: null, ...given}));
  }

  /* Change the views of some panes: `change(view)` gives what is new. */
  changeViews(slots, change) {
    const {layout, panes} = this.arrangement;
    const views = panes[layout].map((given, i) => (slots.includes(i) ? {...given, ...change(given)} : given));
    this.#arrange({layout, panes: {...panes, [layout]: views}});
    this.predict();
  }

  /* Show clear optical images under a simulated sky {clouds, seed}, or (null) as they are. */
  setSky(sky) {
    this.sky = sky;
    this.show();
  }

  /* How many panes show an image under a simulated sky. */
  get underSky() {
    return this.found.filter(({rendering}) => rendering?.clouds !== undefined).length;
  }

  stepView(i) {
    this.setView(i, nextView(this.views[i], this.manifest));
  }

  #arrange(arrangement) {
    this.arrangement = arrangement;
    this.settings.change({views: remember(this.settings.views, this.kind, arrangement, this.project)});
    this.onSettings();
    this.show();
  }

  /* The view that a pane is compared with: that of the next pane, or the next one there is. */
  secondOf(i) {
    const {views} = this, given = views.length > 1 ? views[(i + 1) % views.length] : nextView(views[i], this.manifest);
    return resolve(given, this.manifest, this.settings);
  }

  // ---- settings

  #set(changes) {
    this.settings.change(changes);
    this.onSettings();
    this.show();
  }

  setOpacity(opacity) {
    this.hidden = false;
    this.#set({opacity});
  }

  stepOpacity() {
    this.setOpacity(this.settings.nextOpacity());
  }

  toggleHidden() {
    this.hidden = !this.hidden;
    this.#set({});
  }

  /* Go to the next value of a setting: contrast, hatching, underlay or provenance. */
  step(name) {
    const calibrated = this.manifest.layers.some((layer) => layer.calibrated);
    this.#set({[name]: this.settings.next(name, calibrated ? [] : ['fixed'])});
  }

  /* Tint two strokes that overlap while a person chooses; none when there is nothing to choose. */
  showConflict(theirs, mine) {
    this.preview?.set('conflict', [...theirs.map((mask) => ({mask, colour: '#f28c28'})),
      ...(mine ? [{mask: mine, colour: '#3aa0ff'}] : [])]);
    if (mine) this.view.reveal(mine);
  }

  /* What a person sees while painting, as the edit log keeps it. */
  panesShown() {
    const hidden = this.hidden ? HIDDEN : this.settings.opacity > 0 ? [] : ['label', 'prediction'];
    return this.found.map((found) => logName(found, found.view.blend === null ? hidden : this.hidden ? HIDDEN : []))
      .filter(Boolean);
  }
}

/* "0,255 relative 8-bit" or "0,1;0,2 dB", as the server prints the stretch, for people. */
function rangeText(text) {
  const [, numbers, unit] = /^(\S+) (.*)$/.exec(text ?? '') ?? [];
  if (!numbers) return '';
  const ranges = numbers.split(';').map((one) => one.split(',').join(' to ')).join(', ');
  return `${ranges} ${unit === 'dB' ? 'dB' : `· ${unit}`}`;
}
