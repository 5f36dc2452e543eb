/* One's own changes that the server has not confirmed, laid over labels that it has.

What is on the screen is always: the labels of the server at `labels.version`, and on top of them
these changes, oldest first. To take up what others did, the changes above are lifted, the edits
written, and the changes laid on again; so the screen converges to the server whatever came in
between. A change keeps its *wish*, the pixels and values it was made with, and what it really
changed when it was last laid on, which is what lifting it restores. */

import {countOnes, decodeRuns, runsKept} from './runs.js';

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
    // From now on, undo goes by what the server changed.
    if (own && edit.values !== undefined)
      Object.assign(own.change, {y0: patch.y0, x0: patch.x0, h: patch.h, w: patch.w, data: patch.data,
        old: before, new: readUnder(this.labels, patch)});
  }
}

export const boxOf = ([y0, x0, h, w]) => ({y0, x0, h, w});

export const isNamed = (entry, {client_id, seq}) => entry.client_id === client_id && entry.seq === seq;

/* An edit of the server as `Labels.write` takes it: one byte per changed pixel. */
export function patchOf({box, mask, values, provenance}) {
  const place = boxOf(box);
  return {...place, data: decodeRuns(mask, place.h * place.w),
    labels: fromBase64(values), provenance: fromBase64(provenance)};
}

/* Whether a change that lies on the labels is what the server saved: an edit, or null where it did as it
   was asked. */
export function isShown(change, edit) {
  if (!change || change.partial) return false;
  if (!edit) return true;
  const {y0, x0, h, w, data, labels, provenance} = patchOf(edit), {new: next} = change;
  const top = y0 - change.y0, left = x0 - change.x0;
  if (top < 0 || left < 0 || top + h > change.h || left + w > change.w) return false;
  const runs = runsKept(data), {labels: newLabels, provenance: newProvenance} = next;
  let n = 0;
  for (let k = 0; k < runs.length; k += 2)
    for (let i = runs[k]; i < runs[k + 1]; i++, n++) {
      const row = Math.floor(i / w), at = (top + row) * change.w + left + i - row * w;
      if (!change.data[at] || newLabels[at] !== labels[n] || newProvenance[at] !== provenance[n]) return false;
    }
  return countOnes(runsKept(change.data)) === n;
}

/* The bytes of base64; a plain loop, as large fills have millions of them. */
function fromBase64(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

function touch(a, b) {
  return a.y0 < b.y0 + b.h && b.y0 < a.y0 + a.h && a.x0 < b.x0 + b.w && b.x0 < a.x0 + a.w;
}

/* What the pixels of a mask are now. */
function readUnder(labels, {y0, x0, h, w, data}) {
  return labels.read({y0, x0, h, w}, runsKept(data), ABSENT);
}

/* Restore what a change replaced. */
function lift(labels, change) {
  write(labels, change, change.data, change.old);
}

/* Lay a wish on the labels of now; returns the change that came of it, `partial` where some of its pixels
   are not loaded. A pixel that others made what
   was wished for is theirs; one that is to be confirmed, or taken back, must still be what it was. */
export function lay(labels, wish, tool) {
  const now = readUnder(labels, wish), data = new Uint8Array(wish.data.length);
  const {old: {labels: oldLabels, provenance: oldProvenance}, new: next} = wish, effect = wish.effect ?? tool;
  const {labels: newLabels} = next, runs = runsKept(wish.data);
  const reverses = tool === 'undo' || tool === 'redo';
  const keepsLabel = effect === 'verify' || effect === 'unsure';
  const free = !reverses && !keepsLabel;
  let partial = false;
  for (let k = 0; k < runs.length; k += 2)
    for (let i = runs[k]; i < runs[k + 1]; i++) {
      if (now.provenance[i] === ABSENT) {
        partial = true;
        continue;
      }
      const sameLabel = now.labels[i] === oldLabels[i];
      if (free) data[i] = now.labels[i] !== newLabels[i] || (effect === 'revert' && now.provenance[i] !== 0) ? 1 : 0;
      else if (keepsLabel) data[i] = sameLabel && now.provenance[i] !== 1 ? 1 : 0;
      else data[i] = sameLabel && now.provenance[i] === oldProvenance[i] ? 1 : 0;
    }
  write(labels, wish, data, next);
  return {...wish, data, old: now, partial};
}

/* The wish that a stroke's request describes, for strokes from before a reload; null where what it
   takes is not in the browser: the server's answer brings it. */
export function wishOf(labels, {tool, effect, to_class: toClass, box, mask, values}) {
  const place = boxOf(box), data = decodeRuns(mask, place.h * place.w);
  const old = readUnder(labels, {...place, data});
  const does = effect ?? (['revert', 'verify'].includes(tool) ? tool : 'class');
  const next = {labels: old.labels, provenance: new Uint8Array(data.length)};
  if (does === 'class') next.labels = new Uint8Array(data.length).fill(toClass);
  else if (does === 'values') next.labels = spread(data, fromBase64(values));
  else if (does === 'revert' && labels.ready(place, true)) next.labels = labels.window(place, 'original');
  else if (does !== 'verify' && does !== 'unsure') return null;
  next.provenance.fill({revert: 0, verify: 2, unsure: 4}[does] ?? (tool === 'suggestion' ? 3 : 1));
  return {...place, data, old, new: next, effect: does};
}

function spread(data, values) {
  const out = new Uint8Array(data.length);
  for (let i = 0, n = 0; i < data.length; i++) if (data[i]) out[i] = values[n++];
  return out;
}

/* Change pixels from one side of a change to the other: `from` "new" `to` "old" takes it back. What
   no longer holds its result stays, because somebody changed it since. Returns the change made. */
export function exchange(labels, change, from, to, tool) {
  return lay(labels, {...change, old: change[from], new: change[to], effect: tool}, tool);
}

function write(labels, {y0, x0, h, w}, data, side) {
  const runs = runsKept(data), count = countOnes(runs), {labels: from, provenance: behind} = side;
  if (count === 0) return;
  const values = new Uint8Array(count), provenance = new Uint8Array(count);
  for (let k = 0, n = 0; k < runs.length; k += 2)
    for (let i = runs[k]; i < runs[k + 1]; i++, n++) {
      values[n] = from[i];
      provenance[n] = behind[i];
    }
  labels.write({y0, x0, h, w, data, labels: values, provenance});
}
