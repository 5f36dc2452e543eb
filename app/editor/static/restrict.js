/* Restrictions: which pixels a tool may change. They are written as in core/restrict.py, parts with
commas between: `cloudy` or `clear` (by the cloud mask on screen), `area` (inside the drawn area),
`from:1+5` (only pixels of these classes), `unverified` (never verified pixels).

`only` is {cloud: null | 'cloudy' | 'clear', area: mask | null, from: [codes] | null, unverified}. */

import {VERIFIED} from './effects.js';

const SHADOW = 3;

/* The restrictions of now, or null: the settings, and the area drawn on this tile. Classes that the
   project does not have are left out; recoding from no class at all restricts nothing. */
export function onlyOf({where, unverified, recode}, {classes}, area) {
  const from = recode.on ? recode.from.filter((code) => classes.some((entry) => entry.code === code)) : [];
  const only = {cloud: where === 'anywhere' ? null : where, area, from: from.length ? from : null, unverified};
  return formatRestrict(only) && only;
}

export function formatRestrict({cloud, area, from, unverified}) {
  const parts = [cloud, area && 'area', from && `from:${from.join('+')}`, unverified && 'unverified'];
  return parts.filter(Boolean).join(',') || null;
}

/* The restrictions of one stroke. `row` tells for a row of a block which marked pixels may change;
   nothing is allocated there. */
export class Gate {
  /* `cloudOf(block)` gives the cloud levels of a block, one byte per pixel, or null. */
  constructor(only, cloudOf, width) {
    this.codes = only.from && Uint8Array.from({length: 256}, (_, code) => Number(only.from.includes(code)));
    Object.assign(this, {area: only.area, unverified: only.unverified, cloud: only.cloud, cloudOf});
    this.bits = new Uint8Array(width);
    /* Which restriction kept pixels from changing; for the words when nothing could change. */
    this.blocked = {from: false, unverified: false, area: false, cloud: false, unknown: false};
  }

  /* Write 1 to `bits` for each index of [from, to) of a block that is marked and may change;
     `data[base + i]` marks index i, and index `from` lies at (row, col) of the tile. */
  row(block, from, to, row, col, data, base) {
    const {bits, codes, area, blocked, unverified} = this, {labels, provenance} = block;
    const levels = this.cloud ? this.cloudOf(block) : null;
    const first = area ? (row - area.y0) * area.w - area.x0 + col - from : 0;
    const left = area ? from + area.x0 - col : 0, right = area ? left + area.w : 0;
    const outside = area !== null && (row < area.y0 || row >= area.y0 + area.h);
    for (let i = from; i < to; i++) {
      const at = i - from;
      bits[at] = 0;
      if (data[base + i] === 0) continue;
      if (codes !== null && codes[labels[i]] === 0) blocked.from = true;
      else if (unverified && provenance[i] === VERIFIED) blocked.unverified = true;
      else if (area !== null && (outside || i < left || i >= right || area.data[first + i] === 0)) blocked.area = true;
      else if (this.cloud !== null && levels === null) blocked.unknown = true;
      else if (this.cloud !== null && !this.#fits(levels[i])) blocked.cloud = true;
      else bits[at] = 1;
    }
    return bits;
  }

  #fits(level) {
    return this.cloud === 'clear' ? level === 0 : level > 0 && level <= SHADOW;
  }
}

/* Why nothing changed, for people; null when no restriction was in the way. `words` gives the names
   of the classes that may change. */
export function whyBlocked(blocked, {cloud}, words) {
  if (blocked === null) return null;
  const reasons = [
    blocked.from && `only ${words} may change (O)`,
    blocked.unverified && 'verified pixels stay (Shift+V)',
    blocked.area && 'it lies outside the drawn area (Shift+A)',
    blocked.cloud && `only ${cloud === 'clear' ? 'clear' : 'cloudy'} pixels may change (K)`,
    blocked.unknown && 'this image has no cloud mask here, and only '
      + `${cloud === 'clear' ? 'clear' : 'cloudy'} pixels may change (K)`,
  ].filter(Boolean);
  return reasons.length ? `Nothing was changed: ${reasons.join('; ')}.` : null;
}
