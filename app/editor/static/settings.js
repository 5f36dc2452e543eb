/* What a person has set in the editor; it outlives reloads and holds for every tile. */

const KEY = 'cloudbrush.editor';
const DEFAULTS = {tool: 'brush', diameter: 16, opacity: 0.5, contrast: 'auto', hatching: 'thick',
  underlay: 'optical', provenance: 'hidden'};

/* The values of each setting that a command steps through, with the words for them. */
export const CHOICES = {
  contrast: {auto: 'automatic', percentile: '2–98 %', fixed: 'fixed range', none: 'as stored'},
  hatching: {thick: 'thick hatched', all: 'all hatched', none: 'not hatched'},
  underlay: {optical: 'optical', sar: 'SAR'},
  provenance: {hidden: 'hidden', shown: 'shown'},
};
const OPACITIES = [0.25, 0.5, 0.75];

export class Settings {
  constructor() {
    Object.assign(this, DEFAULTS, JSON.parse(localStorage.getItem(KEY) ?? '{}'));
  }

  change(values) {
    Object.assign(this, values);
    localStorage.setItem(KEY, JSON.stringify(this));
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
