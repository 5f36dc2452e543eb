/* The area that tools keep to, drawn freehand: the way of the pointer, closed, from press to release. */

import {polygonMask} from '../raster.js';

export class Area {
  static paints = false;
  static passing = true;

  constructor(hand) {
    this.hand = hand;
    this.points = null;
  }

  press(at) {
    this.points = [at];
    return true;
  }

  drag(at) {
    this.points.push(at);
    this.hand.editor.preview.path('area-drawn', this.points, true);
  }

  release() {
    const {hand, points} = this, {labels, editor} = hand;
    this.points = null;
    editor.preview.clear('area-drawn');
    const mask = points.length < 3 ? null : polygonMask(points, labels.height, labels.width);
    editor.features.restrictions.setArea(mask, points);
  }

  cancel() {
    const drawing = this.points !== null;
    this.points = null;
    this.hand.editor.preview.clear('area-drawn');
    return this.hand.editor.features.restrictions.leaveArea() || drawing;
  }
}
