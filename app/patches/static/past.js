/* What this person did on patches in this tab, so that undo finds it on whatever patch and page it was.
Each entry is one press of a key: the strokes [{tile, client_id, seq}] that it sent. It survives a
reload like the tab's name does; the server decides what an undo may still take back. */

const MOST = 500;

export class Past {
  constructor(name) {
    this.name = `cloudbrush.patches.${name}`;
    const kept = JSON.parse(sessionStorage.getItem(this.name) ?? 'null');
    this.undo = kept?.undo ?? [];
    this.redo = kept?.redo ?? [];
  }

  add(strokes) {
    this.undo = [...this.undo, strokes].slice(-MOST);
    this.redo = [];
    this.#keep();
  }

  /* Take the newest entry from one stack to the other; undefined where there is none. */
  take(tool) {
    const [from, to] = tool === 'undo' ? [this.undo, this.redo] : [this.redo, this.undo];
    const entry = from.pop();
    if (entry) to.push(entry);
    this.#keep();
    return entry;
  }

  #keep() {
    sessionStorage.setItem(this.name, JSON.stringify({undo: this.undo, redo: this.redo}));
  }
}
