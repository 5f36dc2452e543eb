/* What a person has set in the editor; it outlives reloads and holds for every tile. */

import {read, write} from './kept.js';

const KEY = 'cloudbrush.editor';
const DEFAULTS = {tool: 'brush', diameter: 16, opacity: 0.5, contrast: 'auto', hatching: 'thick',
  underlay: 'optical', provenance: 'hidden', effect: 'class', shape: 'round', pressure: false,
  where: 'anywhere', unverified: false, recode: {on: false, from: []}, classPatterns: false,
  wandTidy: true};

/* The values of each setting that a command steps through, with the words for them. */
export const CHOICES = {
  contrast: {auto: 'automatic', percentile: '2–98 %', shadows: 'dark parts', fixed: 'fixed range', none: 'as stored'},
  hatching: {thick: 'thick hatched', all: 'all hatched', none: 'not hatched'},
  underlay: {optical: 'optical', sar: 'SAR'},
  provenance: {hidden: 'hidden', shown: 'shown'},
  where: {anywhere: 'anywhere', cloudy: 'only where cloudy', clear: 'only where clear'},
  shape: {round: 'round', square: 'square'},
  effect: {class: 'class', revert: 'label as it came', model: 'model\'s answer'},
};
const OPACITIES = [0.25, 0.5, 0.75];

export class Settings {
  constructor() {
    Object.assign(this, DEFAULTS, usable(read(KEY)));
  }

  change(values) {
    Object.assign(this, values);
    write(KEY, this);
  }

  /* The value after the one of now, leaving out those in `without`. */
  next(name, without = []) {
    const values = Object.keys(CHOICES[name]).filter((value) => !without.includes(value));
    return values[(values.indexOf(this[name]) + 1) % values.length];
  }

  nextOpacity() {
    return OPACITIES.find((level) => level > this.opacity + 0.01) ?? OPACITIES[0];
  }

  /* {contrast: 'automatic', ...}: the choices of now in words. */
  words() {
    return Object.fromEntries(Object.entries(CHOICES).map(([name, words]) => [name, words[this[name]]]));
  }
}

/* What was kept, without settings that are no longer of the kind that they have here. */
function usable(kept) {
  const isPlain = typeof kept === 'object' && kept !== null && !Array.isArray(kept);
  return Object.fromEntries(Object.entries(isPlain ? kept : {}).filter(([name, value]) => {
    if (CHOICES[name]) return Object.hasOwn(CHOICES[name], value);
    return !(name in DEFAULTS) || kindOf(value) === kindOf(DEFAULTS[name]);
  }));
}

const kindOf = (value) => (Array.isArray(value) ? 'list' : value === null ? 'nothing' : typeof value);
