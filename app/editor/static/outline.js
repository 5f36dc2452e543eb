/* Pure functions on regions and their outlines: arrays of ids, and the line around a mask. */

/* Mask of the pixels whose right or lower neighbour has another id: lines of one pixel between
   regions. `ids` is any array of height x width. */
export function edges(ids, height, width) {
  const data = new Uint8Array(height * width);
  for (let row = 0, i = 0; row < height; row++)
    for (let col = 0; col < width; col++, i++)
      if ((col + 1 < width && ids[i] !== ids[i + 1]) || (row + 1 < height && ids[i] !== ids[i + width]))
        data[i] = 1;
  return {y0: 0, x0: 0, h: height, w: width, data};
}

/* The boxes of ids 0 to `count`: an Int32Array of top, left, bottom, right for each, the last two
   exclusive; all 0 where an id is absent. */
export function idBoxes(ids, height, width, count) {
  const boxes = new Int32Array(4 * (count + 1));
  for (let row = 0, i = 0; row < height; row++)
    for (let col = 0; col < width; col++, i++) {
      const at = 4 * ids[i];
      if (boxes[at + 2] === 0) boxes.set([row, col, row + 1, col + 1], at);
      else {
        if (col < boxes[at + 1]) boxes[at + 1] = col;
        if (row >= boxes[at + 2]) boxes[at + 2] = row + 1;
        if (col >= boxes[at + 3]) boxes[at + 3] = col + 1;
      }
    }
  return boxes;
}

/* Mask of the pixels of one id, looked for in its box only; null where it is absent. */
export function idMask(ids, width, boxes, id) {
  const [y0, x0, bottom, right] = boxes.subarray(4 * id, 4 * id + 4);
  if (bottom === undefined || bottom === 0) return null;
  const h = bottom - y0, w = right - x0, data = new Uint8Array(h * w);
  for (let row = 0; row < h; row++)
    for (let col = 0; col < w; col++)
      if (ids[(y0 + row) * width + x0 + col] === id) data[row * w + col] = 1;
  return {y0, x0, h, w, data};
}

/* The line around a mask that is connected by sides, as corners {x, y} between pixels, clockwise from the
   upper left of its first pixel; holes are left out. An empty list for an empty mask. */
export function outerPath({y0, x0, h, w, data}) {
  const first = data.indexOf(1);
  if (first < 0) return [];
  const isIn = (row, col) => row >= 0 && col >= 0 && row < h && col < w && data[row * w + col] === 1;
  const startY = Math.floor(first / w), startX = first % w;
  const corners = [];
  // Along the sides of pixels with the mask at the right hand. Directions: right, down, left, up.
  let y = startY, x = startX, direction = 0, before = 3;
  do {
    if (direction !== before) corners.push({x: x0 + x, y: y0 + y});
    before = direction;
    x += STEP_X[direction];
    y += STEP_Y[direction];
    const aheadRight = isIn(y + RIGHT_Y[direction], x + RIGHT_X[direction]);
    if (!aheadRight) direction = (direction + 1) % 4;
    else if (isIn(y + LEFT_Y[direction], x + LEFT_X[direction])) direction = (direction + 3) % 4;
  } while (y !== startY || x !== startX || direction !== 0);
  return corners;
}

// For each direction: the step, and the pixels ahead of a corner, to the right and to the left.
const STEP_X = [1, 0, -1, 0], STEP_Y = [0, 1, 0, -1];
const RIGHT_X = [0, -1, -1, 0], RIGHT_Y = [0, 0, -1, -1];
const LEFT_X = [0, 0, -1, -1], LEFT_Y = [-1, 0, 0, -1];
