/* One's own changes that the server has not confirmed, laid over labels that it has.

What is on the screen is always: the labels of the server at `labels.version`, and on top of them
these changes, oldest first. To take up what others did, the changes above are lifted, the edits
written, and the changes laid on again; so the screen converges to the server whatever came in
between. A change keeps its *wish*, the pixels and values it was made with, and what it really
changed when it was last laid on, which is what lifting it restores. */

import {Alike, fromBase64, partOf, samePixels, sameValues} from './change.js';
import {countOnes, runsFrom} from './runs.js';

const ABSENT = 255; // no provenance: the pixel is not loaded

export class Overlay {
  constructor(labels) {
    this.labels = labels;
    this.entries = [];
  }

  /* Add an entry whose `change` (or null) is on the labels already. */
  push(entry) {
    entry.wish ??= entry.change && {...entry.change};
    this.entries.push(entry);
  }

  /* Write edits of the server, oldest first, below the changes that meet them, and drop the entries
     of the set `gone`: those that are among the edits, and those that come to nothing. */
  rebase(edits, gone) {
    const boxes = edits.map(({box}) => boxOf(box));
    const meets = ({change, wish}) => boxes.some((box) =>
      (change && touch(box, change)) || (wish && touch(box, wish)));
    const first = this.entries.findIndex((entry) => gone.has(entry) || meets(entry));
    const lifted = first < 0 ? [] : this.entries.splice(first);
    for (const entry of lifted.toReversed()) if (entry.change) lift(this.labels, entry.change);
    for (const edit of edits) this.#write(edit, lifted);
    for (const entry of lifted) {
      if (gone.has(entry)) continue;
      if (entry.wish) Object.assign(entry.change, lay(this.labels, entry.wish, entry.body.tool));
      this.entries.push(entry);
    }
  }

  #write(edit, lifted) {
    const patch = patchOf(edit);
    const own = lifted.find((entry) => entry.change && isNamed(entry, edit));
    const before = own && readUnder(this.labels, patch);
    this.labels.write(patch);
    const {y0, x0, h, w, runs, pixels} = patch;
    // From now on, undo goes by what the server changed.
    if (own && edit.values !== undefined)
      Object.assign(own.change, {y0, x0, h, w, runs, pixels, old: before, new: readUnder(this.labels, patch)});
  }
}

export const boxOf = ([y0, x0, h, w]) => ({y0, x0, h, w});

export const isNamed = (entry, {client_id, seq}) => entry.client_id === client_id && entry.seq === seq;

/* An edit of the server as `Labels.write` takes it: one byte per changed pixel. */
export function patchOf({box, mask, values, provenance}) {
  return {...placed(box, mask), labels: fromBase64(values), provenance: fromBase64(provenance)};
}

/* The box and the pixels that a mask of the server names. */
function placed(box, mask) {
  const place = boxOf(box), runs = runsFrom(mask, place.h * place.w);
  return {...place, runs, pixels: countOnes(runs)};
}

/* Whether a change that lies on the labels is what the server saved: an edit, or null where it did as it
   was asked. */
export function isShown(change, edit) {
  if (!change || change.partial) return false;
  if (!edit) return true;
  const patch = patchOf(edit), {new: next} = change;
  return samePixels(patch, change) && sameValues(patch.labels, next.labels) &&
    sameValues(patch.provenance, next.provenance);
}

function touch(a, b) {
  return a.y0 < b.y0 + b.h && b.y0 < a.y0 + a.h && a.x0 < b.x0 + b.w && b.x0 < a.x0 + a.w;
}

/* What the pixels of a change are now. */
function readUnder(labels, change) {
  return labels.read(change, ABSENT);
}

/* Restore what a change replaced. */
function lift(labels, change) {
  write(labels, change, change.old);
}

/* Lay a wish on the labels of now; returns the change that came of it, `partial` where some of its pixels
   are not loaded. */
export function lay(labels, wish, tool) {
  const now = readUnder(labels, wish), {takes, left, partial} = taken(wish, now, tool);
  const change = {...wish, old: now, partial}, made = left ? partOf(change, takes) : change;
  write(labels, made, made.new);
  return made;
}

/* Which pixels of a wish come to something, given what they are now: one byte for each, how many do not,
   and whether some are not loaded. A pixel that others made what was wished for is theirs; one that is to
   be confirmed, or taken back, must still be what it was. */
function taken(wish, now, tool) {
  const {old: {labels: oldLabels, provenance: oldProvenance}, new: {labels: newLabels}, pixels} = wish;
  const effect = wish.effect ?? tool, takes = new Uint8Array(pixels);
  const keepsLabel = effect === 'verify' || effect === 'unsure';
  const free = tool !== 'undo' && tool !== 'redo' && !keepsLabel;
  let left = 0, partial = false;
  for (let n = 0; n < pixels; n++) {
    const label = now.labels[n], source = now.provenance[n];
    if (source === ABSENT) partial = true;
    else if (free) takes[n] = label !== newLabels[n] || (effect === 'revert' && source !== 0) ? 1 : 0;
    else takes[n] = label === oldLabels[n] && (keepsLabel ? source !== 1 : source === oldProvenance[n]) ? 1 : 0;
    left += 1 - takes[n];
  }
  return {takes, left, partial};
}

/* The wish that a stroke's request describes, for strokes from before a reload; null where what it
   takes is not in the browser: the server's answer brings it. */
export function wishOf(labels, {tool, effect, to_class: toClass, box, mask, values}) {
  const place = placed(box, mask), old = readUnder(labels, place), {pixels} = place;
  const does = effect ?? (['revert', 'verify'].includes(tool) ? tool : 'class');
  const source = {revert: 0, verify: 2, unsure: 4}[does] ?? (tool === 'suggestion' ? 3 : 1);
  const wish = {...place, old, new: new Alike(pixels, toClass, source), effect: does};
  if (does === 'class') return wish;
  const codes = does === 'values' ? fromBase64(values)
    : does === 'verify' || does === 'unsure' ? old.labels
      : does === 'revert' && labels.ready(place, true) ? labels.originals(place) : null;
  return codes && {...wish, new: {labels: codes, provenance: wish.new.provenance}};
}

/* Change pixels from one side of a change to the other: `from` "new" `to` "old" takes it back. What
   no longer holds its result stays, because somebody changed it since. Returns the change made. */
export function exchange(labels, change, from, to, tool) {
  return lay(labels, {...change, old: change[from], new: change[to], effect: tool}, tool);
}

function write(labels, {y0, x0, h, w, runs, pixels}, {labels: codes, provenance}) {
  if (pixels > 0) labels.write({y0, x0, h, w, runs, labels: codes, provenance});
}
