/* Values kept in the browser over reloads. A browser that keeps nothing, and content that cannot be
read, are no reason to fail: the editor then starts with what is usual. */

export function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? 'null');
  } catch {
    return null;
  }
}

/* Keep a value; returns whether the browser did. */
export function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
