/* From strokes to saved versions: numbers each stroke, queues it, and brings the server's answers
and the labels on the screen together. Answers wait while a stroke is being painted. */

import {History} from './history.js';
import {decodeRuns, encodeRuns} from './raster.js';
import {applyMask} from './tools.js';

export class Saver {
  /* `ui` gets say(), ask(), onState(), reveal(box), showConflict(theirs, mine or null), and
     onFrozen() when the open tile turns out not to be editable any more. */
  constructor({server, outbox, client, ui, timings}) {
    Object.assign(this, {server, outbox, client, ui, timings});
    this.scene = null;
    this.history = new History();
    this.later = [];
    this.ready = false;
    this.writable = true;
    outbox.listener = this;
  }

  get labels() {
    return this.scene.labels;
  }

  get tileId() {
    return this.scene.tile.id;
  }

  /* Take over another tile: what can be undone there, and the strokes that still wait for it. Before
     that (`ready`), nothing may be painted, or a stroke would be painted twice. */
  async open(scene, writable) {
    Object.assign(this, {scene, writable, ready: false, later: [], history: new History()});
    do {
      this.overtaken = false;
      const known = await this.server.json(`/tile/${scene.tile.id}/history`);
      if (scene !== this.scene) return;
      this.history.load(known);
      await this.#loadWaiting(scene);
      if (scene !== this.scene) return;
      // A waiting stroke that was saved meanwhile may be missing from that history.
    } while (this.overtaken);
    this.#replayWaiting();
    this.ready = true;
    this.outbox.retryNow();
    this.ui.onState();
  }

  /* The open tile may be changed from now on, or no longer: show what the server holds. */
  setWritable(writable) {
    if (writable === this.writable) return;
    this.writable = writable;
    if (this.ready) this.reload().catch(() => {});
  }

  async #loadWaiting(scene) {
    for (const {body} of this.outbox.waiting(scene.tile.id)) {
      const box = body.box && boxOf(body.box);
      if (box) await scene.loadLabels(box);
    }
  }

  /* Paint every waiting stroke on the labels that the server gave, oldest first. A tile that may not
     be changed is shown as it is. */
  #replayWaiting() {
    if (!this.writable) return;
    for (const entry of this.outbox.waiting(this.tileId)) {
      const {tool, to_class, box, mask, reverses} = entry.body;
      if (mask) {
        const data = decodeRuns(mask, box[2] * box[3]);
        entry.change = applyMask(this.labels, tool, to_class, {...boxOf(box), data});
        this.history.push(entry.client_id, entry.seq, entry.change);
      } else if (tool === 'undo' || tool === 'redo') {
        const item = this.history[tool]();
        entry.change = item?.change ?? null;
        if (entry.change && reverses) this.#exchange(tool, entry.change);
      }
    }
  }

  /* Queue a finished change. */
  commit(change, {startedAt, panesShown, releasedAt}) {
    const {client, labels} = this, seq = client.next();
    const {y0, x0, h, w, data} = change;
    this.history.push(client.id, seq, change);
    this.#queue(seq, change, releasedAt, {
      tool: change.tool,
      from_classes: change.fromClasses,
      to_class: change.toClass,
      box: [y0, x0, h, w],
      mask: encodeRuns(data),
      base_version: labels.version,
      started_at: startedAt,
      ended_at: Date.now(),
      panes_shown: panesShown,
    });
  }

  undo(panesShown) {
    return this.#reverse('undo', panesShown);
  }

  redo(panesShown) {
    return this.#reverse('redo', panesShown);
  }

  /* Take the newest stroke back, or on again; returns whether there was one. Strokes of this page
     change at once; those from before a reload change when the server has answered. */
  #reverse(tool, panesShown) {
    const item = this.history[tool]();
    if (!item) return false;
    if (item.change) {
      this.ui.reveal(item.change);
      this.#exchange(tool, item.change);
    }
    const now = Date.now();
    this.#queue(this.client.next(), item.change, performance.now(), {
      tool,
      reverses: {client_id: item.client_id, seq: item.seq},
      base_version: this.labels.version,
      started_at: now,
      ended_at: now,
      panes_shown: panesShown,
    });
    return true;
  }

  #exchange(tool, change) {
    if (tool === 'undo') this.labels.exchange(change, 'new', 'old');
    else this.labels.exchange(change, 'old', 'new');
  }

  #queue(seq, change, releasedAt, body) {
    const entry = this.outbox.add({
      client_id: this.client.id, seq, tile: this.tileId, project: this.scene.project,
      path: `/tile/${this.tileId}/edits`, change,
      body: {client_id: this.client.id, seq, restrict: null, reason: null, force: false,
        from_classes: [], to_class: null, reverses: null, ...body},
    });
    entry.releasedAt = releasedAt;
    this.ui.onState();
  }

  /* Record that the tile is done or skipped; queued like a stroke, so that it is not lost either. */
  setState(state) {
    this.outbox.add({client_id: this.client.id, seq: this.client.next(), tile: this.tileId,
      project: this.scene.project, path: `/tile/${this.tileId}/state`, body: {state}});
  }

  /* Run now, or as soon as the stroke being painted has ended. */
  #whenIdle(work) {
    if (this.labels.stroke) this.later.push(work);
    else work();
  }

  strokeEnded() {
    for (const work of this.later.splice(0)) work();
  }

  onState() {
    this.ui.onState();
  }

  onSaved(entry, reply) {
    if (entry.releasedAt !== undefined) this.timings.add('ack', performance.now() - entry.releasedAt);
    if (this.scene === null || entry.tile !== this.tileId || entry.body.state) return this.ui.onState();
    if (!this.ready) this.overtaken = true;
    this.#whenIdle(() => this.#reconcile(entry, reply));
    this.ui.onState();
  }

  #reconcile(entry, reply) {
    const waiting = this.outbox.waiting(this.tileId).map(({change}) => change).filter(Boolean);
    const own = entry.change ? [entry.change] : [];
    for (const patch of reply.others ?? []) this.#write(patch, [...waiting, ...own]);
    // What the server really changed counts wherever it may differ from what was shown at once.
    const sure = entry.body.mask && entry.change && !reply.others?.length;
    if (reply.patch && !sure) this.#write(reply.patch, waiting);
    if (reply.patch && !entry.change) this.ui.reveal(boxOf(reply.patch.box));
    this.labels.version = Math.max(this.labels.version, reply.version);
    if (reply.left_px > 0)
      this.ui.say(`${reply.left_px} px stay as they are: somebody else has changed them since.`);
    this.ui.onState();
  }

  #write(patch, above) {
    const box = boxOf(patch.box);
    this.labels.write({...box, data: decodeRuns(patch.mask, box.h * box.w),
      labels: fromBase64(patch.values), provenance: fromBase64(patch.provenance)}, above);
  }

  /* The server will not take a stroke: say why and show what it holds. */
  onRefused(entry, message, reason) {
    const lost = entry.body.state ? 'The mark' : `A ${entry.body.tool} stroke`;
    this.ui.say(message === null ? 'Their version is kept; your stroke was dropped.'
      : `${lost} was refused: ${message} The labels were loaded again.`, {kind: 'warning', sticky: true});
    const here = this.scene && entry.tile === this.tileId;
    if (here && !entry.body.state) this.#whenIdle(() => this.reload());
    if (here && reason === 'not editable') this.ui.onFrozen();
    this.ui.onState();
  }

  async onConflict(entry, reply) {
    const who = [...new Set(reply.theirs.map(({person}) => person))].join(' and ') || 'Somebody else';
    const here = this.scene && entry.tile === this.tileId;
    if (here) {
      const theirs = reply.theirs.map(({box, mask}) =>
        ({...boxOf(box), data: decodeRuns(mask, box[2] * box[3])}));
      this.ui.showConflict(theirs, entry.change);
    }
    const choice = await this.ui.ask(
      'Two people painted here',
      `${who} changed ${reply.overlap_px} px that your stroke covers as well` +
        (here ? ': yours is blue, theirs is orange. Which one stays?' : ', on another tile. Which one stays?'),
      [{value: 'mine', label: 'Keep mine', help: 'Your stroke is saved over theirs', primary: true},
        {value: 'theirs', label: 'Keep theirs', help: 'Your stroke is dropped'}],
    );
    if (here) this.ui.showConflict([], null);
    return choice;
  }

  /* Show what the server holds, with the strokes that still wait on top. */
  async reload() {
    const {scene} = this;
    const [place, known] = await Promise.all([
      scene.reloadLabels(), this.server.json(`/tile/${scene.tile.id}/history`)]);
    if (scene !== this.scene) return;
    this.#whenIdle(() => {
      place();
      this.history.load(known);
      this.#replayWaiting();
      this.ui.onState();
    });
  }

  /* Fetch what others changed, as after coming back to the window. */
  async catchUp() {
    const {scene} = this;
    if (!scene || scene.labels.blocks.size === 0) return;
    const {version, patches, complete} = await this.server.json(
      `/tile/${scene.tile.id}/changes?since=${scene.labels.version}`);
    if (scene !== this.scene || version <= scene.labels.version) return;
    if (!complete) return this.reload();
    this.#whenIdle(() => {
      const waiting = this.outbox.waiting(this.tileId).map(({change}) => change).filter(Boolean);
      for (const patch of patches) this.#write(patch, waiting);
      scene.labels.version = Math.max(scene.labels.version, version);
      this.ui.onState();
    });
  }
}

export const boxOf = ([y0, x0, h, w]) => ({y0, x0, h, w});

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
