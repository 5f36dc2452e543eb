/* The bridge to Streamlit, and the only module that knows it. Streamlit calls the default export
again whenever the manifest changes; the editor is kept by its parent element, so that view, undo
and queue outlive every rerun. */

import {client} from './client.js';
import {addStyle} from './dom.js';
import {Editor} from './editor.js';
import {Outbox, Storage} from './outbox.js';
import {Server} from './server.js';

const RENEW_AFTER_MS = 8 * 60 * 1000;
const editors = new WeakMap();
let ask = () => {};
let renewal = null;

// One queue for the page: it goes on sending when the editor is closed.
const server = new Server(() => ask('renew', {}));
const outbox = new Outbox(server, new Storage(), (id) => client().then((me) => me.isAlive(id)));

export default function mount({data: manifest, parentElement, setTriggerValue}) {
  ask = (action, values) =>
    setTriggerValue('command', {action, tile: manifest.tile.id, at: Date.now(), ...values});
  server.person = manifest.person?.id ?? null;
  server.setToken(manifest.token);
  clearTimeout(renewal);
  renewal = setTimeout(() => ask('renew', {}), RENEW_AFTER_MS);
  const known = editors.get(parentElement);
  if (known) known.then((editor) => editor.open(manifest));
  else editors.set(parentElement, start(parentElement, manifest));
  return () => close(parentElement);
}

async function start(parentElement, manifest) {
  const [me] = await Promise.all([client(), addStyle(parentElement, new URL('editor.css', import.meta.url))]);
  const editor = new Editor(parentElement, {server, outbox, client: me,
    page: (action, values) => ask(action, values)});
  await outbox.open(me);
  editor.open(manifest);
  return editor;
}

function close(parentElement) {
  const known = editors.get(parentElement);
  editors.delete(parentElement);
  ask = () => {};
  clearTimeout(renewal);
  known?.then((editor) => {
    editor.destroy();
    parentElement.querySelector?.('link[rel=stylesheet]')?.remove();
  });
}
