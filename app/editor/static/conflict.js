/* When two people painted the same pixels: what to say about it, and what is left of a stroke where
the other's pixels stay as they are. */

import {maskOf, partOf} from './change.js';
import {decodeRuns, encodeRuns} from './runs.js';

/* The request and the wish of an entry without the pixels of others; null when nothing is left, or
   when the request marks no pixels of its own. */
export function keepBoth({body, wish}, theirs) {
  if (!body.mask) return null;
  const [y0, x0, h, w] = body.box, data = decodeRuns(body.mask, h * w);
  const free = without({y0, x0, h, w}, data, theirs);
  if (!free.includes(1)) return null;
  const kept = {...body, mask: encodeRuns(free)};
  if (body.values) kept.values = valuesLeft(data, free, body.values);
  return {body: kept, wish: wish && wishLeft(wish, theirs)};
}

function without({y0, x0, h, w}, data, masks) {
  const left = data.slice();
  for (const mask of masks) {
    const top = Math.max(y0, mask.y0), bottom = Math.min(y0 + h, mask.y0 + mask.h);
    const start = Math.max(x0, mask.x0), end = Math.min(x0 + w, mask.x0 + mask.w);
    for (let row = top; row < bottom; row++)
      for (let col = start; col < end; col++)
        if (mask.data[(row - mask.y0) * mask.w + col - mask.x0]) left[(row - y0) * w + col - x0] = 0;
  }
  return left;
}

/* A wish without the pixels of others. */
function wishLeft(wish, theirs) {
  const free = without(wish, maskOf(wish).data, theirs), takes = new Uint8Array(wish.pixels);
  for (let k = 0, n = 0; k < wish.runs.length; n += wish.runs[k + 1] - wish.runs[k], k += 2)
    takes.set(free.subarray(wish.runs[k], wish.runs[k + 1]), n);
  return partOf(wish, takes);
}

function valuesLeft(data, free, values) {
  const bytes = atob(values);
  let text = '';
  for (let i = 0, n = 0; i < data.length; i++) {
    if (free[i]) text += bytes[n];
    n += data[i];
  }
  return btoa(text);
}

/* Who painted what, and when, in words: "Ben painted Road with the brush 12 s ago". */
export function overlapWords({entry, reply, here, className, now = Date.now()}) {
  const theirs = reply.theirs.map((edit) => `${edit.person} ${deed(edit, className)}${ago(edit.saved_at, now)}`);
  const shown = theirs.length > 3 ? [...theirs.slice(-3), `${theirs.length - 3} more edits`] : theirs;
  const pixels = `${reply.overlap_px.toLocaleString('en')} px`;
  const mine = entry.body.to_class === null ? 'your stroke' : `your stroke (${className(entry.body.to_class)})`;
  return `${shown.join(', ') || 'Somebody else painted'}: ${pixels} of it lie under ${mine}` +
    (here ? '. Yours is blue, theirs is orange. Which one stays?' : ', on another tile. Which one stays?');
}

function deed({tool, to_class: toClass}, className) {
  const painted = toClass === null || toClass === undefined ? 'made a change' : `painted ${className(toClass)}`;
  return `${painted} (${tool.replace('_', ' ')})`;
}

/* " 12 s ago", or nothing where the time is not known. */
export function ago(time, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 3) return ' just now';
  if (seconds < 90) return ` ${seconds} s ago`;
  if (seconds < 5400) return ` ${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return ` ${Math.round(seconds / 3600)} h ago`;
  return ` ${Math.round(seconds / 86400)} days ago`;
}
