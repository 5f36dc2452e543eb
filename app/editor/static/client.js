/* The identity of this browser tab: an id in sessionStorage, so that a reload keeps it, and a number
that counts on. Together they name a stroke for ever, which makes sending it twice harmless. In a browser that
keeps nothing, each page is a tab of its own. */

import {TAB, read, write} from './kept.js';

const CHANNEL = 'cloudbrush.clients';
const KEY = 'cloudbrush.client';
const ANSWER_MS = 120;
let claimed = null;

/* The client of this page; a promise of {id, next(), atLeast(seq), isAlive(id)}. `atLeast` raises the
   number where storage fell behind in a crash: a number that comes twice would be a stroke that counts
   as sent. `isAlive` promises whether a tab of that name is open. */
export function client() {
  claimed ??= claim();
  return claimed;
}

async function claim() {
  const known = read(KEY, TAB), channel = otherTabs();
  // A duplicated tab copies sessionStorage; two tabs with one id would mix up their numbers.
  const taken = known !== null && (await isTaken(channel, known.id));
  const state = known === null || taken ? {id: randomId(), seq: 0} : known;
  const save = () => write(KEY, state, TAB);
  if (channel) channel.onmessage = ({data}) => {
    if (data.ask === state.id) channel.postMessage({taken: state.id});
  };
  save();
  const next = () => {
    state.seq += 1;
    save();
    return state.seq;
  };
  const atLeast = (seq) => {
    if (!(seq > state.seq)) return;
    state.seq = seq;
    save();
  };
  return {id: state.id, next, atLeast, isAlive};
}

/* The tabs of this browser; null where it keeps them apart. */
function otherTabs() {
  try {
    return new BroadcastChannel(CHANNEL);
  } catch {
    return null;
  }
}

function isAlive(id) {
  const channel = otherTabs();
  return isTaken(channel, id).finally(() => channel?.close());
}

async function isTaken(channel, id) {
  return channel !== null && new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ANSWER_MS);
    channel.onmessage = ({data}) => {
      if (data.taken !== id) return;
      clearTimeout(timer);
      resolve(true);
    };
    channel.postMessage({ask: id});
  });
}

/* 128 random bits; crypto.randomUUID exists in secure contexts only, and labs use plain http. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
