/* The one table of commands: it feeds the toolbar, the tooltips, the keys, the key sheet and the
table in docs/correct.md. Its entries lie in `commands/`, one file for each part of the editor:

{id, group, keys, label, help, icon?, run(editor), release?(editor, heldMs), toolbar?, tool?,
changes?, pressed?(editor)}

`release` is called when a held key is let go; `toolbar` names the group of buttons at the left that
shows it; `tool` marks tools that can be in hand; `changes` marks what a tile that may not be changed
has no use for; `pressed` says whether a command that switches something has it switched on. Keys are
written as `keyOf` names them. `C` and `R` alone stay free: they are Streamlit's. */

import {BULK} from './commands/bulk.js';
import {CLASSES} from './commands/classes.js';
import {HISTORY} from './commands/history.js';
import {SHAPES} from './commands/shapes.js';
import {SUGGEST} from './commands/suggest.js';
import {TILES} from './commands/tiles.js';
import {TOOLS} from './commands/tools.js';
import {VIEW} from './commands/view.js';
import {VIEWS} from './commands/views.js';
import {Keymap} from './keymap.js';

export const COMMANDS = [...TOOLS, ...SHAPES, ...HISTORY, ...BULK, ...SUGGEST, ...CLASSES, ...VIEW,
  ...VIEWS, ...TILES];

/* The groups of the toolbar, top to bottom. */
export const TOOLBAR = ['paint', 'shape', 'region', 'history', 'hand', 'view'];

const byId = new Map(COMMANDS.map((command) => [command.id, command]));

/* Which key runs what: `entry.keys` of the table are the keys of now. */
export const keymap = new Keymap(COMMANDS);

export const command = (id) => byId.get(id);
export const commandOfKey = (key) => keymap.commandOf(key);

/* The table without handlers and with its usual keys, for docs and tests. */
export function describe() {
  return COMMANDS.map(({id, group, usual, label, help, icon}) => ({id, group, keys: usual, label, help, icon}));
}

/* "Label (key): help", the tooltip of every button. */
export function tooltip({label, keys, help}) {
  return `${label} (${keys.join(', ') || 'no key'})\n${help}`;
}

/* The name of a pressed key. Digits go by their place, so that French keyboards and Shift work;
   letters by what they write, and by their place where the alphabet is another one. */
export function keyOf(event) {
  const {key, code} = event;
  // AltGr, which writes [ and ] on many keyboards, also reports Ctrl on some systems.
  const control = (event.ctrlKey || event.metaKey) && !event.getModifierState?.('AltGraph');
  const prefix = control ? 'Ctrl+' : '';
  if (['[', ']', '?', '+', '=', '-', ',', '.'].includes(key)) return prefix + key;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code);
  const letter = /^[a-z]$/i.test(key) ? key : /^Key([A-Z])$/.exec(code)?.[1];
  const base = digit?.[1] ?? letter?.toUpperCase() ?? (key === ' ' ? 'Space' : key);
  return `${prefix}${event.shiftKey ? 'Shift+' : ''}${base}`;
}
