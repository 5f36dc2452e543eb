/* Answers that come line by line: how far a command has come, and at last what it found or did. */

import {RefusedError, refusalOf} from '../server.js';

const RETRY_MS = [400, 1000, 2500];

/* POST and call `onProgress({done, of})` as the server goes on; a promise of the last line. A command with
   a name is sent again when the network fails: the server does it once. */
export async function askLines(server, path, body, {signal, onProgress}) {
  for (let failures = 0; ; failures++) {
    try {
      return await once(server, path, body, {signal, onProgress});
    } catch (error) {
      const lost = !(error instanceof RefusedError) || error.status >= 500;
      if (signal.aborted || !lost || failures >= RETRY_MS.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[failures]));
    }
  }
}

async function once(server, path, body, {signal, onProgress}) {
  const response = await server.stream(path, body, signal);
  if (!response.ok) throw new RefusedError(response.status, (await refusalOf(response)).message);
  let last = null;
  for await (const line of lines(response.body)) {
    if (line.error) throw new RefusedError(line.status, line.error);
    if (line.of !== undefined) onProgress(line);
    else last = line;
  }
  if (last === null) throw new Error('The answer ended early.');
  return last;
}

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ; ) {
    const {value, done} = await reader.read();
    const parts = (rest + (value ?? '')).split('\n');
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
    if (done) return;
  }
}
