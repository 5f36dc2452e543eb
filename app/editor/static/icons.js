/* Line icons on a 20 px grid, as path data. One hand for all: a stroke of 1.6, round ends, and the
same small sign for the same thing: a diamond is the model, a blob a region, dashes a restriction. */

const ring = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const dots = (...places) => places.map(([x, y]) => `M${x} ${y}h.01`).join('');

const FRAME = 'M3 4h14v12H3z';
const BLOB = 'M9.5 3.5c4-.6 7 1.5 7 4.8 0 2.4-1.7 2.7-2 5-.3 2.2-2.2 3.4-5 3.2-3.5-.3-6-2.7-6-6.2s2.5-6.3 6-6.8z';
const MAGNIFIER = 'M8.5 3.5a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM12.2 12.2l4.3 4.3';
const CELLS = 'M3 8.5l4.5-1 2.5 3 3.5-2.5 3.5 1M7.5 7.5L8.5 3M10 10.5L9 17M13.5 8L13 3';

const PATHS = {
  // tools
  brush: 'M13.5 3.5l3 3L9 14l-4 1 1-4zM4 17h12',
  modelBrush: 'M11.5 2.5l3 3-7.3 7.3-4 1 1-4zM14.5 11l3 3-3 3-3-3z',
  revert: 'M4 9a6 6 0 1 1 1.6 5M4 4v5h5',
  fill: 'M9 3l7 7-6 6a1.4 1.4 0 0 1-2 0l-4-4a1.4 1.4 0 0 1 0-2zM3.5 11h12M17 13.5q1.3 1.9 0 2.9-1.3-1 0-2.9z',
  fillAll: 'M9 2l5.5 5.5-4.8 4.8a1.2 1.2 0 0 1-1.7 0L5 9.2a1.2 1.2 0 0 1 0-1.7zM4.5 8.5H14M3.5 15.5h3v2h-3zM8.5 15.5h3v2h-3zM13.5 15.5h3v2h-3z',
  polygon: `${ring(5, 5, 1.6)}${ring(15.5, 7, 1.6)}${ring(13, 15.5, 1.6)}${ring(4.5, 13, 1.6)}M6.6 5.3l7.3 1.4M15 8.6l-1.5 5.3M11.4 15.1l-5.3-1.7M4.6 11.4l.3-4.8`,
  lasso: 'M10 3.5c4.2 0 7 1.9 7 4.7s-2.8 4.7-7 4.7c-1.8 0-3.3-.3-4.5-.9C4 11.2 3 9.8 3 8.2c0-2.8 2.8-4.7 7-4.7zM5.5 12a1.7 1.7 0 1 0 0 3c1.5 0 1.5 2 .2 2.5',
  encircle: `${BLOB}M6.5 11.5l5-5M9 13.5l4.5-4.5`,
  wand: 'M3.5 16.5L11 9M13.5 2.5v2.2M13.5 8.3v2.2M9.5 6.5h2.2M15.3 6.5h2.2',
  superpixel: `M3 3h14v14H3z${CELLS}M10.7 15.5l4.5-4.5M14 15.5l1.5-1.5`,
  superpixelOutlines: `M3 3h14v14H3z${CELLS}`,
  object: 'M4.5 16.5V8L10 3.5 15.5 8v8.5zM8.2 16.5v-4.8h3.6v4.8',
  pan: 'M10 2.5v15M2.5 10h15M7.5 5L10 2.5 12.5 5M7.5 15l2.5 2.5 2.5-2.5M5 7.5L2.5 10 5 12.5M15 7.5l2.5 2.5-2.5 2.5',
  pick: 'M11 6l3 3M9.5 7.5L4 13v3h3l5.5-5.5M12 5l1.5-1.5a1.8 1.8 0 0 1 3 3L15 8z',
  square: `M3 3h14v14H3z${ring(10, 10, 4)}`,
  pressure: 'M10 2.5l4.5 8L12 16.5H8L5.5 10.5zM10 9v3.5M5 18h10',
  smaller: 'M5 10h10',
  larger: 'M5 10h10M10 5v10',

  // regions and the model
  setRegion: `${BLOB}M8 8h4v4H8z`,
  verify: 'M4 10.5l4 4 8-9',
  verifyAll: 'M2 10.5l3.5 4 6-8M9 13.5l1 1 7-8.5',
  acceptModel: 'M2.5 8.5l3.3 3.5L12 4.5M14 10l3.5 3.5L14 17l-3.5-3.5z',
  unsure: `${ring(10, 10, 7)}M8 8.3a2 2 0 1 1 2.9 1.8q-.9.5-.9 1.4M10 13.8v.1`,
  suggestion: 'M10 2.5l7.5 7.5-7.5 7.5L2.5 10zM7 11.5L11.5 7M9 13.5l4.5-4.5',

  // restrictions
  recode: 'M2.5 7.5h4.5v5H2.5zM13 7.5h4.5v5H13zM9 10h2.3M10 8.3l1.7 1.7L10 11.7',
  recodeSource: 'M3 7.5h5v5H3zM11 10h6M14 7v6',
  area: 'M3.5 6V3.5H6M8.7 3.5h2.6M14 3.5h2.5V6M16.5 8.7v2.6M16.5 14v2.5H14M11.3 16.5H8.7M6 16.5H3.5V14M3.5 11.3V8.7M7.5 12.5l5-5',
  skyPreview: 'M6 12a3.2 3.2 0 0 1-.3-6.4 4.6 4.6 0 0 1 8.8-.8A3.6 3.6 0 0 1 14.5 12zM4 15.5h2M8.5 15.5h2M13 15.5h2M6 18h2M11 18h2',
  cloud: 'M6 15a3.2 3.2 0 0 1-.3-6.4 4.6 4.6 0 0 1 8.8-.8A3.6 3.6 0 0 1 14.5 15z',
  keepVerified: 'M4.5 9h11v8h-11zM7 9V6.3a3 3 0 0 1 6 0V9M7.6 12.8l1.8 1.8 3-3.4',

  // history
  undo: 'M7 4L3.5 7.5 7 11M4 7.5h7.5a4.5 4.5 0 0 1 0 9H8',
  redo: 'M13 4l3.5 3.5L13 11M16 7.5H8.5a4.5 4.5 0 0 0 0 9H12',
  timeline: `M2.5 10h2.8M9.3 10h8.2${ring(7.3, 10, 2)}M12.5 7v6M15.5 8v4M2.5 7v6`,
  play: 'M6.5 4.2l9 5.8-9 5.8z',
  pause: 'M7 4.5v11M13 4.5v11',
  restore: 'M3.8 7.5A6.6 6.6 0 1 1 3.5 11.5M3.5 3.5v4h4M10 6.5v4l2.7 1.5',
  place: `${ring(10, 10, 4.5)}M10 2.5v5M10 12.5v5M2.5 10h5M12.5 10h5`,
  people: `${ring(7.5, 7, 2.7)}M2.5 16.5c0-3.5 2-5 5-5s5 1.5 5 5M13 4.6a2.6 2.6 0 0 1 0 4.9M14.5 12c2 .5 3 2 3 4.5`,

  // many pixels
  manyPixels: 'M3 3h14v14H3zM3 7.7h14M3 12.3h14M7.7 3v14M12.3 3v14',
  islands: `${ring(8, 11, 4.5)}${ring(15.5, 5, 1.7)}M13.5 16.5l3-3M13.5 13.5l3 3`,
  holes: `${ring(10, 10, 7)}${ring(10, 10, 2.2)}`,

  // view
  swap: 'M4 7h11l-3-3M16 13H5l3 3',
  eye: 'M2.5 10Q10 2 17.5 10 10 18 2.5 10zM10 7.7a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6z',
  zoomIn: `${MAGNIFIER}M6.2 8.5h4.6M8.5 6.2v4.6`,
  zoomOut: `${MAGNIFIER}M6.2 8.5h4.6`,
  fit: 'M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4',
  layout: `${FRAME}M10 4v12M10 10h7`,
  swipe: `${FRAME}M10 2v16M7.5 8.2L5.7 10l1.8 1.8M12.5 8.2l1.8 1.8-1.8 1.8`,
  flicker: 'M3 7h9.5v9.5H3zM7.5 7V3.5H17V13h-4.5',
  nudge: 'M3 3h8.5v8.5H3zM8 8l8.5 8.5M16.5 12.5v4h-4',
  moveLeft: 'M16 10H4.5M8.5 5.5L4 10l4.5 4.5',
  moveRight: 'M4 10h11.5M11.5 5.5L16 10l-4.5 4.5',
  moveUp: 'M10 16V4.5M5.5 8.5L10 4l4.5 4.5',
  moveDown: 'M10 4v11.5M5.5 11.5L10 16l4.5-4.5',
  nextView: `${FRAME}M8.5 7l3 3-3 3`,
  blend: `${ring(7.5, 10, 4.7)}${ring(12.5, 10, 4.7)}`,
  contrast: `${ring(10, 10, 7)}M10 3v14M12.5 6v8M15 7.5v5`,
  difference: `${ring(7.5, 10, 4.7)}M11 5.6a4.7 4.7 0 1 1 0 8.8M13 8l2.5 4`,
  speckle: `${dots([4, 4.5], [7.5, 6.5], [3.5, 8.5], [6.5, 10.5], [3.5, 13], [7.5, 14.5], [4.5, 16.5])}M11 7c1-2 2-2 3 0s2 2 3 0M11 13c1-2 2-2 3 0s2 2 3 0`,
  patterns: 'M3 3h14v14H3zM3 8.5L8.5 3M3 14L14 3M6 17L17 6M11.5 17l5.5-5.5',
  provenance: `${ring(10, 6.5, 3)}M4 17c0-3.8 2.3-5.5 6-5.5s6 1.7 6 5.5`,

  // tiles and furniture
  next: 'M7.5 4l6 6-6 6',
  previous: 'M12.5 4l-6 6 6 6',
  help: 'M7 7.5a3 3 0 1 1 4.3 2.7q-1.3.7-1.3 2.3M10 15.5v.4',
  remap: `M2 5h16v10H2z${dots([5, 8], [8.3, 8], [11.7, 8], [15, 8], [5, 12], [15, 12])}M8 12h4`,
  search: MAGNIFIER,
  fold: 'M5.5 7.8l4.5 4.5 4.5-4.5',
  more: dots([4.5, 10], [10, 10], [15.5, 10]),
  close: 'M5 5l10 10M15 5L5 15',
  plain: 'M6.5 6.5h7v7h-7z',
};

/* The names there are, for tests. */
export const ICONS = Object.keys(PATHS);

/* An icon as an element; a plain square where there is none of that name. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name] ?? PATHS.plain);
  svg.append(path);
  return svg;
}
