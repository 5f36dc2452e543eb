/* The parts of the editor that are not panes, tools or furniture: each a class with a static `id`, made
once per editor and found as `editor.features[id]`. All hooks are optional:

open(scene, manifest)  another tile is shown, or what is known of this one has changed
arrived()              something that was being loaded is there; called often
committed(change)      a change of one's own has been queued
reversed()             a stroke has been taken back, or put on again
hover(at)              the cursor is at a place in tile pixels, or nowhere (null)
cancel()               Escape; returns true when it had something to close
destroy()              the editor goes away */

import {Bulk} from './features/bulk.js';
import {ClassPatternsFeature} from './features/class_patterns.js';
import {Objects} from './features/objects.js';
import {KeptPlace} from './features/kept_place.js';
import {Live} from './features/live.js';
import {OnlyClass} from './features/only_class.js';
import {Remap} from './features/remap.js';
import {Restrictions} from './features/restrictions.js';
import {Sky} from './features/sky.js';
import {Suggest} from './features/suggest.js';
import {Superpixels} from './features/superpixels.js';
import {Timeline} from './features/timeline.js';
import {WandSettings} from './features/wand.js';
import {Views} from './views/feature.js';

export const FEATURES = [Bulk, Views, ClassPatternsFeature, Restrictions, Live, Remap, Objects, Superpixels,
  Suggest, Timeline, Sky, WandSettings, KeptPlace, OnlyClass];

export class Features {
  constructor(editor) {
    this.list = FEATURES.map((Feature) => (this[Feature.id] = new Feature(editor)));
  }

  open(scene, manifest) {
    for (const feature of this.list) feature.open?.(scene, manifest);
  }

  arrived() {
    for (const feature of this.list) feature.arrived?.();
  }

  committed(change) {
    for (const feature of this.list) feature.committed?.(change);
  }

  reversed() {
    for (const feature of this.list) feature.reversed?.();
  }

  hover(at) {
    for (const feature of this.list) feature.hover?.(at);
  }

  cancel() {
    return this.list.some((feature) => feature.cancel?.());
  }

  destroy() {
    for (const feature of this.list) feature.destroy?.();
  }
}
