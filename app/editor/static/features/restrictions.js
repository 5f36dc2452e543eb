/* Which pixels tools may change, beside the pixels that they mark: the switches in the side column. The
panel shows as badges what is restricted now. */

import {h} from '../dom.js';
import {button} from '../panel/controls.js';

const SWITCHES = ['recode', 'recode-source', 'where', 'area', 'unverified'];

export class Restrictions {
  static id = 'restrictions';

  constructor(editor) {
    this.editor = editor;
    Object.assign(this, {before: null, points: null});
    editor.panel.section('restrictions', 'Only change').append(
      h('div', {className: 'row'}, ...SWITCHES.map((id) => button(id))));
  }

  /* A class of another project is another class: what is recoded from there is not taken along. */
  open(scene, {project: {id}}) {
    const {recode} = this.editor.settings;
    if (recode.project !== undefined && recode.project !== id)
      this.editor.change({recode: {on: false, from: []}});
  }

  toggleRecode() {
    const {recode} = this.editor.settings;
    if (recode.on || this.#sources().length) this.editor.change({recode: {...recode, on: !recode.on}});
    else this.pickSource();
  }

  /* Add the class under the cursor to those that may be recoded, or take it out. */
  pickSource() {
    const {probe, panel, settings, manifest} = this.editor, found = probe.pixel;
    if (found) {
      this.toggleSource(found.label);
      const names = this.#sources().map((code) => manifest.classes.find((entry) => entry.code === code).name);
      panel.say(settings.recode.on ? `Only ${names.join(', ')} may change now.` : 'Every class may change again.');
    } else panel.say('Point at a pixel of the class to recode, then press the key; or mark it in the class list.');
  }

  /* Add a class to those that may be recoded, or take it out; recoding is on while there is one. What was
     recoded from before it was turned off is not taken along. */
  toggleSource(code) {
    const sources = this.editor.settings.recode.on ? this.#sources() : [], from = sources.filter((other) => other !== code);
    if (from.length === sources.length) from.push(code);
    this.editor.change({recode: {on: from.length > 0, from, project: this.editor.manifest.project.id}});
  }

  /* The classes to recode from that this project has. */
  #sources() {
    const {settings, manifest} = this.editor;
    return settings.recode.from.filter((code) => manifest.classes.some((entry) => entry.code === code));
  }

  /* Anywhere, only where cloudy, only where clear. */
  nextWhere() {
    this.editor.change({where: this.editor.settings.next('where')});
  }

  toggleUnverified() {
    this.editor.change({unverified: !this.editor.settings.unverified});
  }

  /* Draw an area, or forget the one there is. */
  toggleArea() {
    const {editor} = this, {settings, hand, panel} = editor;
    if (settings.tool === 'area') return hand.abort();
    if (hand.area) return this.setArea(null);
    if (!hand.mayEdit()) return;
    const before = {tool: editor.toolBefore ?? settings.tool, effect: settings.effect};
    editor.setTool('area', settings.effect);
    this.before = before;
    this.takeBack = panel.say('Draw around the area that tools should keep to. Escape to leave it.');
  }

  /* Keep to a mask from now on, or (null) no longer; `points` is its outline. */
  setArea(mask, points = null) {
    const {editor} = this;
    editor.hand.area = mask;
    this.points = mask && points;
    if (mask) {
      editor.preview.path('area', points, true);
      this.takeBack?.();
    } else editor.preview.clear('area');
    this.leaveArea();
    editor.showSettings();
  }

  /* Take up the tool from before the area; returns whether one was being drawn. */
  leaveArea() {
    const {before, editor} = this;
    this.before = null;
    if (before && editor.settings.tool === 'area') editor.setTool(before.tool, before.effect);
    return before !== null;
  }
}
