/* Tools that draw shapes or follow the images. */

const tool = (entry) => ({group: 'Shapes', toolbar: 'shape', tool: true, changes: true, icon: entry.id,
  run: (editor) => editor.setTool(entry.id), ...entry});

export const SHAPES = [
  tool({id: 'polygon', keys: ['P'], label: 'Polygon',
    help: 'Click corners, or drag to draw freehand; double click, Enter or the first corner closes the '
      + 'shape. Begin shapes with Shift to collect them, with Ctrl to cut from them, and apply all with '
      + 'Enter; Backspace takes back the last corner.'}),
  tool({id: 'encircle', keys: ['Q'], label: 'Encircle and fill',
    help: 'Draw around an area: what the line encloses and passes is painted when you let go.'}),
  tool({id: 'wand', keys: ['L'], label: 'Magic wand',
    help: 'Press on a pixel to take what is connected and looks like it; drag right or left for more or '
      + 'less, let go to paint. L again: optical, SAR or both.',
    run: (editor) => (editor.settings.tool === 'wand' ? editor.features.wand.cycle() : editor.setTool('wand'))}),
  tool({id: 'superpixel', keys: ['Shift+L'], label: 'Superpixel fill',
    help: 'Click a superpixel, a small region of like image values, to paint it; drag to paint all that '
      + 'you pass.'}),
  tool({id: 'object', keys: ['Shift+O'], label: 'Objects',
    help: 'Damage projects: click a building for its next class, or press the digit of a class over it.',
    run: (editor) => editor.features.objects.take()}),
  {id: 'superpixel-outlines', group: 'Shapes', keys: ['Shift+J'], label: 'Superpixel outlines',
    icon: 'superpixelOutlines', toolbar: 'view', help: 'Show or hide the outlines of all superpixels.',
    run: (editor) => editor.features.superpixels.toggle(),
    pressed: (editor) => editor.features.superpixels.shown},
];
