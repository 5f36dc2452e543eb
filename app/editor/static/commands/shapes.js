/* Tools that draw shapes or follow the images. */

const tool = (entry) => ({group: 'Shapes', toolbar: 'shape', tool: true, changes: true, icon: entry.id,
  run: (editor) => editor.setTool(entry.id), ...entry});

export const SHAPES = [
  tool({id: 'polygon', keys: ['P'], label: 'Polygon',
    help: 'Click corners, or drag, and paint what lies inside; Enter closes the shape, Backspace takes a '
      + 'corner back, and shapes begun with Shift are collected, with Ctrl cut out, until Enter.'}),
  tool({id: 'encircle', keys: ['Q'], label: 'Encircle and fill',
    help: 'Draw around an area and let go: what the line encloses and passes is painted.'}),
  tool({id: 'wand', keys: ['L'], label: 'Magic wand',
    help: 'Press to take what is connected and looks alike, drag for more or less, let go to paint; '
      + 'again L goes from the optical image to SAR to both.',
    run: (editor) => (editor.settings.tool === 'wand' ? editor.features.wand.cycle() : editor.setTool('wand'))}),
  {id: 'wand-tidy', group: 'Shapes', keys: ['Shift+Y'], label: 'Tidy wand',
    help: 'Leave out what is one pixel thin, specks and small holes of what the magic wand finds, or take all.',
    run: (editor) => editor.features.wand.turnTidy(), pressed: (editor) => editor.settings.wandTidy},
  tool({id: 'superpixel', keys: ['Shift+L'], label: 'Superpixel fill',
    help: 'Click a superpixel, a small region of like image values, to paint it; drag to paint all that '
      + 'you pass.'}),
  tool({id: 'object', keys: ['Shift+O'], label: 'Objects',
    help: 'Click a building of a damage project for its next class, or press the digit of a class over it.',
    run: (editor) => editor.features.objects.take()}),
  {id: 'superpixel-outlines', group: 'Shapes', keys: ['Shift+J'], label: 'Superpixel outlines',
    icon: 'superpixelOutlines', toolbar: 'view', help: 'Show or hide the outlines of all superpixels.',
    run: (editor) => editor.features.superpixels.toggle(),
    pressed: (editor) => editor.features.superpixels.shown},
];
