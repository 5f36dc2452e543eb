/* What the four panes show of the open tile: the images and their stretch, labels and prediction over
one of them, clouds and provenance as patterns, and the captions that say so. */

import {MaskLayer} from './masks.js';

const HATCHED = {thick: [2], all: [2, 1, 3], none: []};

export class Display {
  /* `onSettings()` after a setting changed here, `onLayers()` after the layers did. */
  constructor({view, panel, settings, server, onSettings, onLayers}) {
    Object.assign(this, {view, panel, settings, server, onSettings, onLayers});
    this.masks = new MaskLayer();
    Object.assign(this, {hidden: false, scene: null, manifest: null, shown: {}});
  }

  open(scene, manifest) {
    Object.assign(this, {scene, manifest});
    this.show();
  }

  /* Bring layers and captions in line with settings and choices. */
  show() {
    const {scene, settings, manifest} = this, {chosen} = manifest;
    const optical = this.#layerOf('optical', chosen.acquisition), sar = this.#layerOf('sar', null);
    for (const image of scene.images.values()) image.stretch = this.#stretchOf(image.layer);
    const image = (layer) => (layer ? [scene.image(layer.id)] : []);
    const under = settings.underlay === 'sar' && sar ? sar : (optical ?? sar);
    const acquisition = manifest.acquisitions.find(({id}) => id === chosen.acquisition);
    scene.setCloud(acquisition?.hasCloud ? acquisition.id : null);
    scene.setPrediction(this.#predictionId());
    scene.clouds.levels = HATCHED[settings.hatching];
    scene.label.opacity = scene.prediction.opacity = settings.opacity;
    scene.label.hidden = scene.prediction.hidden = this.hidden;
    const provenance = settings.provenance === 'shown' && !this.hidden ? [scene.provenance] : [];
    this.view.setLayers('optical', [...image(optical), scene.clouds]);
    this.view.setLayers('sar', image(sar));
    this.view.setLayers('label', [...image(under), scene.label, ...provenance, this.masks]);
    this.view.setLayers('prediction', [...image(under), scene.prediction]);
    this.panel.panes.provenance.hidden = provenance.length === 0;
    this.shown = {optical, sar, under, acquisition};
    this.onLayers();
    this.showCaptions();
  }

  #layerOf(modality, acquisition) {
    const layers = this.manifest.layers.filter((layer) => layer.modality === modality);
    return layers.find((layer) => (layer.acquisition ?? null) === (acquisition ?? null)) ??
      (modality === 'sar' ? layers[0] : undefined);
  }

  #stretchOf(layer) {
    // A fixed range exists for calibrated values only.
    const {contrast} = this.settings;
    return contrast === 'fixed' && !layer.calibrated ? 'auto' : contrast;
  }

  showCaptions() {
    const {optical, sar, under, acquisition} = this.shown, {chosen, models} = this.manifest;
    const model = models.find(({key}) => key === chosen.model);
    const range = (layer) => (layer ? rangeText(this.scene.image(layer.id).range) : '');
    const over = under ? `over ${under.modality === 'sar' ? 'SAR' : 'optical'}` : '';
    const nameOf = (layer) => (layer.name.toLowerCase() === layer.modality ? '' : layer.name);
    const caption = (...parts) => this.panel.panes.showCaption(...parts);
    caption('optical', 'Optical', optical ? (acquisition?.label ?? nameOf(optical)) : 'none for this tile', range(optical));
    caption('sar', 'SAR', sar ? nameOf(sar) : 'none for this tile', range(sar));
    caption('label', 'Label', this.hidden ? 'hidden' : over);
    const note = !model ? 'no model yet: train one' : this.scene.predictionId === null
      ? `${model.name}: ${this.predictionNote ?? 'being made'}` : `${model.name}, ${over}`;
    caption('prediction', 'Prediction', note);
  }

  #predictionId() {
    const {chosen, models} = this.manifest, model = models.find(({key}) => key === chosen.model);
    if (!model) return null;
    return model.predictions[model.usesOptical ? chosen.acquisition : ''] ?? null;
  }

  /* Ask for the prediction that is missing, after the tile has been painted. */
  async predict() {
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
    if (scene === this.scene) this.show();
  }

  /* Show another image or model: {acquisition} or {model}. */
  choose(choice) {
    this.manifest.chosen = {...this.manifest.chosen, ...choice};
    this.show();
    this.predict();
  }

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
    this.masks.set([...theirs.map((mask) => ({mask, colour: '#f28c28'})),
      ...(mine ? [{mask: mine, colour: '#3aa0ff'}] : [])]);
    if (mine) this.view.reveal(mine);
    this.view.draw(null, ['label']);
  }

  /* What a person sees while painting, as the edit log keeps it. */
  panesShown() {
    const {optical, sar} = this.shown;
    const acquisition = optical?.acquisition ? `optical/${optical.acquisition}` : optical && 'optical';
    return [acquisition, sar && 'sar', !this.hidden && this.settings.opacity > 0 && 'label',
      this.scene.predictionId !== null && `prediction/${this.scene.predictionId}`].filter(Boolean);
  }
}

/* "0,255 relative 8-bit" or "0,1;0,2 dB", as the server prints the stretch, for people. */
function rangeText(text) {
  const [, numbers, unit] = /^(\S+) (.*)$/.exec(text) ?? [];
  if (!numbers) return '';
  const ranges = numbers.split(';').map((one) => one.split(',').join(' to ')).join(', ');
  return `${ranges} ${unit === 'dB' ? 'dB' : `· ${unit}`}`;
}
