/* What an *effect* makes of a pixel: the class chosen, the label as it came, the model's answer, a class
of its own for each pixel, or a word on the label that is there (right, or unsure). Every tool can be
used with several effects; core/stroke.py works the same out again from the labels of the server. */

export const PSEUDO = 0, CHANGED = 1, VERIFIED = 2, ACCEPTED = 3, UNSURE = 4;
export const KEEP = -1, NONE = -1;

const CLASS = 0, REVERT = 1, MODEL = 2, VERIFY = 3, MARK = 4, VALUES = 5;
const KINDS = {class: CLASS, revert: REVERT, model: MODEL, verify: VERIFY, unsure: MARK, values: VALUES};

/* Strokes of before there were effects name none: their tool says it. */
const OF_TOOL = {revert: 'revert', verify: 'verify', accept: 'model', suggestion: 'values',
  restore: 'values', import: 'values'};
export const effectOf = (tool, effect) => effect ?? OF_TOOL[tool] ?? 'class';
export const kindOf = (effect) => KINDS[effect];

/* The provenance that a class given pixel by pixel gets. */
export const sourceOf = (tool) => (tool === 'suggestion' || tool === 'accept' ? ACCEPTED : CHANGED);

/* Label and provenance that a pixel gets, packed into one number, or KEEP. `value` is the class that
   belongs to the pixel: the original, the predicted or its own; NONE where it is not known. */
export function outcome(kind, toClass, source, label, provenance, value) {
  switch (kind) {
    case CLASS: return label === toClass ? KEEP : (CHANGED << 8) | toClass;
    case REVERT: return value === NONE || (label === value && provenance === PSEUDO) ? KEEP : (PSEUDO << 8) | value;
    case MODEL: return value === NONE || label === value ? KEEP : (ACCEPTED << 8) | value;
    case VERIFY: return provenance === CHANGED || provenance === VERIFIED ? KEEP : (VERIFIED << 8) | label;
    case MARK: return provenance === UNSURE ? KEEP : (UNSURE << 8) | label;
    default: return label === value ? KEEP : (source << 8) | value;
  }
}
