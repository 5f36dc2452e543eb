/* What a reload would lose: the place and zoom, the class in hand, and the area that tools keep to. It is
kept for the tile that was open last, in this tab alone. */

import {TAB, read, write} from '../kept.js';
import {polygonMask} from '../raster.js';

const KEY = 'cloudbrush.place';
const MOST_POINTS = 5000;

export class KeptPlace {
  static id = 'keptPlace';

  constructor(editor) {
    this.editor = editor;
    this.tile = null;
    this.gone = new AbortController();
    addEventListener('pagehide', () => this.#keep(), {signal: this.gone.signal});
  }

  open(scene, manifest) {
    if (this.tile === scene.tile.id) return;
    const first = this.tile === null, kept = first ? usable(read(KEY, TAB), scene.tile) : null;
    this.tile = scene.tile.id;
    if (kept) this.#restore(kept, manifest);
  }

  #restore({place, classCode, area}, {classes, readonly}) {
    const {editor} = this, {height, width} = editor.scene.tile;
    if (place) editor.view.place = place;
    if (classes.some(({code}) => code === classCode)) editor.classCode = classCode;
    const mask = area && !readonly && polygonMask(area, height, width);
    if (mask) editor.features.restrictions.setArea(mask, area);
    else editor.showSettings();
  }

  #keep() {
    const {editor, tile} = this, {points} = editor.features.restrictions;
    if (tile === null || editor.scene?.tile.id !== tile) return;
    const area = editor.hand.area && points?.length <= MOST_POINTS ? points : null;
    // A browser that keeps nothing shows the whole tile again.
    write(KEY, {tile, place: editor.view.place, classCode: editor.classCode, area}, TAB);
  }

  destroy() {
    this.#keep();
    this.gone.abort();
  }
}

/* What was kept, where it reads as such and belongs to a tile. */
export function usable(kept, {id, height, width}) {
  if (kept?.tile !== id) return null;
  const isIn = (at) => Number.isFinite(at?.x) && Number.isFinite(at?.y) && at.x >= -width && at.x <= 2 * width
    && at.y >= -height && at.y <= 2 * height;
  const place = isIn(kept.place) && kept.place.scale > 0 && kept.place.scale < 1000 ? kept.place : null;
  const area = Array.isArray(kept.area) && kept.area.length >= 3 && kept.area.length <= MOST_POINTS
    && kept.area.every(isIn) ? kept.area : null;
  return {place, classCode: kept.classCode, area};
}
