/* One edit in the timeline: who, when, with what, from which classes to which. */

import {ago} from '../conflict.js';
import {h} from '../dom.js';
import {icon} from '../icons.js';
import {hueOf, initials} from './live.js';

const EFFECTS = {revert: 'as it came', model: 'as the model says', verify: 'verified', unsure: 'unsure',
  values: 'several classes'};
const KEPT = ['verify', 'unsure'];

/* The element of an edit of the timeline route; `classes` as in the manifest. */
export function row(edit, classes) {
  const known = new Map(classes.map((entry) => [entry.code, entry]));
  const time = new Date(edit.saved_at);
  const element = h('div', {className: 'edit', role: 'listitem', data: {version: String(edit.version),
    box: JSON.stringify(edit.box)}});
  element.append(
    h('button', {type: 'button', className: 'look', title: `Look at version ${edit.version}`}, String(edit.version)),
    h('span', {className: 'person', title: edit.person, role: 'img', ariaLabel: edit.person,
      style: `--hue:${hueOf(edit.person)}`}, initials(edit.person)),
    h('time', {dateTime: edit.saved_at, title: time.toLocaleString()}, ago(edit.saved_at).trim()),
    h('span', {className: 'deed'}, deed(edit)),
    h('span', {className: 'changes'}, ...changes(edit, known)),
    h('span', {className: 'pixels'}, `${edit.pixels.toLocaleString('en')} px`),
    h('span', {className: 'panes-shown', title: shownWords(edit)}, panes(edit.panes)),
    h('button', {type: 'button', className: 'go', title: 'Go to the place of this edit', ariaLabel: 'Go to the place',
      data: {go: ''}}, icon('place')));
  return element;
}

/* "brush", "lasso, as the model says", "undo of 12". */
export function deed({tool, effect, reverses, reason}) {
  const name = tool.replace('_', ' ');
  if (reverses !== null) return `${name} of ${reverses}`;
  if (tool === 'restore') return reason ? `restored ${reason}` : 'restored';
  const what = EFFECTS[effect];
  return what && effect !== tool ? `${name}, ${what}` : name;
}

function changes({changes: found, more_changes: more, effect}, known) {
  const parts = found.slice(0, 3).map(([from, to, pixels]) => {
    const title = `${nameOf(known, from)} to ${nameOf(known, to)}: ${pixels.toLocaleString('en')} px`;
    const swatches = from === to ? [swatch(known, to)] : [swatch(known, from), '→', swatch(known, to)];
    return h('span', {className: 'change', title: KEPT.includes(effect) ? nameOf(known, to) : title}, ...swatches);
  });
  const hidden = Math.max(0, found.length - 3) + more;
  return hidden ? [...parts, `+${hidden}`] : parts;
}

function swatch(known, code) {
  const entry = known.get(code);
  const void_ = !entry || entry.isVoid;
  return h('i', {className: void_ ? 'dot void' : 'dot', style: void_ ? '' : `background:${entry.colour}`,
    title: nameOf(known, code)});
}

const nameOf = (known, code) => known.get(code)?.name ?? `class ${code}`;

function panes(shown) {
  return [...new Set(shown.map((name) => name.split('/')[0]))].join(', ');
}

function shownWords({panes: shown, restrict, seconds}) {
  const words = [shown.length ? `On screen: ${shown.join(', ')}` : 'Nothing is known of the screen'];
  if (restrict) words.push(`Only where ${restrict}`);
  if (seconds) words.push(`${seconds.toFixed(1)} s from press to release`);
  return words.join('\n');
}
