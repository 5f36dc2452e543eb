/* Strokes on their way to the server: a serial queue with one POST in flight. Each entry is kept in
IndexedDB until the server has acknowledged it, so a reload, a crash or a night offline loses none.

A stroke for a project that the token of now does not cover, or of another person, is parked: it is
kept, the others go on past it, and it is sent once the page has another token.

States: saved (nothing waits but what is parked), saving, offline (no network or a server error; tried
again by itself), expired (waits for a renewed token), conflict (waits for the person's choice). */

import {mayPass, refusalOf} from './server.js';

const BACKOFF_MS = [400, 800, 1500, 3000, 5000, 10000];
const ORPHANS_EVERY_MS = 20000;
// The server answered so often that it failed: the stroke may never pass.
const STUCK_AFTER = 4;
const WRONG_TOKEN = ['project', 'purpose'];

export class Outbox {
  /* `listener` gets onState(), onSaved(entry, reply), onRefused(entry, message, reason), knownFor(entry),
     onStuck(entry) when the server fails on the same stroke again and again, and onConflict(entry, reply),
     the last of which returns a promise of "mine", "theirs", or "again" when it has changed the entry.
     It is null while no editor is open: then answers only empty the queue, and conflicts wait.
     `isAlive(clientId)` promises whether a tab of that name is open. */
  constructor(server, storage, isAlive = async () => false) {
    Object.assign(this, {server, storage, isAlive});
    this.entries = [];
    this.kind = 'saved';
    this.listener = null;
    this.running = false;
    this.holds = 0;
    this.clientId = null;
    this.parkedUnder = new Map();
    this.wake = () => {};
    this.closed = () => {};
    addEventListener('online', () => this.wake());
  }

  /* The editor that listened goes away: what it was asking was not answered, and the next one asks. */
  leave(listener) {
    if (this.listener !== listener) return;
    this.listener = null;
    this.closed();
  }

  /* Take up what an earlier page of this tab left, and from now on what tabs that are gone left.
     `client.atLeast` hears the highest number in use, which a crash may have kept from the tab. */
  async open(client) {
    this.clientId = client.id;
    await this.#takeUp((entry) => entry.client_id === client.id);
    client.atLeast(Math.max(0, ...this.entries.filter(({client_id}) => client_id === client.id)
      .map(({seq}) => seq)));
    this.#takeOrphans();
    this.looking ??= setInterval(() => this.#takeOrphans(), ORPHANS_EVERY_MS);
  }

  async #takeUp(isOurs) {
    const left = await this.storage.all();
    const known = new Set(this.entries.map(keyOf));
    const found = left.filter((entry) => !known.has(keyOf(entry)) && isOurs(entry));
    if (!found.length) return;
    this.entries = [...found, ...this.entries].sort((a, b) => a.at - b.at || a.seq - b.seq);
    this.#run();
  }

  /* Strokes of tabs that crashed or were closed. Should two tabs send the same one, it counts once. */
  async #takeOrphans() {
    const names = new Set((await this.storage.all()).map(({client_id}) => client_id));
    const gone = new Set();
    for (const name of names) if (name !== this.clientId && !(await this.isAlive(name))) gone.add(name);
    if (gone.size) await this.#takeUp(({client_id}) => gone.has(client_id));
  }

  /* Queue a request of this client. `body` is complete but for the names of client and stroke. */
  add({client_id, seq, tile, project, path, body, change = null}) {
    const {person} = this.server;
    const entry = {client_id, seq, tile, project, person, path, body, at: Date.now(), change};
    this.entries.push(entry);
    // The request leaves first: writing to the browser's disk must not delay it. Both are under way
    // before this returns.
    this.#run();
    this.storage.put(entry);
    return entry;
  }

  /* Entries of a tile that the server has not acknowledged, oldest first; of this person. */
  waiting(tile) {
    return this.entries.filter((entry) => entry.tile === tile && !this.#isOthers(entry));
  }

  /* Entries that the token of now does not cover: {tile, project, ...}. */
  parked() {
    return this.entries.filter((entry) => this.#isParked(entry));
  }

  /* A whole tile waits, so that its strokes keep their order; another token is another try. */
  #isParked(entry) {
    return this.#isOthers(entry) || this.parkedUnder.get(entry.tile) === this.server.token;
  }

  /* Whether somebody else painted it in this browser: nobody's stroke goes under another's name. */
  #isOthers({person}) {
    return (person ?? null) !== null && (this.server.person ?? null) !== null &&
      person !== this.server.person;
  }

  #next() {
    return this.holds ? undefined : this.entries.find((entry) => !this.#isParked(entry));
  }

  /* Send nothing more until the function returned has been called. */
  hold() {
    this.holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.holds -= 1;
      this.#run();
    };
  }

  retryNow() {
    this.wake();
    this.#run();
  }

  #setKind(kind) {
    this.kind = kind;
    this.listener?.onState();
  }

  async #run() {
    if (this.running) {
      this.listener?.onState();
      return;
    }
    this.running = true;
    try {
      await this.#sendAll();
    } finally {
      this.running = false;
    }
    if (!this.#next() && !this.holds) this.#setKind('saved');
  }

  async #sendAll() {
    let failures = 0;
    for (let entry = this.#next(); entry; entry = this.#next()) {
      if (failures === 0) this.#setKind('saving');
      const settled = await this.#send(entry);
      if (settled) {
        failures = 0;
        continue;
      }
      if (this.kind === 'unasked') break;
      if (this.kind === 'offline' || this.kind === 'expired') {
        await this.#pause(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)]);
        failures += 1;
      }
    }
  }

  /* One attempt; returns whether the queue can go on with the next entry. */
  async #send(entry) {
    const {token} = this.server;
    let response, reply;
    try {
      response = await this.server.post(entry.path, entry.body, this.listener?.knownFor(entry) ?? 0);
      // The network may break between the head of an answer and its end.
      if (response.ok || response.status === 409) reply = await response.json();
    } catch {
      this.#setKind('offline');
      return false;
    }
    if (response.ok) {
      this.#drop(entry);
      this.#tell((listener) => listener.onSaved(entry, reply));
      return true;
    }
    if (response.status === 500) this.#failed(entry);
    if (mayPass(response)) {
      this.#setKind('offline');
      return false;
    }
    if (response.status === 401) {
      this.#setKind('expired');
      await this.server.renewed(token);
      return false;
    }
    if (response.status === 409) return this.#ask(entry, reply);
    const {message, reason} = await refusalOf(response);
    if (response.status === 403 && WRONG_TOKEN.includes(reason)) {
      // Nothing is wrong with the stroke: the page has another project open, or only looks.
      this.parkedUnder.set(entry.tile, token);
      return true;
    }
    this.#drop(entry);
    this.#tell((listener) => listener.onRefused(entry, message, reason));
    return true;
  }

  #failed(entry) {
    entry.failures = (entry.failures ?? 0) + 1;
    if (entry.failures === STUCK_AFTER) this.#tell((listener) => listener.onStuck(entry));
  }

  /* The stroke that holds up the others because the server fails on it, or null. */
  get stuck() {
    const next = this.#next();
    return next?.failures >= STUCK_AFTER ? next : null;
  }

  /* Take a stroke out of the queue, for whoever has kept it elsewhere; the others go on. */
  setAside(entry) {
    this.#drop(entry);
    this.retryNow();
  }

  /* A fault in showing an answer is reported, and must not hold up the queue. */
  #tell(what) {
    try {
      if (this.listener) what(this.listener);
    } catch (error) {
      reportError(error);
    }
  }

  async #ask(entry, reply) {
    const choice = this.listener ? await this.#choice(entry, reply) : 'unasked';
    if (choice === 'unasked') {
      this.kind = 'unasked';
      return false;
    }
    if (choice === 'mine') entry.body = {...entry.body, force: true};
    if (choice !== 'theirs') {
      this.storage.put(entry);
      return false;
    }
    this.#drop(entry);
    this.#tell((listener) => listener.onRefused(entry, null, null));
    return true;
  }

  #choice(entry, reply) {
    this.#setKind('conflict');
    const closed = new Promise((resolve) => (this.closed = () => resolve('unasked')));
    return Promise.race([this.listener.onConflict(entry, reply), closed]);
  }

  #drop(entry) {
    this.entries = this.entries.filter((other) => other !== entry);
    this.storage.remove(entry);
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const keyOf = ({client_id, seq}) => `${client_id}/${seq}`;

/* The entries in IndexedDB. What is for the screen only is not stored. */
export class Storage {
  constructor(name = 'cloudbrush.outbox') {
    this.works = true;
    this.database = null;
    this.opened = openDatabase(name).then((database) => (this.database = database));
    this.opened.catch(() => (this.works = false));
  }

  all() {
    return this.#within('readonly', (entries) => entries.getAll()).then((found) => found ?? []);
  }

  put({change: _screen, wish: _too, releasedAt: _time, ...kept}) {
    return this.#within('readwrite', (entries) => entries.put(kept));
  }

  remove({client_id, seq}) {
    return this.#within('readwrite', (entries) => entries.delete([client_id, seq]));
  }

  /* Once the database is open, a request is handed to the browser before this returns, and goes on
     there should the page be lost; transactions keep the order in which they were made. Without
     storage (some private windows) the queue lives in memory, and the page warns before it is closed. */
  async #within(mode, work) {
    try {
      return await this.#request(this.database ?? (await this.opened), mode, work);
    } catch {
      this.works = false;
      return undefined;
    }
  }

  #request(database, mode, work) {
    const transaction = database.transaction('entries', mode);
    const found = promised(work(transaction.objectStore('entries')));
    transaction.commit();
    return found;
  }
}

/* Throws nothing at once, also where the browser has no database for this page. */
async function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () =>
    request.result.createObjectStore('entries', {keyPath: ['client_id', 'seq']});
  return promised(request);
}

function promised(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
