/* Strokes on their way to the server: a serial queue with one POST in flight. Each entry is kept in
IndexedDB until the server has acknowledged it, so a reload, a crash or a night offline loses none.

A stroke for a project that the token of now does not cover is parked: it is kept, the others go on
past it, and it is sent once the page has another token.

States: saved (nothing waits but what is parked), saving, offline (no network or a server error; tried again by
itself), expired (waits for a renewed token), conflict (waits for the person's choice). */

import {refusalOf} from './server.js';

const BACKOFF_MS = [400, 800, 1500, 3000, 5000, 10000];
const ORPHAN_MS = 120000;
const WRONG_TOKEN = ['project', 'purpose'];

export class Outbox {
  /* `listener` gets onState(), onSaved(entry, reply), onRefused(entry, message, reason) and
     onConflict(entry, reply), the last of which returns a promise of "mine" or "theirs". It may be
     null while no editor is open: then answers only empty the queue, and conflicts wait. */
  constructor(server, storage) {
    this.server = server;
    this.storage = storage;
    this.entries = [];
    this.kind = 'saved';
    this.listener = null;
    this.running = false;
    this.parkedUnder = new Map();
    this.wake = () => {};
    addEventListener('online', () => this.wake());
  }

  /* Take up what an earlier page of this tab left, and what tabs closed long ago left. */
  async open(clientId) {
    const left = await this.storage.all();
    const known = new Set(this.entries.map(keyOf));
    const now = Date.now();
    const mine = left.filter(
      (entry) => entry.client_id === clientId || now - entry.at > ORPHAN_MS,
    );
    const found = mine.filter((entry) => !known.has(keyOf(entry)));
    this.entries = [...found, ...this.entries].sort((a, b) => a.at - b.at || a.seq - b.seq);
    this.#run();
  }

  /* Queue a request of this client. `body` is complete but for the names of client and stroke. */
  add({client_id, seq, tile, project, path, body, change = null}) {
    const entry = {client_id, seq, tile, project, path, body, at: Date.now(), change};
    this.entries.push(entry);
    // The request leaves first: writing to the browser's disk must not delay it.
    this.#run();
    this.storage.put(entry);
    return entry;
  }

  /* Entries of a tile that the server has not acknowledged, oldest first. */
  waiting(tile) {
    return this.entries.filter((entry) => entry.tile === tile);
  }

  /* Entries that the token of now does not cover: {tile, project, ...}. */
  parked() {
    return this.entries.filter(({tile}) => this.#isParked(tile));
  }

  /* A whole tile waits, so that its strokes keep their order; another token is another try. */
  #isParked(tile) {
    return this.parkedUnder.get(tile) === this.server.token;
  }

  #next() {
    return this.entries.find(({tile}) => !this.#isParked(tile));
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
    this.running = false;
    if (!this.#next()) this.#setKind('saved');
  }

  /* One attempt; returns whether the queue can go on with the next entry. */
  async #send(entry) {
    const {token} = this.server;
    let response;
    try {
      response = await this.server.post(entry.path, entry.body);
    } catch {
      this.#setKind('offline');
      return false;
    }
    if (response.ok) {
      const reply = await response.json();
      this.#drop(entry);
      this.listener?.onSaved(entry, reply);
      return true;
    }
    if (response.status >= 500 || response.status === 429) {
      this.#setKind('offline');
      return false;
    }
    if (response.status === 401) {
      this.#setKind('expired');
      await this.server.renewed();
      return false;
    }
    if (response.status === 409) return this.#ask(entry, await response.json());
    const {message, reason} = await refusalOf(response);
    if (response.status === 403 && WRONG_TOKEN.includes(reason)) {
      // Nothing is wrong with the stroke: the page has another project open, or only looks.
      this.parkedUnder.set(entry.tile, token);
      return true;
    }
    this.#drop(entry);
    this.listener?.onRefused(entry, message, reason);
    return true;
  }

  async #ask(entry, reply) {
    if (!this.listener) {
      this.kind = 'unasked';
      return false;
    }
    this.#setKind('conflict');
    const choice = await this.listener.onConflict(entry, reply);
    if (choice === 'mine') {
      entry.body = {...entry.body, force: true};
      this.storage.put(entry);
      return false;
    }
    this.#drop(entry);
    this.listener?.onRefused(entry, null, null);
    return true;
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

/* The entries in IndexedDB. `change` holds pixels for the screen only and is not stored. */
export class Storage {
  constructor(name = 'cloudbrush.outbox') {
    this.opened = openDatabase(name);
    this.last = this.opened;
    this.works = true;
  }

  all() {
    return this.#within('readonly', (entries) => entries.getAll()).then((found) => found ?? []);
  }

  put(entry) {
    const {change: _screenOnly, ...kept} = entry;
    return this.#within('readwrite', (entries) => entries.put(kept));
  }

  remove({client_id, seq}) {
    return this.#within('readwrite', (entries) => entries.delete([client_id, seq]));
  }

  /* Requests run in the order asked for. Without storage (some private windows) the queue lives in
     memory, and the page warns before it is closed. */
  #within(mode, work) {
    const step = async () => {
      const database = await this.opened;
      const entries = database.transaction('entries', mode).objectStore('entries');
      return promised(work(entries));
    };
    this.last = this.last.then(step, step).catch(() => {
      this.works = false;
    });
    return this.last;
  }
}

function openDatabase(name) {
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
