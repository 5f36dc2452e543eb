/* What several gestures need: the colour that is about to be painted, and masks of drawn shapes. */

import {encircleMask, polygonMask} from '../raster.js';

const MAX_SHAPE_PX = 4096 * 4096;
const NO_COLOUR = '#e8eaed';

/* The colour of the class to be painted; a plain one for void and for effects that bring their own. */
export function colourOf({manifest, classCode, settings}) {
  const entry = settings.effect === 'class' && manifest.classes.find(({code}) => code === classCode);
  return (entry && entry.colour) || NO_COLOUR;
}

/* The pixels of a drawn shape of {x, y}: those whose centre lies inside, or with `line` those that the
   line passes as well. Null where there are none; throws a RangeError for a shape that is too large. */
export function drawnMask(points, {height, width}, {line = false} = {}) {
  const side = (axis, most) => {
    const cut = points.map((point) => Math.max(0, Math.min(most, point[axis])));
    return Math.max(...cut) - Math.min(...cut);
  };
  if (points.length && side('y', height) * side('x', width) > MAX_SHAPE_PX)
    throw new RangeError('This shape is too large: draw it in parts of at most 4096 x 4096 px.');
  return (line ? encircleMask : polygonMask)(points, height, width);
}

/* Whether two positions lie within some pixels of the screen. */
export function isNear(a, b, scale, screenPx) {
  return Math.hypot(a.x - b.x, a.y - b.y) * scale <= screenPx;
}
