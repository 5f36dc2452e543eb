/* Going to another tile, or home. What was painted and is still being worked on is waited for, so that no
stroke is lost by going on quickly, and shapes that are not painted yet take a second press. */

const ASKED_MS = 6000;
const WAIT_MS = 20_000;
const TOO_LONG = 'The last stroke is not done yet: what it needs has not been loaded. Press again to leave without it.';

export class Leaving {
  constructor(editor) {
    Object.assign(this, {editor, waits: false, gaveUp: false, askedAt: -Infinity});
  }

  /* Leave for another tile or for the project: next, skip, done, previous or home. */
  go(action) {
    const {hand} = this.editor, {gaveUp} = this;
    hand.finish();
    if (this.waits || !this.#mayDrop()) return;
    this.gaveUp = false;
    if (hand.pending.size && !gaveUp) this.#afterWork(action);
    else this.#leave(action);
  }

  /* Leave as soon as the hand has done what it was told; after a while, the person decides. */
  async #afterWork(action) {
    const {hand, status, scene, panel} = this.editor;
    this.waits = true;
    status.wait('finishing the last stroke before leaving');
    await Promise.race([idle(hand.pending), new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
    this.waits = false;
    status.wait(null);
    if (scene !== this.editor.scene) return;
    this.gaveUp = hand.pending.size > 0;
    if (this.gaveUp) panel.say(TOO_LONG, {kind: 'warning'});
    else {
      hand.finish();
      this.#leave(action);
    }
  }

  /* Whether what is drawn and not painted may be dropped: on the second press. */
  #mayDrop() {
    const {hand: {unfinished}, panel} = this.editor, now = performance.now();
    if (!unfinished || now - this.askedAt < ASKED_MS) {
      this.askedAt = -Infinity;
      return true;
    }
    this.askedAt = now;
    panel.say(`${unfinished}: Enter paints, Escape drops. Press again to leave without.`, {kind: 'warning'});
    return false;
  }

  #leave(action) {
    const {manifest, saver} = this.editor;
    if (action === 'home') return this.editor.page('home', {});
    const target = action === 'previous' ? 'previous' : 'next', tile = manifest.neighbours[target];
    const writes = action === 'done' || action === 'skip';
    if (writes && !manifest.readonly) saver.setState(action === 'done' ? 'done' : 'skipped');
    if (tile === null) this.#sayLast(writes, target);
    else {
      this.editor.opening = performance.now();
      const {acquisitions, chosen} = manifest;
      this.editor.page(action, {tile, acquisition: acquisitions.find(({id}) => id === chosen.acquisition)?.name});
    }
  }

  #sayLast(writes, target) {
    const {panel, page} = this.editor;
    if (!writes) return panel.say(`There is no ${target} tile.`);
    panel.say('Marked. This was the last tile of the project: time to train a model.',
      {action: {label: 'Train', run: () => page('train', {})}});
  }
}

async function idle(pending) {
  while (pending.size) await Promise.allSettled(pending);
}
