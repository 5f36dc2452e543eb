/* What a pane can show, as plain data that fits any tile of a project; nothing here draws. A *view* is

{id, base, rendering: {bands | expr, stretch, filter, minus}, overlays, blend, model, contours?, tone?}

`base` names an image by what it is and not by its number: {modality, name?, date?}, {event: 'pre' or
'post'}, 'under' (the image that labels lie over) or null. `date` and `model` that are missing mean
the ones chosen in the bar. `minus` is another base, whose values are taken off. `blend` is the
opacity of the overlays, null for the setting of the editor; `contours` draws label and prediction as
outlines, `tone` {brightness, contrast} the image brighter or darker by so many percent. */

export const OVERLAYS = ['label', 'prediction', 'confidence', 'disagreement', 'provenance', 'cloud'];
export const STRETCHES = ['auto', 'percentile', 'shadows', 'fixed', 'none'];
export const FILTERS = {lee: 'Lee', refined_lee: 'refined Lee'};
export const MAX_EXPRESSION = 400;
export const LEAST_TONE = -80, MOST_TONE = 200;

const view = (id, base, {rendering = {}, overlays = [], model = null, blend = null} = {}) =>
  ({id, base, rendering, overlays, blend, model});

const VIEWS = {
  optical: view('optical', {modality: 'optical'}, {overlays: ['cloud']}),
  sar: view('sar', {modality: 'sar'}),
  pre: view('pre', {event: 'pre'}),
  post: view('post', {event: 'post'}),
  label: view('label', 'under', {overlays: ['label']}),
  prediction: view('prediction', 'under', {overlays: ['prediction']}),
  confidence: view('confidence', null, {overlays: ['confidence']}),
  disagreement: view('disagreement', 'under', {overlays: ['disagreement']}),
  provenance: view('provenance', 'under', {overlays: ['provenance']}),
};
const USUAL = {
  land_cover: {'1': ['label'], '2c': ['optical', 'label'], '2r': ['optical', 'label'],
    '3c': ['optical', 'sar', 'label'], '1+2': ['label', 'optical', 'sar'],
    '2x2': ['optical', 'sar', 'label', 'prediction'],
    '1+4': ['label', 'optical', 'sar', 'prediction', 'disagreement'],
    '2x3': ['optical', 'sar', 'disagreement', 'label', 'prediction', 'confidence']},
  damage: {'1': ['label'], '2c': ['post', 'label'], '2r': ['post', 'label'],
    '3c': ['pre', 'post', 'label'], '1+2': ['label', 'pre', 'post'],
    '2x2': ['pre', 'post', 'label', 'prediction'],
    '1+4': ['label', 'pre', 'post', 'prediction', 'disagreement'],
    '2x3': ['pre', 'post', 'disagreement', 'label', 'prediction', 'confidence']},
};

/* What the panes of a layout show before anybody chose. */
export function defaultViews(kind, layout) {
  return (USUAL[kind] ?? USUAL.land_cover)[layout].map((id) => structuredClone(VIEWS[id]));
}

/* These views for a project with tiles like this one: where it has no image of a kind at all, another
   image stands in, or the provenance of the label, so that no pane stays empty. */
export function fitting(views, manifest) {
  const used = new Set(views.map(({id}) => id));
  const now = manifest.acquisitions.find(({id}) => id === manifest.chosen.acquisition)?.name;
  // Other kinds first, then other dates.
  const images = menu(manifest).filter(({group}) => group === 'Images').flatMap(({items}) => items)
    .filter((item) => !item.missing && item.view.base.date !== (now ?? null))
    .sort((a, b) => Boolean(a.rare) - Boolean(b.rare));
  return views.map((given) => {
    const wanted = given.base?.modality;
    if (!wanted || manifest.layers.some(({modality}) => modality === wanted)) return given;
    const free = images.find((item) => !used.has(item.view.id))?.view ?? VIEWS.provenance;
    used.add(free.id);
    return structuredClone(free);
  });
}

/* A view as it may come out of storage, without whatever does not belong; null if it is none. */
export function cleanView(given) {
  if (!isObject(given) || !isText(given.id, 160)) return null;
  const base = cleanBase(given.base), rendering = isObject(given.rendering) ? given.rendering : {};
  if (base === undefined) return null;
  const {bands, expr, stretch, filter, minus} = rendering, kept = {};
  if (Array.isArray(bands) && [1, 3].includes(bands.length) &&
    bands.every((band) => Number.isInteger(band) && band >= 1 && band < 1000)) kept.bands = [...bands];
  if (isText(expr, MAX_EXPRESSION)) kept.expr = expr;
  if (STRETCHES.includes(stretch)) kept.stretch = stretch;
  if (typeof filter === 'string' && Object.hasOwn(FILTERS, filter)) kept.filter = filter;
  if (isObject(minus) && cleanBase(minus)) kept.minus = cleanBase(minus);
  const overlays = Array.isArray(given.overlays) ? OVERLAYS.filter((name) => given.overlays.includes(name)) : [];
  if (base === null && !overlays.length) return null;
  const made = view(given.id, base, {rendering: kept, overlays, model: isText(given.model, 160) ? given.model : null,
    blend: Number.isFinite(given.blend) && given.blend >= 0 && given.blend <= 1 ? given.blend : null});
  const tone = cleanTone(given.tone);
  return {...made, ...(given.contours === true && {contours: true}), ...(tone && {tone})};
}

/* Brightness and contrast in percent, or null where they are as usual. */
export function cleanTone(tone) {
  if (!isObject(tone)) return null;
  const [brightness, contrast] = [tone.brightness, tone.contrast].map((value) =>
    (Number.isFinite(value) ? Math.round(Math.max(LEAST_TONE, Math.min(MOST_TONE, value))) : 0));
  return brightness || contrast ? {brightness, contrast} : null;
}

/* "brightness +20 %, contrast −5 %", or nothing. */
export function toneText(tone) {
  return Object.entries(tone ?? {}).filter(([, value]) => value)
    .map(([name, value]) => `${name} ${value > 0 ? '+' : '−'}${Math.abs(value)} %`).join(', ');
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value, most) => typeof value === 'string' && value.length > 0 && value.length <= most;

function cleanBase(base) {
  if (base === null || base === 'under') return base;
  if (!isObject(base)) return undefined;
  if (base.event === 'pre' || base.event === 'post') return {event: base.event};
  if (!isText(base.modality, 20)) return undefined;
  const {modality, name, date} = base;
  return {modality, ...(isText(name, 160) && {name}), ...(isText(date, 160) && {date})};
}

/* The image that a base means on a tile, or null. `under` says which kind labels lie over. */
export function layerOf(base, manifest, under = 'optical') {
  if (base === null) return null;
  if (base === 'under') {
    const [first, second] = under === 'sar' ? ['sar', 'optical'] : ['optical', 'sar'];
    return layerOf({modality: first}, manifest) ?? layerOf({modality: second}, manifest);
  }
  if (base.event) return eventLayer(base.event, manifest);
  const {acquisitions, chosen, layers} = manifest;
  const date = base.date ? acquisitions.find(({name}) => name === base.date)?.id : chosen.acquisition;
  const fits = layers.filter(({modality, name}) => modality === base.modality && (!base.name || name === base.name));
  return fits.find((layer) => (layer.acquisition ?? null) === (date ?? null)) ??
    // What has no date belongs to every date.
    (base.date ? null : fits.find(({acquisition, modality}) => acquisition === null || modality !== 'optical') ?? null);
}

const EVENT = {pre: /(^|[^a-z])(pre|before)([^a-z]|$)/i, post: /(^|[^a-z])(post|after)([^a-z]|$)/i};

/* The image before or after an event: by name, else optical before and SAR after. */
function eventLayer(event, manifest) {
  const nameOf = (layer) => `${layer.name} ${acquisitionOf(layer, manifest)?.name ?? ''}`;
  const named = manifest.layers.find((layer) => EVENT[event].test(nameOf(layer)));
  if (named || manifest.layers.some((layer) => EVENT.pre.test(nameOf(layer)) || EVENT.post.test(nameOf(layer))))
    return named ?? null;
  return manifest.layers.find(({modality}) => modality === (event === 'pre' ? 'optical' : 'sar')) ?? null;
}

export function acquisitionOf(layer, {acquisitions}) {
  return acquisitions.find(({id}) => id === layer?.acquisition);
}

/* Everything that can be shown on this tile, in groups: [{group, items: [{view, label, missing?}]}].
   `missing` says in words why an item cannot be had. `rare` items are left out when stepping. */
export function menu(manifest) {
  return [
    {group: 'Images', items: [...opticalItems(manifest), ...sarItems(manifest), ...otherItems(manifest)]},
    {group: 'Composites and indices', items: compositeItems(manifest)},
    {group: 'Event', items: eventItems(manifest)},
    {group: 'Maps', items: mapItems(manifest)},
  ].filter(({items}) => items.length);
}

function opticalItems({acquisitions, layers}) {
  const dated = acquisitions.filter(({id}) =>
    layers.some(({modality, acquisition}) => modality === 'optical' && acquisition === id));
  if (!layers.some(({modality}) => modality === 'optical')) return [];
  const items = [{view: VIEWS.optical, label: 'Optical, the date chosen above'}];
  for (const {name, label} of dated)
    items.push({view: view(`optical:${name}`, {modality: 'optical', date: name}, {overlays: ['cloud']}),
      label: `Optical, ${label}`, rare: true});
  return items;
}

function sarItems({layers}) {
  const items = [], found = layers.filter(({modality}) => modality === 'sar');
  for (const [i, {name, bands = []}] of found.entries()) {
    const base = {modality: 'sar', ...(found.length > 1 && {name})};
    const of = found.length > 1 ? ` ${name}` : '';
    items.push({view: i ? view(`sar:${name}`, base) : {...VIEWS.sar, base}, label: `SAR${of}, as stored`});
    if (bands.length > 1)
      bands.forEach((band, at) => items.push({view: view(`sar:${name}:${band}`, base, {rendering: {bands: [at + 1]}}),
        label: `SAR${of}, ${band}`}));
  }
  return items;
}

function otherItems({layers}) {
  return layers.filter(({modality}) => !['optical', 'sar'].includes(modality)).map(({modality, name}) =>
    ({view: view(`${modality}:${name}`, {modality, name}), label: capital(name)}));
}

/* Expressions that the server knows the bands for, and bands that are put together by hand. */
function compositeItems({layers, chosen}) {
  const items = [], seen = new Set();
  for (const {modality, name, bands = [], presets = [], acquisition} of layers) {
    const key = `${modality}:${name}`;
    if (seen.has(key) || (acquisition !== null && acquisition !== chosen.acquisition)) continue;
    seen.add(key);
    const several = layers.some((other) => other.modality === modality && other.name !== name);
    const base = {modality, name}, kind = modality === 'sar' ? 'SAR' : modality;
    const of = several ? `, ${kind} ${name}` : layers.length > 1 ? `, ${kind}` : '';
    for (const {name: title, expr, help, fixed} of presets)
      // A known range is kept, so that tiles compare.
      items.push({view: view(`expr:${key}:${title}`, base, {rendering: {expr, ...(fixed && {stretch: 'fixed'})}}), label: `${title}${of}`, help});
    if (bands.length >= 3)
      items.push({view: view(`bands:${key}`, base, {rendering: {bands: [1, 2, 3]}}),
        label: `Bands of your choice${of}`, opens: 'bands', rare: true});
    items.push({view: view(`own:${key}`, base, {rendering: {expr: firstExpression(bands)}}),
      label: `Own expression${of}`, opens: 'expr', rare: true});
  }
  return items;
}

const firstExpression = (bands) => (bands.length > 1 ? 'band1 - band2' : 'band1');

function eventItems(manifest) {
  const pre = eventLayer('pre', manifest), post = eventLayer('post', manifest);
  const named = manifest.project.kind === 'damage' || manifest.layers.some((layer) =>
    [pre, post].includes(layer) && EVENT.pre.test(`${pre?.name} ${acquisitionOf(pre, manifest)?.name}`));
  if (!named) return [];
  const missing = !pre || !post ? 'one of the two images is missing'
    : pre.modality !== post.modality ? 'before and after come from different sensors' : undefined;
  return [
    {view: VIEWS.pre, label: 'Before the event', missing: pre ? undefined : 'there is no such image'},
    {view: VIEWS.post, label: 'After the event', missing: post ? undefined : 'there is no such image'},
    {view: view('difference', {event: 'post'}, {rendering: {minus: {event: 'pre'}}}),
      label: 'Difference, after less before', missing},
  ];
}

function mapItems({models, acquisitions}) {
  const items = [{view: VIEWS.label, label: 'Label'}];
  const missing = models.length ? undefined : 'there is no model yet';
  items.push({view: VIEWS.prediction, label: 'Prediction of the model chosen above', missing});
  for (const {key, name} of models.length > 1 ? models : [])
    items.push({view: view(`prediction:${key}`, 'under', {overlays: ['prediction'], model: key}),
      label: `Prediction, ${name}`, rare: true});
  items.push({view: VIEWS.confidence, label: 'Confidence of the prediction', missing},
    {view: VIEWS.disagreement, label: 'Label and prediction disagree', missing},
    {view: VIEWS.provenance, label: 'Provenance of the label'},
    {view: view('cloud', {modality: 'optical'}, {overlays: ['cloud']}), label: 'Clouds, hatched',
      missing: acquisitions.some(({hasCloud}) => hasCloud) ? undefined : 'there is no cloud mask'});
  return items;
}

/* The view after this one, among those that can be had. */
export function nextView(current, manifest) {
  const items = menu(manifest).flatMap((group) => group.items).filter(({missing, rare}) => !missing && !rare);
  const at = items.findIndex((item) => item.view.id === current.id);
  return structuredClone(items[(at + 1) % items.length].view);
}

/* A view on one tile: {view, layer, minus, rendering (for the server), overlays, model, predictionId,
   missing (words) or null}. `underlay` and `contrast` are the settings of the editor. */
export function resolve(given, manifest, {underlay, contrast}) {
  const layer = layerOf(given.base, manifest, underlay);
  const minus = given.rendering.minus ? layerOf(given.rendering.minus, manifest, underlay) : null;
  const key = given.model ?? manifest.chosen.model;
  const model = manifest.models.find((entry) => entry.key === key) ?? null;
  const missing = given.base !== null && !layer ? 'none for this tile'
    : given.rendering.minus && !minus ? 'nothing to compare with' : null;
  return {view: given, layer, minus, model, missing, predictionId: predictionOf(model, manifest),
    overlays: given.overlays, rendering: layer ? renderingOf(given.rendering, layer, minus, contrast) : null};
}

function predictionOf(model, {chosen}) {
  if (!model) return null;
  return model.predictions[model.usesOptical ? chosen.acquisition : ''] ?? null;
}

/* Only what changes the picture: equal renderings share their blocks. */
function renderingOf({bands, expr, stretch, filter}, layer, minus, contrast) {
  const wanted = stretch ?? contrast, known = layer.bands?.length ?? 0;
  return {
    // A fixed range exists for calibrated values and for some expressions.
    stretch: wanted === 'fixed' && !layer.calibrated && !expr ? 'auto' : wanted,
    ...(expr ? {expr} : bands?.every((band) => band <= known) && {bands}),
    ...(filter && layer.modality === 'sar' && {filter}),
    ...(minus && {minus: minus.id}),
  };
}

/* The same view under a simulated sky {clouds (percent), seed}, where it is a picture of a clear optical
   image as stored; else as it was. */
export function underSky(found, sky, manifest) {
  const {layer, missing, rendering, view: {base}} = found;
  const plain = layer?.modality === 'optical' && !missing && base !== 'under' && !rendering.expr && !rendering.minus;
  if (!sky || !plain || !(acquisitionOf(layer, manifest)?.takesClouds ?? true)) return found;
  return {...found, rendering: {...rendering, ...sky}};
}

export const skyText = ({rendering: {clouds, seed}}) =>
  (clouds === undefined ? null : `under simulated clouds, ${clouds} %, seed ${seed}`);

const MAP_TITLES = {label: 'Label', prediction: 'Prediction', confidence: 'Confidence',
  disagreement: 'Disagreement', provenance: 'Provenance', cloud: 'Clouds'};
const MODALITIES = {optical: 'Optical', sar: 'SAR'};

/* The name of a view in its caption. */
export function titleOf({view: {id, base, rendering, overlays}, layer}) {
  const kind = kindOf(id);
  if (id === 'difference') return 'Difference';
  if (base?.event) return base.event === 'pre' ? 'Before' : 'After';
  if (MAP_TITLES[kind]) return MAP_TITLES[kind];
  if (kind === 'expr') return id.split(':').at(-1);
  if (!base) return overlays.map((name) => MAP_TITLES[name]).join(', ');
  const title = MODALITIES[layer?.modality ?? base.modality] ?? (layer ? capital(layer.name) : 'Image');
  return rendering.bands?.length === 1 && layer ? `${title} ${layer.bands[rendering.bands[0] - 1] ?? ''}` : title;
}

const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

export const kindOf = (id) => id.split(':')[0];

/* What is special about the picture: bands, expression, difference. */
export function renderingText({rendering, layer, minus, view: given}, manifest) {
  if (!layer) return [];
  const {bands, expr} = rendering, said = [];
  if (expr && kindOf(given.id) !== 'expr') said.push(expr);
  if (bands?.length === 3) said.push(bands.map((band) => layer.bands[band - 1]).join(', '));
  if (minus) said.push(`less ${acquisitionOf(minus, manifest)?.name ?? minus.name}`);
  return said;
}

export const filterText = ({rendering: {filter}}) => `${FILTERS[filter]} filter, for display only`;

/* A short name for the edit log: what it shows, over what. At most 80 characters. */
export function logName({view: given, layer, rendering, overlays, predictionId, missing}, hidden = []) {
  const base = layer && !missing ? baseName(layer) : null, parts = [];
  if (base) {
    const {bands, expr, filter, minus, clouds, seed} = rendering;
    const how = expr ?? (bands ? bands.map((band) => layer.bands[band - 1]).join(',') : '');
    parts.push([base, how, minus && `less ${minus}`, filter, clouds && `clouds ${clouds}/${seed}`].filter(Boolean).join(' '));
  }
  for (const name of overlays.filter((overlay) => !hidden.includes(overlay))) {
    if (['prediction', 'confidence', 'disagreement'].includes(name)) {
      if (predictionId !== null) parts.unshift(`${name}/${predictionId}`);
    } else if (name === 'label') parts.unshift(name);
    else if (name === 'provenance' || kindOf(given.id) === 'cloud') parts.push(name);
  }
  return parts.join(' + ').slice(0, 80);
}

const baseName = ({modality, acquisition}) => (acquisition === null ? modality : `${modality}/${acquisition}`);
