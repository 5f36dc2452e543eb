/* Line icons on a 20 px grid, as path data. */

const PATHS = {
  brush: 'M13.5 3.5l3 3L9 14l-4 1 1-4zM4 17h12',
  revert: 'M4 9a6 6 0 1 1 1.6 5M4 4v5h5',
  fill: 'M9 3l7 7-6 6a1.4 1.4 0 0 1-2 0l-4-4a1.4 1.4 0 0 1 0-2zM3.5 11h12M17 13.500q1.3 1.9 0 2.9-1.3-1 0-2.900z',
  pan: 'M10 2.500v15M2.5 10h15M7.5 5L10 2.5 12.5 5M7.5 15l2.5 2.5 2.5-2.500M5 7.500L2.5 10 5 12.500M15 7.500l2.5 2.5-2.5 2.5',
  pick: 'M11 6l3 3M9.5 7.500L4 13v3h3l5.5-5.500M12 5l1.5-1.500a1.8 1.8 0 0 1 3 3L15 8z',
  verify: 'M4 10.500l4 4 8-9',
  verifyAll: 'M2 10.500l3.5 4 6-8M9 13.500l1 1 7-8.5',
  undo: 'M7 4L3.5 7.5 7 11M4 7.500h7.500a4.5 4.5 0 0 1 0 9H8',
  redo: 'M13 4l3.5 3.500L13 11M16 7.500H8.500a4.5 4.5 0 0 0 0 9H12',
  smaller: 'M5 10h10',
  larger: 'M5 10h10M10 5v10',
  swap: 'M4 7h11l-3-3M16 13H5l3 3',
  eye: 'M2.5 10Q10 2 17.5 10 10 18 2.5 10zM10 7.700a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.600z',
  zoomIn: 'M8.5 3.500a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM12.2 12.200l4.3 4.300M6.2 8.500h4.600M8.5 6.200v4.6',
  zoomOut: 'M8.5 3.500a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM12.2 12.200l4.3 4.300M6.2 8.500h4.6',
  fit: 'M3.5 7.500v-4h4M12.5 3.500h4v4M16.5 12.500v4h-4M7.5 16.500h-4v-4',
  next: 'M7.5 4l6 6-6 6',
  previous: 'M12.5 4l-6 6 6 6',
  help: 'M7 7.500a3 3 0 1 1 4.3 2.700q-1.3.7-1.3 2.300M10 15.500v.4',
  close: 'M5 5l10 10M15 5L5 15',
};

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
