/* What can be said of the connected region under the cursor, and of the whole tile. */

import {fillBox} from './fill.js';

const SETTLED = {
  class: 'This region has that class already.',
  model: 'Here the label is what the model says.',
  verify: 'This region is settled already.',
  unsure: 'This region is marked unsure already.',
};
const DONE = {
  class: (n) => `Changed ${n} px.`,
  model: (n) => `Took the model's answer on ${n} px.`,
  verify: (n) => `Verified ${n} px.`,
  unsure: (n) => `Marked ${n} px unsure.`,
};

/* Let an effect act on the region under the cursor. */
export async function actOnRegion(editor, effect) {
  const {hand, probe, panel} = editor;
  if (!hand.mayEdit()) return;
  if (!probe.pixel) return panel.say('Point at a region first, then press the key.');
  const change = await hand.fill('region', probe.cursor, {effect, otherwise: SETTLED[effect]});
  if (change) panel.say(DONE[effect](change.pixels.toLocaleString('en')), {action: undoOf(editor)});
}

/* Take back what was just done; later strokes are not touched by it. */
function undoOf({hand, saver}) {
  const {seq} = saver.history.undoable.at(-1);
  return {label: 'Undo', run: () => saver.history.undoable.at(-1)?.seq === seq && hand.undo()};
}

/* Confirm every pixel of the tile that nobody has changed. */
export async function verifyTile(editor) {
  const {hand, panel, scene} = editor, {tile} = scene, box = fillBox(tile, {y: 0, x: 0});
  if (!hand.mayEdit()) return;
  if (box.h * box.w < tile.height * tile.width)
    return panel.say('This tile is too large to be verified at once: verify it region by region.');
  const data = new Uint8Array(box.h * box.w).fill(1);
  const change = await hand.apply('verify', {...box, data}, {effect: 'verify',
    otherwise: 'Every pixel of this tile is settled already.'});
  if (change) panel.say(DONE.verify(change.pixels.toLocaleString('en')));
}
