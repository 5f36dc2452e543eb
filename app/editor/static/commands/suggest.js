/* Suggestions. */

export const SUGGEST = [
  {id: 'suggest', group: 'Suggestions', keys: ['Shift+T'], label: 'Suggest now', icon: 'suggestion',
    toolbar: 'region', changes: true,
    help: 'Show what your last strokes say of the pixels around them; nothing is changed before you accept.',
    run: (editor) => editor.features.suggest.now()},
  {id: 'suggest-accept', group: 'Suggestions', keys: ['Shift+Enter'], label: 'Accept suggestion', changes: true,
    help: 'Give the hatched pixels the class suggested, as one stroke that undo takes back.',
    run: (editor) => editor.features.suggest.accept()},
  {id: 'suggest-drop', group: 'Suggestions', keys: ['Shift+Backspace'], label: 'Drop suggestion', changes: true,
    help: 'Forget the suggestion; the labels stay as they are.',
    run: (editor) => editor.features.suggest.dismiss()},
];
