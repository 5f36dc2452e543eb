/* How panes can be laid out, and what is remembered of it for each kind of project. Pure. */

import {cleanView, defaultViews, fitting} from './catalog.js';

export const MOST_PANES = 6;
const VERSION = 1;
const MOST_KEPT = 40;

/* `areas` as in CSS, a letter for each pane; the first pane is the largest. */
export const LAYOUTS = [
  {id: '1', label: 'One pane', panes: 1, areas: ['a']},
  {id: '2c', label: 'Two columns', panes: 2, areas: ['a b']},
  {id: '2r', label: 'Two rows', panes: 2, areas: ['a', 'b']},
  {id: '3c', label: 'Three columns', panes: 3, areas: ['a b c']},
  {id: '1+2', label: 'One large and two small', panes: 3, areas: ['a a b', 'a a c']},
  {id: '2x2', label: 'Two by two', panes: 4, areas: ['a b', 'c d']},
  {id: '1+4', label: 'One large and four small', panes: 5, areas: ['a a b c', 'a a d e']},
  {id: '2x3', label: 'Two rows of three', panes: 6, areas: ['a b c', 'd e f']},
];
export const DEFAULT_LAYOUT = '2x2';

export function layoutOf(id) {
  return LAYOUTS.find((layout) => layout.id === id) ?? LAYOUTS.find(({id: other}) => other === DEFAULT_LAYOUT);
}

/* The layout that is `steps` further, or back where negative. */
export function nextLayout(id, steps = 1) {
  const at = LAYOUTS.findIndex((layout) => layout.id === id) + steps;
  return LAYOUTS[(at + LAYOUTS.length) % LAYOUTS.length];
}

/* The grid of a layout for CSS: {template, areas: a letter for each pane}. */
export function gridOf({areas, panes}) {
  const rows = areas.map((row) => `"${row}"`).join(' ');
  const columns = areas[0].split(' ').length;
  return {areas: rows, rows: `repeat(${areas.length}, minmax(0, 1fr))`,
    columns: `repeat(${columns}, minmax(0, 1fr))`, names: [...'abcdef'].slice(0, panes)};
}

/* What is remembered for a project, or for its kind where it is a new one: {layout, panes: {layout id:
   list of views}}. Whatever does
   not read as such, from another version or changed by hand, gives way to the default. */
export function restore(stored, kind, project = null) {
  const found = {layout: DEFAULT_LAYOUT, panes: {}};
  const known = stored?.version === VERSION ? stored.kinds : null, kept = known?.[nameOf(kind, project)] ?? known?.[kind];
  if (LAYOUTS.some(({id}) => id === kept?.layout)) found.layout = kept.layout;
  for (const {id} of LAYOUTS) {
    const views = Array.isArray(kept?.panes?.[id]) ? kept.panes[id].map(cleanView) : [];
    found.panes[id] = defaultViews(kind, id).map((view, i) => views[i] ?? view);
  }
  return found;
}

/* An arrangement whose views there are images for, in a project with tiles like this one. */
export function fitted({layout, panes}, manifest) {
  const fit = ([id, views]) => [id, fitting(views, manifest)];
  return {layout, panes: Object.fromEntries(Object.entries(panes).map(fit))};
}

/* The arrangement that sets the maps of two models beside each other, for who comes to see where they
   differ. It is not remembered until it is changed. */
export function sideBySide(arrangement, kind, [one, other]) {
  const [first, second, disagreement, label, prediction] = defaultViews(kind, '2x3');
  const map = (key) => ({...prediction, id: `prediction:${key}`, model: key});
  const views = [first, second, {...disagreement, model: one}, label, map(one), map(other)];
  return {layout: '2x3', panes: {...arrangement.panes, '2x3': views}};
}

/* What to keep, beside what is kept for other projects; a new project of this kind begins with it. */
export function remember(stored, kind, {layout, panes}, project = null) {
  const kinds = stored?.version === VERSION ? stored.kinds : {}, name = nameOf(kind, project);
  const others = Object.fromEntries(Object.entries(kinds).filter(([key]) => key !== name).slice(-MOST_KEPT));
  return {version: VERSION, kinds: {...others, [kind]: {layout, panes}, [name]: {layout, panes}}};
}

const nameOf = (kind, project) => (project === null ? kind : `${kind}/${project}`);
