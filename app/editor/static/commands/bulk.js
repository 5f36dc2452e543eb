/* Commands on many pixels. */

export const BULK = [
  {id: 'bulk', group: 'Tools', keys: ['Shift+M'], label: 'Commands on many pixels', icon: 'manyPixels',
    toolbar: 'region', changes: true,
    help: 'Recode classes, remove islands, fill holes or accept the model, in the tile or the project; shown before it is done.',
    run: (editor) => editor.features.bulk.toggle(), pressed: (editor) => editor.features.bulk.isOpen},
];
