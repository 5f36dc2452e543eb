/* Values kept in the browser over reloads. A browser that keeps nothing, and content that cannot be
read, are no reason to fail: the editor then starts with what is usual. `where` is TAB for what one tab
keeps for itself. */

export const TAB = 'sessionStorage';

export function read(name, where = 'localStorage') {
  try {
    return JSON.parse(globalThis[where].getItem(name) ?? 'null');
  } catch {
    return null;
  }
}

/* Keep a value; returns whether the browser did. */
export function write(name, value, where = 'localStorage') {
  try {
    globalThis[where].setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
