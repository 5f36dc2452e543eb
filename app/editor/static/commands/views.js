/* Panes and their layout. */

export const VIEWS = [
  {id: 'layout', group: 'View', keys: ['F2'], label: 'Layout', icon: 'layout', toolbar: 'view',
    help: 'Go to the next layout of one to six panes; it is remembered for this kind of project.',
    run: (editor) => editor.display.stepLayout()},
  {id: 'next-view', group: 'View', keys: ['F9'], label: 'Next view',
    help: 'Show the next view in the pane under the cursor; its caption opens the list of all views.',
    run: (editor) => editor.display.stepView(editor.features.views.slot)},
  {id: 'swipe', group: 'View', keys: [','], label: 'Swipe', icon: 'swipe',
    help: 'Draw a line in the pane under the cursor and swipe between its view and that of the next pane.',
    run: (editor) => editor.features.views.compare.toggle(editor.features.views.slot)},
  {id: 'flicker', group: 'View', keys: ['.'], label: 'Flicker', icon: 'flicker',
    help: 'Show the view of the next pane in the pane under the cursor for as long as the key is held.',
    run: (editor) => editor.features.views.compare.hold(editor.features.views.slot),
    release: (editor) => editor.features.views.compare.release()},
  {id: 'nudge', group: 'View', keys: ['F8'], label: 'Nudge', icon: 'nudge',
    help: 'Move a misregistered image on the screen with arrows; labels never move.',
    run: (editor) => editor.features.views.nudge.toggle(editor.features.views.slot)},
  {id: 'speckle', group: 'View', keys: ['Shift+G'], label: 'Speckle', icon: 'speckle',
    help: 'Show SAR as stored, through a Lee filter or through a refined Lee filter.',
    run: (editor) => editor.features.views.stepFilter()},
];
