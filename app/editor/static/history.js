/* What one person may undo and redo on the open tile: strokes of this tab with their pixels, and
strokes from before a reload or from another tab by name only, which the server undoes. */

const KEPT_CHANGES = 300;

export class History {
  constructor() {
    this.undoable = [];
    this.redoable = [];
  }

  /* Take over what the server knows; newest first there, newest last here. */
  load({undo, redo}) {
    const named = (items) => items.map(({client_id, seq}) => ({client_id, seq, change: null}));
    this.undoable = named(undo).reverse();
    this.redoable = named(redo).reverse();
  }

  /* A new stroke: it can be undone, and closes redo. */
  push(client_id, seq, change) {
    this.undoable.push({client_id, seq, change});
    this.redoable = [];
    // Old strokes stay undoable by name; their pixels would only fill the memory over hours.
    const old = this.undoable[this.undoable.length - 1 - KEPT_CHANGES];
    if (old) old.change = null;
  }

  /* Move the newest stroke from done to undone and return it, or undefined when there is none. */
  undo() {
    return move(this.undoable, this.redoable);
  }

  redo() {
    return move(this.redoable, this.undoable);
  }
}

function move(from, to) {
  const item = from.pop();
  if (item) to.push(item);
  return item;
}
