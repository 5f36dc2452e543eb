/* Class patterns, on or off: kept with the settings, drawn over every class map of the open tile. */

import {ClassPatterns} from '../class_patterns.js';

export class ClassPatternsFeature {
  static id = 'classPatterns';

  constructor(editor) {
    this.editor = editor;
  }

  open(scene, manifest) {
    this.patterns = new ClassPatterns(manifest.classes);
    this.#show(scene);
  }

  toggle() {
    const {editor} = this;
    editor.settings.change({classPatterns: !editor.settings.classPatterns});
    editor.showSettings();
    this.#show(editor.scene);
  }

  #show(scene) {
    // One palette is shared by the label and by every prediction of a scene.
    scene.label.palette.patterns = this.editor.settings.classPatterns ? this.patterns : null;
    this.editor.view.draw();
  }
}
