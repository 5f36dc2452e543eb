/* Two strokes that overlap, tinted while the person chooses between them. */

import {place} from './layers.js';

export class MaskLayer {
  constructor() {
    this.tinted = [];
  }

  /* Show a list of {mask, colour}; an empty list shows nothing. */
  set(masks) {
    this.tinted = masks.map(({mask, colour}) => ({mask, canvas: tint(mask, colour)}));
  }

  draw(context, frame) {
    context.imageSmoothingEnabled = false;
    for (const {mask, canvas} of this.tinted) context.drawImage(canvas, ...place(frame, mask));
  }
}

function tint({h, w, data}, colour) {
  const image = new ImageData(w, h);
  const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  data.forEach((bit, i) => {
    if (bit) image.data.set([...rgb, 190], 4 * i);
  });
  const canvas = new OffscreenCanvas(w, h);
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}
