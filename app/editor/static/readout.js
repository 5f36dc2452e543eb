/* The line below the panes: everything that is known of the pixel under the cursor. */

const PROVENANCE = ['as it came', 'changed by hand', 'verified', 'accepted from model', 'unsure'];
const UNITS = ['dB', 'reflectance'];
const CLOUD = {0: 'clear', 1: 'thin cloud', 2: 'thick cloud', 3: 'cloud shadow'};

/* A list of [name, value, colour?] for the panel. `values` holds {layer, found} with the answer of
   the values route, {bands, values, unit, valid}; without one, as while the cursor moves, they read as a
   dash. */
export function readout({row, col, pixel, manifest, maps, values}) {
  if (!pixel) return [['', isInside(manifest.tile, row, col) ? `row ${row}  col ${col}` : 'outside the tile']];
  const items = [['row', String(row)], ['col', String(col)]];
  const place = lonLat(manifest.tile, row + 0.5, col + 0.5);
  if (place) items.push(['', place]);
  for (const {layer, found} of values) {
    if (found === null) continue;
    items.push([imageName(layer, values, manifest), found ? bandText(found) : '–']);
    for (const {name, value} of found?.indices ?? []) if (value !== null) items.push([name, value.toFixed(3)]);
  }
  items.push(['label', ...classText(manifest, pixel.label)]);
  if (maps.prediction !== undefined) {
    const [name, colour] = classText(manifest, maps.prediction);
    items.push(['model', `${name} ${(maps.confidence / 255).toFixed(2)}`, colour]);
  }
  items.push(['', PROVENANCE[pixel.provenance] ?? '']);
  if (CLOUD[maps.cloud]) items.push(['sky', CLOUD[maps.cloud]]);
  return items;
}

function isInside({height, width}, row, col) {
  return row >= 0 && col >= 0 && row < height && col < width;
}

function classText({classes}, code) {
  const found = classes.find((entry) => entry.code === code);
  return found ? [found.name, found.isVoid ? null : found.colour] : [`code ${code}`, null];
}

/* "optical" or "SAR", with its date or name where there are several. */
function imageName(layer, values, {acquisitions}) {
  const kind = layer.modality === 'sar' ? 'SAR' : layer.modality;
  const several = values.filter((other) => other.layer.modality === layer.modality).length > 1;
  const own = acquisitions.find(({id}) => id === layer.acquisition)?.name ?? layer.name;
  return several ? `${kind} ${own}` : kind;
}

/* "R 84  G 91  B 77" or "VV -11.2  VH -17.0 dB"; a gap reads as no data. Amplitudes have no unit. */
function bandText({bands, values, unit, valid}) {
  if (!valid) return 'no data';
  return bands.map((band, i) => `${band} ${shortNumber(values[i], unit)}`).join('  ') + (UNITS.includes(unit) ? ` ${unit}` : '');
}

function shortNumber(value, unit) {
  if (unit === 'dB') return value.toFixed(1);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
}

/* Latitude and longitude of a position, between the corners of the tile (clockwise from the upper
   left); exact enough to find the place on a map. */
export function lonLat({lonlat, height, width}, y, x) {
  if (!lonlat) return null;
  const v = y / height, u = x / width;
  const weights = [(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v];
  const [lon, lat] = [0, 1].map((axis) => lonlat.reduce((sum, point, i) => sum + weights[i] * point[axis], 0));
  const side = (value, plus, minus) => `${Math.abs(value).toFixed(5)}° ${value < 0 ? minus : plus}`;
  return `${side(lat, 'N', 'S')}  ${side(lon, 'E', 'W')}`;
}
