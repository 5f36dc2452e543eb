/* From tile to tile. */

export const TILES = [
  {id: 'done', group: 'Tiles', keys: ['Enter'], label: 'Done', changes: true,
    help: 'Mark the tile as done and go to the next. Changes no pixel.',
    run: (editor) => editor.leave('done')},
  {id: 'skip', group: 'Tiles', keys: ['N'], label: 'Skip', changes: true,
    help: 'Mark the tile as skipped and go to the next.', run: (editor) => editor.leave('skip')},
  {id: 'next', group: 'Tiles', keys: ['PageDown'], label: 'Next tile', icon: 'next',
    help: 'Go to the next tile and leave the state of this one as it is.',
    run: (editor) => editor.leave('next')},
  {id: 'previous', group: 'Tiles', keys: ['Backspace', 'PageUp'], label: 'Previous tile',
    icon: 'previous', help: 'Go back to the previous tile.',
    run: (editor) => editor.leave('previous')},
  {id: 'help', group: 'Tiles', keys: ['?'], label: 'Keys', icon: 'help',
    help: 'Show or hide this list of keys.', run: (editor) => editor.toggleHelp()},
  {id: 'remap', group: 'Tiles', keys: ['F4'], label: 'Change keys', icon: 'remap',
    help: 'Give commands other keys; they are kept in this browser.',
    run: (editor) => editor.features.remap.show()},
];
