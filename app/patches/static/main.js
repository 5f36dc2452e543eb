/* The bridge to Streamlit, and the only module here that knows it. The board is kept by its parent
element, so that cursor, undo and queue outlive every rerun. Queue, token and the tab's name are those
of the editor's modules: a stroke on a whole patch travels like any other. */

import {client} from '../editor/client.js';
import {addStyle} from '../editor/dom.js';
import {Outbox, Storage} from '../editor/outbox.js';
import {Server} from '../editor/server.js';
import {Board} from './board.js';

const RENEW_AFTER_MS = 8 * 60 * 1000;
const boards = new WeakMap();
let ask = () => {};
let renewal = null;

const server = new Server(() => ask('renew', {}));
const outbox = new Outbox(server, new Storage(), (id) => client().then((me) => me.isAlive(id)));

export default function mount({data, parentElement, setTriggerValue}) {
  ask = (action, values) => setTriggerValue('command', {action, at: Date.now(), ...values});
  server.person = data.person;
  server.setToken(data.token);
  clearTimeout(renewal);
  renewal = setTimeout(() => ask('renew', {}), RENEW_AFTER_MS);
  const known = boards.get(parentElement);
  if (known) known.then((board) => board.show(data));
  else boards.set(parentElement, start(parentElement, data));
  return () => close(parentElement);
}

async function start(parentElement, data) {
  const [me] = await Promise.all([client(), addStyle(parentElement, new URL('patches.css', import.meta.url))]);
  const board = new Board(parentElement, {outbox, client: me, page: (...what) => ask(...what)});
  board.show(data);
  await outbox.open(me);
  return board;
}

function close(parentElement) {
  const known = boards.get(parentElement);
  boards.delete(parentElement);
  ask = () => {};
  clearTimeout(renewal);
  known?.then((board) => {
    board.destroy();
    parentElement.querySelector?.('link[rel=stylesheet]')?.remove();
  });
}
