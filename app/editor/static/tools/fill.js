/* Fill: the connected region of one class under the pointer, or every pixel of that class. */

export const FILL_SIDE = 4096;
const IN_WORKER_PX = 2 ** 19;

export class Fill {
  constructor(hand) {
    this.hand = hand;
  }

  press(at) {
    this.hand.fill('fill', at);
    return false;
  }
}

export class FillAll extends Fill {
  press(at) {
    this.hand.fill('fill_all', at);
    return false;
  }
}

/* The box in which pixels of a class are looked for: the tile, or a large part around the click. */
export function fillBox({height, width}, {y, x}) {
  const side = (extent, at) => {
    const size = Math.min(extent, FILL_SIDE);
    return [Math.max(0, Math.min(extent - size, Math.floor(at) - size / 2)), size];
  };
  const [y0, h] = side(height, y), [x0, w] = side(width, x);
  return {y0, x0, h, w};
}

/* The connected region of one class under a position, as a mask with that class as its `value` and its
   run `lengths`. Large boxes are searched in the worker. */
export function regionAt(labels, at, worker) {
  return search('regionOf', labels, at, worker);
}

/* Every pixel of the class under a position, within `fillBox`. */
export function classAt(labels, at, worker) {
  return search('classOf', labels, at, worker);
}

async function search(name, labels, at, worker) {
  const box = fillBox(labels, at), place = [Math.floor(at.y) - box.y0, Math.floor(at.x) - box.x0];
  const work = () => [labels.window(box), box.h, box.w, ...place];
  const away = async (args) => worker.run(name, args, [args[0].buffer]).catch(() => null);
  // Where no worker can be had, the page stands still meanwhile.
  const mask = (box.h * box.w > IN_WORKER_PX && await away(work())) || worker.here(name, work());
  return {...mask, y0: mask.y0 + box.y0, x0: mask.x0 + box.x0};
}
