/* A stroke that the server cannot take, as words for the person and as a file that has all of it. Pure. */

/* What to say before a stroke is set aside, with so many others waiting behind it. */
export function asideWords({failures, project}, others) {
  const behind = others === 0 ? '' : others === 1 ? ' One more waits behind it.' : ` ${others} more wait behind it.`;
  return `The server answered ${failures} times that something went wrong, most likely a fault of its own.${behind} ` +
    'Kept, the stroke is tried again until it passes. Set aside, it becomes a file among your downloads, for whoever ' +
    `looks after ${project}, and its pixels go back to what the server holds.`;
}

/* The content of that file: the request as it would have been sent, without what is for the screen. */
export function asideFile({client_id, seq, tile, project, person, path, body, at}) {
  const note = 'A stroke of Cloudbrush that was set aside because the server failed on it. Post `body` to `path` to apply it.';
  return JSON.stringify({note, project, tile, person, painted_at: new Date(at).toISOString(), client_id, seq, path, body}, null, 1);
}
