/* Asks for the predictions that panes lack, one after the other, and again where one was lost on its way. */

import {mayPass} from './server.js';

const LIMIT_MS = 15 * 60 * 1000; // a CPU works for minutes on a large scene
const AGAIN_MS = 5000, LONGEST_MS = 5 * 60 * 1000;

export class Predictions {
  /* `onChange()` after a prediction has come, to be entered, or failed; `onFail(error)` the first time that
     one fails; `onAgain()` when it is time to ask for what is still wanted. */
  constructor({server, onChange, onFail, onAgain}) {
    Object.assign(this, {server, onChange, onFail, onAgain});
    this.open(null);
  }

  open(scene) {
    if (scene === this.scene) return;
    // `notes` say by the model's key why it has no map; a failed map is asked for after longer and longer.
    Object.assign(this, {scene, notes: new Map(), asked: new Set(), failures: new Map(), made: []});
  }

  /* Enter what was made here into a manifest, which may have been written before that. */
  enter({models}) {
    for (const {key, acquisition, id} of this.made) {
      const model = models.find((entry) => entry.key === key);
      if (model) model.predictions[acquisition] ??= id;
    }
  }

  /* Ask for the maps of models under an acquisition, each once. */
  async ask(models, acquisition) {
    const {scene} = this;
    for (const model of models) {
      const key = `${model?.key}/${acquisition}`;
      if (scene !== this.scene) return;
      if (!model?.id || this.asked.has(key)) continue;
      this.asked.add(key);
      await this.#make(model, acquisition, key);
    }
  }

  async #make(model, acquisition, key) {
    const {scene, server} = this, seen = model.usesOptical ? acquisition : '';
    this.notes.set(model.key, 'being made');
    try {
      const path = `/tile/${scene.tile.id}/predict/${model.id}${seen ? `?acquisition=${seen}` : ''}`;
      const {id} = await server.json(path, AbortSignal.timeout(LIMIT_MS));
      if (scene === this.scene) this.made.push({key: model.key, acquisition: seen, id});
    } catch (error) {
      if (scene === this.scene) this.#failed(model, key, error);
    }
    if (scene === this.scene) this.onChange();
  }

  #failed(model, key, error) {
    const {scene} = this, before = this.failures.get(key) ?? 0;
    this.failures.set(key, before + 1);
    this.notes.set(model.key, 'not available');
    if (before === 0) this.onFail(error);
    if (mayPass(error)) setTimeout(() => {
      if (scene !== this.scene || scene.closed) return;
      this.asked.delete(key);
      this.notes.delete(model.key);
      this.onAgain();
    }, Math.min(LONGEST_MS, AGAIN_MS * 2 ** before));
  }
}
