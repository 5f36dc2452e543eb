/* The one table of commands: it feeds the toolbar, the tooltips, the keys, the key sheet and the
table in docs/correct.md. `run` gets the editor; `release` is called when a held key is let go.
Keys are written as `keyOf` names them. `C` and `R` alone stay free: they are Streamlit's. */

const CLASS_KEYS = [...'123456789'].concat([...'0123456789'].map((digit) => `Shift+${digit}`));

const classCommands = CLASS_KEYS.map((key, i) => ({
  id: `class-${i + 1}`,
  group: 'Classes',
  keys: [key],
  label: `Class ${i + 1}`,
  help: `Paint with class ${i + 1} of the list.`,
  run: (editor) => editor.chooseClass(i),
}));

export const COMMANDS = [
  {id: 'brush', group: 'Tools', keys: ['B'], label: 'Brush', icon: 'brush',
    help: 'Paint the chosen class. Hold Shift and click for a straight line from the last stroke.',
    run: (editor) => editor.setTool('brush')},
  {id: 'revert', group: 'Tools', keys: ['E'], label: 'Revert brush', icon: 'revert',
    help: 'Bring pixels back to the label as it came.',
    run: (editor) => editor.setTool('revert')},
  {id: 'fill', group: 'Tools', keys: ['F'], label: 'Fill', icon: 'fill',
    help: 'Give one connected region of a class the chosen class.',
    run: (editor) => editor.setTool('fill')},
  {id: 'pan', group: 'Tools', keys: ['Space'], label: 'Pan', icon: 'pan',
    help: 'Drag the images. Hold Space to pan for a moment; the middle button pans too.',
    run: (editor) => editor.holdPan(), release: (editor, heldMs) => editor.releasePan(heldMs)},
  {id: 'pick', group: 'Tools', keys: ['I'], label: 'Pick class', icon: 'pick',
    help: 'Choose the class under the cursor.',
    run: (editor) => editor.pick()},
  {id: 'verify-region', group: 'Tools', keys: ['W'], label: 'Verify region', icon: 'verify',
    help: 'Confirm that the connected region under the cursor has the right class.',
    run: (editor) => editor.hand.verifyRegion()},
  {id: 'verify-tile', group: 'Tools', keys: ['Shift+W'], label: 'Verify tile', icon: 'verifyAll',
    help: 'Confirm every pixel of the tile that nobody has changed.',
    run: (editor) => editor.hand.verifyTile()},
  {id: 'undo', group: 'Tools', keys: ['Ctrl+Z'], label: 'Undo', icon: 'undo',
    help: 'Take back your last stroke, also one from before a reload.',
    run: (editor) => editor.hand.undo()},
  {id: 'redo', group: 'Tools', keys: ['Ctrl+Shift+Z', 'Ctrl+Y'], label: 'Redo', icon: 'redo',
    help: 'Bring back the stroke that was undone last.',
    run: (editor) => editor.hand.redo()},
  {id: 'smaller', group: 'Tools', keys: ['['], label: 'Smaller brush', icon: 'smaller',
    help: 'Make the brush smaller, down to 1 px. Also Shift + wheel, or Alt and drag.',
    run: (editor) => editor.stepBrush(-1)},
  {id: 'larger', group: 'Tools', keys: [']'], label: 'Larger brush', icon: 'larger',
    help: 'Make the brush larger, up to 256 px.',
    run: (editor) => editor.stepBrush(1)},
  {id: 'cancel', group: 'Tools', keys: ['Escape'], label: 'Cancel',
    help: 'Drop the stroke being painted and restore its pixels; close what is open.',
    run: (editor) => editor.cancel()},

  ...classCommands,
  {id: 'void', group: 'Classes', keys: ['0'], label: 'No class (void)',
    help: 'Paint pixels as void: neither trained on nor scored.',
    run: (editor) => editor.chooseVoid()},
  {id: 'swap', group: 'Classes', keys: ['X'], label: 'Swap classes', icon: 'swap',
    help: 'Go back to the class used before this one.',
    run: (editor) => editor.swapClasses()},

  {id: 'hide', group: 'View', keys: ['H'], label: 'Hide labels', icon: 'eye',
    help: 'Hide or show labels and prediction. Hold to peek below them.',
    run: (editor) => editor.display.toggleHidden(),
    release: (editor, heldMs) => heldMs > 250 && editor.display.toggleHidden()},
  {id: 'opacity-none', group: 'View', keys: ['A'], label: 'Opacity 0 %',
    help: 'Make the labels transparent.', run: (editor) => editor.display.setOpacity(0)},
  {id: 'opacity-step', group: 'View', keys: ['S'], label: 'Opacity step',
    help: 'Next opacity of the labels: 25, 50, 75 %.', run: (editor) => editor.display.stepOpacity()},
  {id: 'opacity-full', group: 'View', keys: ['D'], label: 'Opacity 100 %',
    help: 'Show the labels alone.', run: (editor) => editor.display.setOpacity(1)},
  {id: 'contrast', group: 'View', keys: ['G'], label: 'Contrast',
    help: 'Next contrast stretch of the images; the range in use is printed on each pane.',
    run: (editor) => editor.display.step('contrast')},
  {id: 'clouds', group: 'View', keys: ['J'], label: 'Cloud hatching',
    help: 'Hatch thick cloud, every cloud and shadow, or nothing.',
    run: (editor) => editor.display.step('hatching')},
  {id: 'underlay', group: 'View', keys: ['V'], label: 'Image below labels',
    help: 'Show the labels and the prediction over the optical or the SAR image.',
    run: (editor) => editor.display.step('underlay')},
  {id: 'provenance', group: 'View', keys: ['P'], label: 'Provenance',
    help: 'Mark what was changed, verified, accepted or left unsure with patterns on the label.',
    run: (editor) => editor.display.step('provenance')},
  {id: 'zoom-in', group: 'View', keys: ['+', '='], label: 'Zoom in', icon: 'zoomIn',
    help: 'Zoom in at the cursor. The wheel does the same.', run: (editor) => editor.zoom(1.5)},
  {id: 'zoom-out', group: 'View', keys: ['-'], label: 'Zoom out', icon: 'zoomOut',
    help: 'Zoom out at the cursor.', run: (editor) => editor.zoom(1 / 1.5)},
  {id: 'fit', group: 'View', keys: ['Z'], label: 'Whole tile', icon: 'fit',
    help: 'Show the whole tile.', run: (editor) => editor.fit()},

  {id: 'done', group: 'Tiles', keys: ['Enter'], label: 'Done',
    help: 'Mark the tile as done and go to the next. Changes no pixel.',
    run: (editor) => editor.leave('done')},
  {id: 'skip', group: 'Tiles', keys: ['N'], label: 'Skip',
    help: 'Mark the tile as skipped and go to the next.', run: (editor) => editor.leave('skip')},
  {id: 'next', group: 'Tiles', keys: ['PageDown'], label: 'Next tile', icon: 'next',
    help: 'Go to the next tile and leave the state of this one as it is.',
    run: (editor) => editor.leave('next')},
  {id: 'previous', group: 'Tiles', keys: ['Backspace', 'PageUp'], label: 'Previous tile',
    icon: 'previous', help: 'Go back to the previous tile.',
    run: (editor) => editor.leave('previous')},
  {id: 'help', group: 'Tiles', keys: ['?'], label: 'Keys', icon: 'help',
    help: 'Show or hide this list of keys.', run: (editor) => editor.toggleHelp()},
];

const byKey = new Map(COMMANDS.flatMap((command) => command.keys.map((key) => [key, command])));
const byId = new Map(COMMANDS.map((command) => [command.id, command]));

export const command = (id) => byId.get(id);
export const commandOfKey = (key) => byKey.get(key);

/* The table without handlers, for docs and tests. */
export function describe() {
  return COMMANDS.map(({id, group, keys, label, help}) => ({id, group, keys, label, help}));
}

/* "Label (key): help", the tooltip of every button. */
export function tooltip({label, keys, help}) {
  return `${label} (${keys.join(', ')})\n${help}`;
}

/* The name of a pressed key. Digits go by their place, so that French keyboards and Shift work;
   letters by what they write, and by their place where the alphabet is another one. */
export function keyOf(event) {
  const {key, code} = event;
  // AltGr, which writes [ and ] on many keyboards, also reports Ctrl on some systems.
  const control = (event.ctrlKey || event.metaKey) && !event.getModifierState?.('AltGraph');
  const prefix = control ? 'Ctrl+' : '';
  if (['[', ']', '?', '+', '=', '-'].includes(key)) return prefix + key;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code);
  const letter = /^[a-z]$/i.test(key) ? key : /^Key([A-Z])$/.exec(code)?.[1];
  const base = digit?.[1] ?? letter?.toUpperCase() ?? (key === ' ' ? 'Space' : key);
  return `${prefix}${event.shiftKey ? 'Shift+' : ''}${base}`;
}
