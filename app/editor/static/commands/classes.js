/* Choosing the class to paint. */

const CLASS_KEYS = [...'123456789'].concat([...'0123456789'].map((digit) => `Shift+${digit}`));

const classCommands = CLASS_KEYS.map((key, i) => ({
  id: `class-${i + 1}`,
  group: 'Classes',
  keys: [key],
  label: `Class ${i + 1}`,
  help: `Paint with class ${i + 1} of the list.`,
  run: (editor) => editor.chooseClass(i),
}));

export const CLASSES = [
  ...classCommands,
  {id: 'void', group: 'Classes', keys: ['0'], label: 'No class (void)',
    help: 'Paint pixels as void: neither trained on nor scored.',
    run: (editor) => editor.chooseVoid()},
  {id: 'swap', group: 'Classes', keys: ['X'], label: 'Swap classes', icon: 'swap',
    help: 'Go back to the class used before this one.',
    run: (editor) => editor.swapClasses()},
  {id: 'patterns', group: 'View', keys: ['Shift+D'], label: 'Class patterns', icon: 'patterns',
    help: 'Draw a pattern of its own over each class, to tell classes apart without their colours.',
    pressed: (editor) => editor.settings.classPatterns,
    run: (editor) => editor.features.classPatterns.toggle()},
];
