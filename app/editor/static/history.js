/* What one person may undo and redo on the open tile: strokes of this tab with their pixels, and
strokes from before a reload or from another tab by name only, which the server undoes. There is no
limit to the depth; only pixels are forgotten, oldest first. */

const KEPT_BYTES = 32e6;

export class History {
  constructor() {
    this.undoable = [];
    this.redoable = [];
    this.kept = [];
    this.bytes = 0;
  }

  /* Take over what the server knows, newest last: {clients, undo, redo}, steps as [client, first,
     last]: the numbers from first to last, up or down, of a tab that `clients` names. */
  load({clients, undo, redo}) {
    this.undoable = steps(clients, undo);
    this.redoable = steps(clients, redo);
    this.kept = [];
    this.bytes = 0;
  }

  /* A new stroke: it can be undone, and closes redo. */
  push(client_id, seq, change) {
    const item = {client_id, seq, change};
    this.undoable.push(item);
    this.redoable = [];
    if (!change) return;
    // Old strokes stay undoable by name; their pixels would only fill the memory over hours.
    this.kept.push(item);
    this.bytes += bytesOf(change);
    while (this.bytes > KEPT_BYTES && this.kept.length > 1) {
      const old = this.kept.shift();
      this.bytes -= bytesOf(old.change);
      old.change = null;
    }
  }

  /* Forget a stroke that came to nothing. */
  drop(client_id, seq) {
    const other = (item) => item.client_id !== client_id || item.seq !== seq;
    this.undoable = this.undoable.filter(other);
    this.redoable = this.redoable.filter(other);
  }

  /* Move the newest stroke from done to undone and return it, or undefined when there is none. */
  undo() {
    return move(this.undoable, this.redoable);
  }

  redo() {
    return move(this.redoable, this.undoable);
  }
}

/* What a change holds: its runs, and labels and provenance before and after. */
const bytesOf = ({pixels, runs}) => 4 * (pixels + runs.length);

function steps(clients, runs) {
  const found = [];
  for (const [client, first, last] of runs) {
    const way = first <= last ? 1 : -1;
    for (let seq = first; seq !== last + way; seq += way)
      found.push({client_id: clients[client], seq, change: null});
  }
  return found;
}

function move(from, to) {
  const item = from.pop();
  if (item) to.push(item);
  return item;
}

/* What an undo or redo did on the tiles of a command. */
export function groupWords({tiles, pixels, skipped}) {
  const left = skipped.length ? ` ${skipped.join(', ')} takes no edits now and was left out.` : '';
  return `${pixels.toLocaleString('en')} px in ${tiles} tiles went back or forth as one step.${left}`;
}
