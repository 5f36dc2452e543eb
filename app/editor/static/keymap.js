/* Which key runs which command: the usual keys of the command table, and those that a person has put
in their place. `entry.keys` of the table always holds the keys of now, so that whoever shows a
key shows the right one. Pure: it is given what was kept and says what to keep. */

const REFUSED = [
  [/^[CR]$/, () => 'C and R belong to the page around the editor (clear the cache, run again), so they stay free.'],
  [/^Escape$/, () => 'Escape always cancels and closes.'],
  [/^(Shift\+)?Tab$/, () => 'Tab moves between the buttons.'],
  [/^Ctrl\+(Shift\+)?([TWNQRLJPFDOHCVXA0]|Tab|PageUp|PageDown|\+|-|=)$|^(Shift\+)?F(3|5|6|7|11|12)$/,
    (key) => `The browser keeps ${key} for itself.`],
  [/(^|\+)(Dead|Unidentified|Process|Alt|AltGraph|Meta|ContextMenu|CapsLock|NumLock|Fn)$/,
    () => 'The browser does not say which key this is.'],
];
const MODIFIER = /(^|\+)(Shift|Control|Alt|AltGraph|Meta|CapsLock|Fn)$/;
const NAME = /^(Ctrl\+)?(Shift\+)?[^\s]{1,20}$/;
const MOST_KEYS = 4;

/* Commands whose keys hold wherever one is in the editor. */
const FIXED = new Set(['cancel']);

export class Keymap {
  /* `commands` is the table; its entries get `usual`, and `keys` follow what is set here. */
  constructor(commands) {
    this.commands = commands;
    this.own = {};
    for (const entry of commands) entry.usual ??= entry.keys;
    this.#apply();
  }

  /* Take over what was kept: {id: [keys]}. What is broken, unknown or refused is left out. */
  load(kept) {
    this.own = {};
    const entries = isPlain(kept) ? Object.entries(kept) : [];
    for (const [id, keys] of entries) {
      const entry = this.commands.find((one) => one.id === id);
      if (!entry || FIXED.has(id) || !Array.isArray(keys)) continue;
      const good = keys.filter((key) => typeof key === 'string' && NAME.test(key) && !refusal(key));
      this.own[id] = [...new Set(good)].slice(0, MOST_KEYS);
    }
    this.#apply();
  }

  commandOf(key) {
    return this.byKey.get(key);
  }

  /* Whether the keys of a command differ from the usual ones. */
  isChanged({usual, keys}) {
    return usual.join() !== keys.join();
  }

  mayChange({id}) {
    return !FIXED.has(id);
  }

  /* Why a key cannot be given to a command, in words; null when it can. */
  refusal(key) {
    return refusal(key);
  }

  /* Give a command a key, in place of `instead` or beside its others; another command loses it. */
  give(entry, key, instead = null) {
    const holder = this.commandOf(key);
    if (holder && holder !== entry && this.own[holder.id])
      this.own[holder.id] = this.own[holder.id].filter((other) => other !== key);
    const keys = entry.keys.filter((other) => other !== key);
    const at = keys.indexOf(instead);
    if (at >= 0) keys[at] = key;
    else keys.push(key);
    this.own[entry.id] = keys.slice(-MOST_KEYS);
    this.#apply();
  }

  /* Take a key from a command. */
  drop(entry, key) {
    this.own[entry.id] = entry.keys.filter((other) => other !== key);
    this.#apply();
  }

  /* Give a command its usual keys again; returns the commands that lose one of them. */
  reset(entry) {
    delete this.own[entry.id];
    const losers = [];
    for (const key of entry.usual) {
      const holder = this.commandOf(key);
      if (!holder || holder === entry || !this.own[holder.id]) continue;
      this.own[holder.id] = this.own[holder.id].filter((other) => other !== key);
      losers.push(holder);
    }
    this.#apply();
    return losers;
  }

  resetAll() {
    this.own = {};
    this.#apply();
  }

  /* A person's own keys first; the usual ones where they are left. */
  #apply() {
    this.byKey = new Map();
    const take = (entry, keys) => {
      entry.keys = keys.filter((key) => !this.byKey.has(key));
      for (const key of entry.keys) this.byKey.set(key, entry);
    };
    for (const entry of this.commands) if (FIXED.has(entry.id)) take(entry, entry.usual);
    for (const entry of this.commands) if (this.own[entry.id]) take(entry, this.own[entry.id]);
    for (const entry of this.commands)
      if (!this.own[entry.id] && !FIXED.has(entry.id)) take(entry, entry.usual);
  }
}

/* Whether a key name is that of a modifier alone: more of the key is still to come. */
export const isModifier = (key) => MODIFIER.test(key);

function refusal(key) {
  const found = REFUSED.find(([pattern]) => pattern.test(key));
  return found ? found[1](key) : null;
}

function isPlain(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
