/* Polygon and lasso. Clicks set corners, a drag draws freehand; double click, Enter or a click on the first
corner closes the shape. A shape begun with Shift is collected, one begun with Ctrl is cut from what was
collected; one begun with neither is applied with all that was collected, as one edit. Enter applies the
collection, Backspace takes back the last corner or shape, Escape drops everything. */

import {subtract, unite} from '../raster.js';
import {colourOf, drawnMask, isNear} from './shared.js';

const CLOSE_PX = 9;
const STILL_PX = 3;
const STEP_PX = 1.5;
// Enter or Backspace pressed once more, by habit, must not leave the tile.
const AGAIN_MS = 700;

export class Polygon {
  static collected = 'polygon-collected';
  static open = 'polygon-open';

  constructor(hand) {
    this.hand = hand;
    Object.assign(this, {enteredAt: -Infinity, backAt: -Infinity, shown: 0});
    this.#reset();
  }

  #reset() {
    Object.assign(this, {points: [], corners: [], way: null, freehand: true, sign: null, shapes: []});
  }

  get #scale() {
    return this.hand.editor.view.transform.scale;
  }

  press(at, keys) {
    const {points} = this;
    if (points.length === 0) {
      this.sign = keys.ctrl ? 'subtract' : keys.shift ? 'add' : null;
      this.freehand = true;
    } else if (points.length >= 3 && isNear(at, points[0], this.#scale, CLOSE_PX)) {
      this.#close();
      return false;
    }
    this.way = [at];
    this.#show(at);
    return true;
  }

  drag(at) {
    if (isNear(at, this.way.at(-1), this.#scale, STEP_PX)) return;
    this.way.push(at);
    this.#show();
  }

  release() {
    const {way, points} = this;
    this.way = null;
    const moved = way.some((at) => !isNear(at, way[0], this.#scale, STILL_PX));
    if (moved && points.length === 0) {
      this.points = way;
      return this.#close();
    }
    this.corners.push(points.length);
    if (moved) points.push(...way);
    else if (!points.length || !isNear(way[0], points.at(-1), this.#scale, STILL_PX)) points.push(way[0]);
    else this.corners.pop();
    this.freehand = false;
    this.#show();
  }

  doubleClick() {
    if (this.points.length >= 3) this.#close();
    else if (this.points.length) this.#dropOpen();
  }

  hover(at) {
    if (this.points.length) this.#show(at);
  }

  key(name) {
    if (name === 'Enter') return this.#enter();
    if (name === 'Backspace') return this.#back();
    return false;
  }

  /* What would be lost by leaving, in words, or null. */
  get unfinished() {
    if (this.shapes.length) return 'Shapes are collected that are not painted';
    return this.points.length ? 'A shape is drawn that is not closed' : null;
  }

  cancel() {
    const had = this.points.length > 0 || this.way !== null || this.shapes.length > 0;
    this.#reset();
    this.#clear();
    return had;
  }

  // ---- closing and applying

  #enter() {
    if (this.points.length >= 3) this.#close(true);
    else if (this.points.length) this.hand.say('A polygon needs three corners; Escape drops it.');
    else if (this.shapes.length) this.#apply();
    else return performance.now() - this.enteredAt < AGAIN_MS;
    this.enteredAt = performance.now();
    return true;
  }

  #back() {
    if (this.points.length) {
      this.points.length = this.corners.pop() ?? 0;
    } else if (this.shapes.length) this.shapes.pop();
    else return performance.now() - this.backAt < AGAIN_MS;
    this.backAt = performance.now();
    this.#show();
    return true;
  }

  #dropOpen() {
    this.points = [];
    this.corners = [];
    this.#show();
  }

  #close(andApply = false) {
    const {points, sign, freehand, hand} = this;
    this.#dropOpen();
    try {
      const mask = drawnMask(points, hand.labels);
      if (!mask) return hand.say('No centre of a pixel lies inside this shape.');
      if (sign === 'subtract' && !this.shapes.length)
        return hand.say('Ctrl cuts from shapes that were collected with Shift; there are none yet.');
      this.shapes.push({mask, sign, freehand, points});
    } catch (error) {
      if (error instanceof RangeError) return hand.say(error.message);
      throw error;
    }
    if (sign === null || andApply) this.#apply();
    else this.#show();
  }

  /* The pixels of all shapes, in the order in which they were drawn. */
  #mask() {
    let all = null;
    for (const {mask, sign} of this.shapes)
      if (sign === 'subtract') all = subtract(all, mask);
      else all = all ? unite({...all, data: all.data.slice()}, mask) : mask;
    return all;
  }

  #apply() {
    const mask = this.#mask(), tool = this.shapes.every(({freehand}) => freehand) ? 'lasso' : 'polygon';
    this.#reset();
    this.#clear();
    if (mask) this.hand.apply(tool, mask);
    else this.hand.say('Nothing is left of the shapes to paint.');
  }

  // ---- what is shown

  #show(cursor = null) {
    const {preview} = this.hand.editor, {points, way} = this;
    const line = [...points, ...(way ?? []), ...(cursor && !way ? [cursor] : [])];
    const closes = cursor && points.length >= 3 && isNear(cursor, points[0], this.#scale, CLOSE_PX);
    preview.path(Polygon.open, line.length ? line : null, way !== null && points.length === 0,
      {dots: this.corners.map((i) => points[i]).filter(Boolean), end: closes ? points[0] : null});
    if (this.shown !== this.shapes.length) this.#showCollected();
  }

  /* The pixels collected over the label, and the line of each shape in every pane. */
  #showCollected() {
    const {preview} = this.hand.editor, {shapes} = this, mask = this.#mask();
    if (mask) preview.set(Polygon.collected, [{mask, colour: colourOf(this.hand.editor), style: 'tint'}]);
    else preview.clear(Polygon.collected);
    for (let i = 0; i < Math.max(shapes.length, this.shown); i++)
      preview.path(`${Polygon.collected}-${i}`, shapes[i]?.points ?? null, true);
    this.shown = shapes.length;
  }

  #clear() {
    this.#showCollected();
    this.hand.editor.preview.clear(Polygon.open);
  }
}
