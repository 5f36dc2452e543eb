/* The label of a patch and what changes make of it; the same rules as core/stroke.py and
core/patch_labels.py. Pure: {codes, origin} in, a new one out. One code, or one cell per class. */

export const NONE = 255;
export const PSEUDO = 0, CHANGED = 1, VERIFIED = 2, UNSURE = 4;

/* A wish is {effect: 'class' | 'verify' | 'unsure' | 'revert', toClass, cell}; cell null: all of it. */
export function changed(label, wish) {
  const codes = [...label.codes], origin = [...label.origin];
  codes.forEach((code, i) => {
    if (wish.cell !== null && wish.cell !== i) return;
    if (wish.effect === 'class' && code !== wish.toClass) [codes[i], origin[i]] = [wish.toClass, CHANGED];
    if (wish.effect === 'verify' && origin[i] !== CHANGED) origin[i] = VERIFIED;
    if (wish.effect === 'unsure') origin[i] = UNSURE;
    if (wish.effect === 'revert') [codes[i], origin[i]] = [label.first[i], PSEUDO];
  });
  return {...label, codes, origin};
}

export const same = (a, b) => `${a.codes}|${a.origin}` === `${b.codes}|${b.origin}`;

/* The wish of a class key: the class, or for a list its cell turned over. */
export function wishOf(label, code) {
  if (label.codes.length === 1) return {effect: 'class', toClass: code, cell: null};
  return {effect: 'class', toClass: label.codes[code] === NONE ? code : NONE, cell: code};
}

/* The stroke that carries a wish: the fields of POST /tile/{id}/edits. */
export function strokeOf(patch, wish) {
  const box = wish.cell === null ? [0, 0, patch.height, patch.width] : [0, wish.cell, 1, 1];
  const stroke = {tool: 'patch', effect: wish.effect, box, mask: [0, box[2] * box[3]]};
  return wish.effect === 'class' ? {...stroke, to_class: wish.toClass} : stroke;
}

/* A label after an edit as the server tells it. */
export function told(label, edit) {
  const values = bytes(edit.values), origins = bytes(edit.provenance);
  if (!values.length) return label;
  if (label.codes.length === 1) return {...label, codes: [values[0]], origin: [origins[0]]};
  const codes = [...label.codes], origin = [...label.origin];
  let cell = edit.box[1], at = 0;
  edit.mask.forEach((length, i) => {
    for (let step = 0; step < length; step += 1, cell += 1) {
      if (i % 2) [codes[cell], origin[cell]] = [values[at], origins[at++]];
    }
  });
  return {...label, codes, origin};
}

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/* What a badge says of a label: the most telling provenance of its cells. */
export function stateOf(label) {
  if (label.origin.includes(UNSURE)) return 'unsure';
  if (label.origin.includes(CHANGED)) return 'changed';
  return label.origin.includes(VERIFIED) ? 'verified' : '';
}
