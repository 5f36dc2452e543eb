/* The tools at the left: buttons in groups, two in a row, always at the same place. */

import {COMMANDS, TOOLBAR, command} from '../commands.js';
import {h} from '../dom.js';
import {button, rove} from './controls.js';

const NAMES = {paint: 'Paint', shape: 'Shapes', region: 'Regions', history: 'History', hand: 'Hand',
  view: 'View'};

export class Toolbar {
  constructor() {
    this.tools = COMMANDS.filter(({toolbar, tool}) => toolbar && tool).map(({id}) => id);
    this.element = h('div', {className: 'tools', role: 'toolbar', ariaLabel: 'Tools',
      ariaOrientation: 'vertical'});
    for (const group of TOOLBAR) {
      const ids = COMMANDS.filter(({toolbar}) => toolbar === group).map(({id}) => id);
      if (ids.length) this.element.append(h('div', {className: 'group', role: 'group',
        ariaLabel: NAMES[group] ?? group}, ...ids.map((id) => button(id))));
    }
    this.roving = rove(this.element);
  }

  /* Mark the tool in hand, and the commands that are switched on. */
  show(editor, tool) {
    for (const element of this.element.querySelectorAll('[data-command]')) {
      const {command: id} = element.dataset, {pressed} = command(id);
      if (this.tools.includes(id)) element.ariaPressed = String(id === tool);
      else if (pressed) element.ariaPressed = String(pressed(editor));
      if (id === tool && !this.element.matches(':focus-within')) this.roving.stop(element);
    }
  }
}
