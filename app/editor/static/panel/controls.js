/* Buttons of commands: their face, their key in the tooltip, and moving between them by arrow keys. */

import {command, tooltip} from '../commands.js';
import {h} from '../dom.js';
import {icon} from '../icons.js';

/* A button for a command, with its icon or label; `text` in its place. */
export function button(id, {text = null, className = '', ...rest} = {}) {
  const entry = command(id);
  const face = text === null && entry.icon ? icon(entry.icon) : (text ?? entry.label);
  return h('button', {type: 'button', className: `command ${className}`.trim(), title: tooltip(entry),
    ariaLabel: entry.label, data: {command: id}, ...rest}, face);
}

/* Write the keys of now into the tooltips of every command button below an element. */
export function refreshTooltips(root) {
  for (const element of root.querySelectorAll('[data-command]')) {
    const entry = command(element.dataset.command);
    if (entry && !element.classList.contains('class')) setTooltip(element, entry);
  }
}

/* The tooltip of a command, with a line of its own below: how many steps undo has, for example. */
export function setTooltip(element, entry, extra = element.dataset.extra ?? '') {
  element.dataset.extra = extra;
  element.title = extra ? `${tooltip(entry)}\n${extra}` : tooltip(entry);
}

/* One stop for Tab, arrow keys, Home and End within: the way of toolbars and radio groups. */
export function rove(container, selector = 'button') {
  container.dataset.rove = '';
  const items = () => [...container.querySelectorAll(selector)]
    .filter((item) => !item.disabled && item.offsetParent !== null);
  const stop = (chosen) => {
    for (const item of container.querySelectorAll(selector)) item.tabIndex = item === chosen ? 0 : -1;
  };
  container.addEventListener('focusin', ({target}) => {
    const item = target.closest(selector);
    if (item) stop(item);
  });
  container.addEventListener('keydown', (event) => {
    const list = items(), at = list.indexOf(event.target.closest(selector));
    if (at < 0) return;
    const next = list[(at + 1) % list.length], last = list.at(at - 1);
    const to = {ArrowRight: next, ArrowLeft: last, Home: list[0], End: list.at(-1),
      ArrowDown: nearest(list, list[at], 1) ?? next, ArrowUp: nearest(list, list[at], -1) ?? last}[event.key];
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
  return {stop};
}

/* The item in the next row above (-1) or below (1), as near as can be; undefined in the outmost row. */
function nearest(list, from, side) {
  const {top, left} = from.getBoundingClientRect();
  const rows = list.map((item) => ({item, rect: item.getBoundingClientRect()}))
    .filter(({rect}) => side * (rect.top - top) > 4)
    .sort((a, b) => side * (a.rect.top - b.rect.top) || Math.abs(a.rect.left - left) - Math.abs(b.rect.left - left));
  return rows[0]?.item;
}

/* Let go of the focus after a change by mouse or finger, where it would catch the next key; who came
   by keyboard keeps it. */
export function blurAfterPointer(control) {
  let pointed = false;
  control.addEventListener('pointerdown', () => (pointed = true));
  control.addEventListener('keydown', () => (pointed = false));
  control.addEventListener('change', () => pointed && control.blur());
}
