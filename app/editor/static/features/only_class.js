/* Only the chosen class of the label, on or off: the others are not drawn, and none of them changes. It is
not kept over a reload, as labels that are not seen are easily painted over. */

export class OnlyClass {
  static id = 'onlyClass';

  constructor(editor) {
    Object.assign(this, {editor, on: false});
  }

  open() {
    this.show();
  }

  toggle() {
    const {editor} = this, {panel, manifest, classCode} = editor;
    this.on = !this.on;
    const name = manifest.classes.find(({code}) => code === classCode)?.name ?? 'the chosen class';
    this.takeBack?.();
    this.takeBack = panel.say(this.on ? `Of the label only the chosen class is shown, now ${name}.`
      : 'Every class of the label is shown.');
    editor.showSettings();
  }

  /* Bring the label in line with the class of now. */
  show() {
    const {scene, classCode, view} = this.editor;
    if (scene?.label.showOnly(this.on ? classCode : null)) view.draw(null, ['label']);
  }
}
