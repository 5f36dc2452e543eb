/* History: the timeline and earlier versions. Undo and redo are tools. */

export const HISTORY = [
  {id: 'timeline', group: 'Tools', keys: ['Shift+H'], label: 'Timeline', icon: 'timeline', toolbar: 'history',
    help: 'Show who changed what and when; look at earlier versions, play them, and bring one back.',
    run: (editor) => editor.features.timeline.toggle()},
];
