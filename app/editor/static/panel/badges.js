/* What holds for every stroke of now and is easily forgotten: an effect other than painting a class, and the
restrictions. Each is a badge that a click takes off. */

import {h} from '../dom.js';
import {icon} from '../icons.js';

export class Badges {
  constructor() {
    this.element = h('div', {className: 'badges', role: 'group', ariaLabel: 'What holds for every stroke', hidden: true});
    this.shown = '';
  }

  /* `nameOf(code)` gives the name of a class. */
  show(editor, nameOf) {
    const list = badgesOf(editor, nameOf), shown = JSON.stringify(list.map(({text}) => text));
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.hidden = list.length === 0;
    this.element.replaceChildren(...list.map(({id, text, detail, off}) => {
      const badge = h('button', {type: 'button', className: 'badge', data: {badge: id},
        title: `${detail ?? text}\nClick to take it off`, ariaLabel: `${detail ?? text}, take off`},
      h('span', {}, text), icon('close'));
      badge.addEventListener('click', off);
      return badge;
    }));
  }
}

/* A list of {id, text, detail?, off()}: what is switched on, in words. */
export function badgesOf(editor, nameOf) {
  const {settings, hand} = editor, words = settings.words(), {recode} = settings;
  const change = (values) => () => editor.change(values);
  const here = new Set(editor.manifest?.classes.map(({code}) => code));
  const names = recode.from.filter((code) => here.has(code)).map(nameOf), list = names.join(', ');
  const noRecode = change({recode: {...recode, on: false}});
  return [
    settings.effect !== 'class' && {id: 'effect', text: `paints the ${words.effect}`,
      off: () => editor.setEffect('class')},
    recode.on && list && {id: 'recode', text: names.length > 2 ? `only from ${names.length} classes` : `only from ${list}`,
      detail: `Only pixels of ${list} change`, off: noRecode},
    recode.on && !list && {id: 'recode-none', text: 'recode: mark a class “from”', off: noRecode},
    settings.where !== 'anywhere' && {id: 'where', text: words.where, off: change({where: 'anywhere'})},
    hand?.area && {id: 'area', text: 'only inside the area', off: () => editor.features.restrictions.setArea(null)},
    settings.unverified && {id: 'unverified', text: 'never verified pixels', off: change({unverified: false})},
  ].filter(Boolean);
}
