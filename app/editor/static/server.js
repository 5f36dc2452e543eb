/* The routes that the editor uses, and the token that each request carries. A token lives for
fifteen minutes; when it has run out, requests wait for a renewed one instead of failing. */

const ASK_AGAIN_MS = 8000;
// A network that swallows packets gives no error for many minutes.
const POST_LIMIT_MS = 45000, GET_LIMIT_MS = 60000;

export class Server {
  constructor(onExpired) {
    this.token = '';
    this.person = null; // the id of who the token is for
    this.onExpired = onExpired;
    this.waiting = [];
    this.asking = null;
  }

  setToken(token) {
    if (token === this.token) return;
    this.token = token;
    clearInterval(this.asking);
    this.asking = null;
    for (const resume of this.waiting.splice(0)) resume();
  }

  /* A promise of another token than `old`; asks the page until it comes, as the page may be cut off
     too. */
  renewed(old = this.token) {
    if (this.token !== old) return Promise.resolve();
    if (this.asking === null) {
      this.onExpired();
      this.asking = setInterval(() => this.onExpired(), ASK_AGAIN_MS);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /* GET that throws on failure; waits and tries once more when the token has run out. */
  async get(path, signal = AbortSignal.timeout(GET_LIMIT_MS)) {
    const response = await this.#surely(path, {signal});
    if (!response.ok) throw new RefusedError(response.status, (await refusalOf(response)).message);
    return response;
  }

  async json(path, signal) {
    return (await this.get(path, signal)).json();
  }

  /* Bytes with the version that they belong to. */
  async bytes(path, signal) {
    const response = await this.get(path, signal);
    const version = Number(response.headers.get('X-Version') ?? 0);
    return {bytes: new Uint8Array(await response.arrayBuffer()), version};
  }

  /* POST as JSON; returns the response whatever its status, throws only without network. `known` is a
     version: what others did up to it is here already. */
  post(path, body, known = 0) {
    return this.#fetch(path, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', 'X-Cloudbrush-Known': String(known)},
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(POST_LIMIT_MS),
    });
  }

  /* POST whose answer may take long and is read as it comes; `signal` hangs up. Waits for a token as GET
     does. */
  stream(path, body, signal) {
    return this.#surely(path, {method: 'POST', headers: {'Content-Type': 'application/json'},
      body: JSON.stringify(body), signal});
  }

  /* Once more, with another token, when that of now has run out. */
  async #surely(path, options) {
    const {token} = this, response = await this.#fetch(path, options);
    if (response.status !== 401) return response;
    await this.renewed(token);
    return this.#fetch(path, options);
  }

  #fetch(path, options) {
    const headers = {...options.headers, 'X-Cloudbrush-Token': this.token};
    return fetch(path, {...options, headers});
  }
}

/* The server answered, and said no. */
export class RefusedError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/* Whether the same request may pass later: the network or the server failed, or it was too much at once.
   What the server refuses it would refuse again. Takes an error or a response. */
export const mayPass = ({status}) => !(status < 500) || status === 408 || status === 429;

/* The server's words for people, or the plain status, and its one-word reason if it gave one. */
export async function refusalOf(response) {
  const plain = `The server answered ${response.status}.`;
  try {
    const {error = plain, reason = null} = await response.json();
    return {message: String(error), reason};
  } catch {
    return {message: plain, reason: null};
  }
}
