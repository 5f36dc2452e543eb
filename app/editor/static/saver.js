/* From strokes to saved versions: numbers each stroke, queues it, and brings the server's answers
and the labels on the screen together. Answers wait while a stroke is being painted. */

import {History, groupWords} from './history.js';
import {base64, maskOf} from './change.js';
import {Overlay, boxOf, exchange, isNamed, isShown, lay, wishOf} from './overlay.js';
import {keepBoth, overlapWords} from './conflict.js';
import {decodeRuns, lengthsOf} from './runs.js';

const AGAIN_MS = 2000;

export class Saver {
  /* `ui` gets say(), ask(), onState(), onStuck(), reveal(box), showConflict(theirs, mine or null), and
     onFrozen() when the open tile turns out not to be editable any more. */
  constructor({server, outbox, client, ui, timings}) {
    Object.assign(this, {server, outbox, client, ui, timings});
    this.scene = null;
    this.history = new History();
    this.later = [];
    this.ready = false;
    this.writable = true;
    this.catching = null;
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
    Object.assign(this, {scene, writable, ready: false, later: [], history: new History(),
      overlay: new Overlay(scene.labels)});
    try {
      await this.#restack();
    } catch (error) {
      this.#restackSurely(AGAIN_MS);
      throw error;
    }
  }

  /* The open tile may be changed from now on, or no longer: show what the server holds. */
  setWritable(writable) {
    if (writable === this.writable) return;
    this.writable = writable;
    if (this.ready) this.#restackSurely();
  }

  /* The same, tried again for as long as the tile is open. */
  #restackSurely(wait = 0) {
    const {scene} = this;
    setTimeout(() => {
      if (scene === this.scene) this.#restack().catch(() => this.#restackSurely(AGAIN_MS));
    }, wait);
  }

  /* Take what can be undone from the server, and lay the waiting strokes on its labels anew. */
  async #restack() {
    const release = this.outbox.hold();
    const known = await this.#knownAndLoaded(this.scene).finally(release);
    if (known) this.#whenIdle(() => {
      if (this.overtaken) return this.#restackSurely();
      this.overlay.rebase([], new Set(this.overlay.entries));
      this.client.atLeast(known.last_seq);
      this.history.load(known);
      this.#layWaiting();
      this.ready = true;
      this.outbox.retryNow();
      this.ui.onState();
    });
  }

  /* What can be undone, with the labels under waiting strokes loaded; null once another tile is open. */
  async #knownAndLoaded(scene) {
    let known;
    do {
      this.overtaken = false;
      known = await this.server.json(`/tile/${scene.tile.id}/history?client=${this.client.id}`);
      if (scene !== this.scene) return null;
      await this.#loadWaiting(scene);
      if (scene !== this.scene) return null;
      // A waiting stroke that was saved meanwhile may be missing from that history.
    } while (this.overtaken);
    return known;
  }

  async #loadWaiting(scene) {
    for (const {body} of this.outbox.waiting(scene.tile.id))
      if (body.box) await scene.loadLabels(boxOf(body.box));
  }

  /* The boxes of a tile's strokes that are not saved yet; their labels must stay loaded. */
  waitingBoxes(tileId) {
    const sent = this.outbox.waiting(tileId).map(({body}) => body.box && boxOf(body.box));
    const laid = this.scene?.tile.id === tileId ? this.overlay.entries : [];
    return [...sent, ...laid.flatMap(({change, wish}) => [change, wish])].filter(Boolean);
  }

  /* Lay every waiting stroke on the labels of the server, oldest first. A tile that may not be changed
     is shown as it is. */
  #layWaiting() {
    if (!this.writable) return;
    for (const entry of this.outbox.waiting(this.tileId)) this.#lay(entry);
  }

  #lay(entry) {
    const {labels, history} = this, {client_id, seq, body} = entry, {tool} = body;
    const reverses = tool === 'undo' || tool === 'redo';
    if (body.state) return;
    if (body.mask) entry.wish ??= wishOf(labels, body);
    const item = reverses ? history[tool]() : null;
    if (entry.wish) entry.change = lay(labels, entry.wish, tool);
    else if (item?.change) entry.change = this.#exchange(tool, item.change);
    else entry.change = null;
    if (!reverses) history.push(client_id, seq, entry.change);
    this.overlay.push(entry);
  }

  /* Queue a finished change. */
  commit(change, {startedAt, panesShown, releasedAt}) {
    const {client, labels} = this, seq = client.next();
    const {y0, x0, h, w, runs} = change;
    this.history.push(client.id, seq, change);
    this.#queue({seq, change, releasedAt}, {
      tool: change.tool,
      effect: change.effect ?? null,
      from_classes: change.fromClasses,
      to_class: change.toClass,
      prediction: change.prediction ?? null,
      values: change.effect === 'values' ? base64(change.new.labels) : null,
      restrict: change.restrict ?? null,
      group_id: change.groupId ?? null,
      box: [y0, x0, h, w],
      mask: lengthsOf(runs, h * w),
      reason: change.reason ?? null,
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
    if (item.change) this.ui.reveal(item.change);
    const change = item.change && this.#exchange(tool, item.change);
    const now = Date.now();
    this.#queue({seq: this.client.next(), change, releasedAt: performance.now()}, {
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
    const [from, to] = tool === 'undo' ? ['new', 'old'] : ['old', 'new'];
    return exchange(this.labels, change, from, to, tool);
  }

  #queue({seq, change, releasedAt}, body) {
    const entry = this.#send({seq, change, path: `/tile/${this.tileId}/edits`,
      body: {restrict: null, reason: null, force: false, from_classes: [], to_class: null,
        reverses: null, ...body}});
    entry.releasedAt = releasedAt;
    this.overlay.push(entry);
    this.ui.onState();
  }

  #send({seq, change = null, path, body}) {
    const {id} = this.client;
    return this.outbox.add({client_id: id, seq, tile: this.tileId, project: this.scene.project,
      path, change, body: {client_id: id, seq, ...body}});
  }

  /* Record that the tile is done or skipped; queued like a stroke, so that it is not lost either. */
  setState(state) {
    this.outbox.add({client_id: this.client.id, seq: this.client.next(), tile: this.tileId,
      project: this.scene.project, path: `/tile/${this.tileId}/state`, body: {state}});
  }

  /* Make an earlier version the labels of now, as a new edit that undo takes back as one. */
  restore(version, panesShown) {
    const seq = this.client.next(), {labels} = this;
    this.history.push(this.client.id, seq, null);
    this.overlay.push(this.#send({seq, path: `/tile/${this.tileId}/restore`,
      body: {version, base_version: labels.version, ended_at: Date.now(), panes_shown: panesShown}}));
    this.ui.onState();
  }

  /* Run now, or as soon as the stroke being painted has ended. */
  #whenIdle(work) {
    const {scene} = this, still = () => scene === this.scene && work();
    if (this.labels.stroke) this.later.push(still);
    else still();
  }

  strokeEnded() {
    for (const work of this.later.splice(0)) work();
  }

  onState() {
    // Strokes that another tab had left are saved: they can be undone here from now on.
    if (this.adopted && this.ready && this.outbox.entries.length === 0) {
      this.adopted = false;
      this.#restackSurely();
    }
    this.ui.onState();
  }

  /* The version up to which the server need not tell what others did. */
  knownFor({tile}) {
    return this.scene?.labels.blocks.size && tile === this.tileId ? this.labels.version : 0;
  }

  onSaved(entry, reply) {
    if (entry.releasedAt !== undefined) this.timings.add('ack', performance.now() - entry.releasedAt);
    this.overtaken = true;
    this.adopted ||= entry.client_id !== this.client.id && !entry.body.state;
    const here = this.scene && entry.tile === this.tileId && !entry.body.state;
    if (here && this.ready) this.#whenIdle(() => this.#settle(entry, reply));
    this.ui.onState();
  }

  #settle(entry, reply) {
    const {labels, overlay} = this, {status, version, patch, others = []} = reply;
    // What was saved is mostly what was shown: without a patch always, and an undo unless others painted.
    const next = version === labels.version + 1 && overlay.entries[0] === entry && status !== 'unchanged';
    if (next && isShown(entry.change, patch)) {
      overlay.entries.shift();
      labels.version = version;
    } else {
      const done = status === 'unchanged' || version <= labels.version;
      if (!this.#take(patch ? [...others, patch] : others, version)) this.catchUp().catch(() => {});
      if (done) overlay.rebase([], new Set([entry]));
    }
    if (status === 'unchanged') this.#forget(entry);
    if (patch && !entry.change) this.ui.reveal(boxOf(patch.box));
    if (reply.group?.tiles > 1 || reply.group?.skipped.length) this.ui.say(groupWords(reply.group));
    if (reply.left_px > 0)
      this.ui.say(`${reply.left_px} px stay as they are: somebody else has changed them since.`);
    this.ui.onState();
  }

  /* Write edits below the strokes that wait, if no version is missing; returns whether they lead to
     `version`. */
  #take(edits, version) {
    const {labels, overlay} = this, from = labels.version;
    const fresh = edits.filter((edit) => edit.version > from).sort((a, b) => a.version - b.version);
    const whole = fresh.every((edit, i) => edit.version === from + 1 + i);
    if (!whole || from + fresh.length < version) return false;
    overlay.rebase(fresh, new Set(overlay.entries.filter((entry) =>
      fresh.some((edit) => isNamed(entry, edit)))));
    labels.version = from + fresh.length;
    return true;
  }

  /* Drop a stroke that the server has no row for. */
  #forget(entry) {
    if (entry.body.mask) this.history.drop(entry.client_id, entry.seq);
    else this.#restackSurely();
  }

  /* The server will not take a stroke: say why and show what it holds. */
  onRefused(entry, message, reason) {
    const lost = entry.body.state ? 'The mark' : `A ${entry.body.tool ?? 'restore'} stroke`;
    if (message === null) this.ui.say('Their version is kept; your stroke was dropped.');
    else this.ui.say(`${lost} was refused: ${message} The labels were loaded again.`, {kind: 'warning', sticky: true});
    const here = this.withdraw(entry);
    if (here && reason === 'not editable') this.ui.onFrozen();
    this.ui.onState();
  }

  /* Take a stroke that the server does not have from the screen; returns whether its tile is open. */
  withdraw(entry) {
    const here = this.scene && entry.tile === this.tileId;
    if (here && !entry.body.state) this.#whenIdle(() => {
      this.overlay.rebase([], new Set([entry]));
      this.#forget(entry);
      this.catchUp().catch(() => {});
    });
    return here;
  }

  onStuck() {
    this.ui.onStuck();
    this.ui.onState();
  }

  /* Somebody else changed pixels of a stroke. Returns "mine", "theirs", or "again" when the stroke was
     cut down to the pixels that are nobody else's. */
  async onConflict(entry, reply) {
    const here = this.scene && entry.tile === this.tileId;
    const theirs = reply.theirs.map((edit) =>
      ({...boxOf(edit.box), data: decodeRuns(edit.mask, edit.box[2] * edit.box[3])}));
    const kept = keepBoth(entry, theirs);
    if (here) this.ui.showConflict(theirs, entry.change && maskOf(entry.change));
    const choice = await this.ui.ask('Two people painted here',
      overlapWords({entry, reply, here, className: (code) => this.#className(code)}),
      [{value: 'mine', label: 'Keep mine', help: 'Your stroke is saved over theirs', primary: true},
        {value: 'theirs', label: 'Keep theirs', help: 'Your stroke is dropped'},
        ...(kept ? [{value: 'both', label: 'Keep both',
          help: 'Theirs stays where they painted, yours everywhere else'}] : [])]);
    if (here) this.ui.showConflict([], null);
    if (choice !== 'both') return choice;
    this.#cutDown(entry, kept);
    return 'again';
  }

  #className(code) {
    const found = this.scene?.manifest.classes.find((entry) => entry.code === code);
    return found?.name ?? `class ${code}`;
  }

  #cutDown(entry, {body, wish}) {
    entry.body = body;
    const here = this.scene && entry.tile === this.tileId && this.overlay.entries.includes(entry);
    if (!here || !wish) return;
    this.#whenIdle(() => {
      entry.wish = wish;
      const at = this.overlay.entries.indexOf(entry), above = this.overlay.entries.slice(at);
      this.overlay.rebase([], new Set(above));
      for (const other of above) {
        if (other.wish) Object.assign(other.change, lay(this.labels, other.wish, other.body.tool));
        this.overlay.push(other);
      }
    });
  }

  /* Show what the server holds, with the strokes that still wait on top. */
  async reload() {
    const {scene} = this;
    if (scene.labels.blocks.size === 0) return;
    const place = await scene.reloadLabels();
    if (scene !== this.scene) return;
    this.#whenIdle(() => {
      const waiting = new Set(this.outbox.waiting(this.tileId));
      const kept = this.overlay.entries.splice(0).filter((entry) => waiting.has(entry));
      place();
      for (const entry of kept) {
        if (entry.wish) Object.assign(entry.change, lay(this.labels, entry.wish, entry.body.tool));
        this.overlay.push(entry);
      }
      this.catchUp().catch(() => {});
      this.ui.onState();
    });
  }

  /* Take up what others changed: {version, patches, complete} since the version of now. */
  receive({version, patches, complete}) {
    if (!this.ready || this.labels.blocks.size === 0) return;
    this.#whenIdle(() => {
      if (version <= this.labels.version) return;
      if (!this.#take(patches, complete ? version : 0)) return this.catchUp().catch(() => {});
      if (!complete) this.reload().catch(() => {});
      this.ui.onState();
    });
  }

  /* Fetch what others changed, as after coming back to the window. */
  catchUp() {
    this.catching ??= this.#fetchChanges().finally(() => (this.catching = null));
    return this.catching;
  }

  async #fetchChanges() {
    const {scene} = this;
    if (!scene || !this.ready || scene.labels.blocks.size === 0) return;
    const found = await this.server.json(`/tile/${scene.tile.id}/changes?since=${scene.labels.version}`);
    if (scene !== this.scene || !this.ready) return;
    this.receive(found);
  }
}
