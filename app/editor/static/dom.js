/* Making elements. Text goes in as text nodes only. */

/* An element with properties, and children that may be strings. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'data') Object.assign(element.dataset, value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/* Give a root its style sheet; a promise of its being in force, or lost. */
export function addStyle(root, url) {
  const link = h('link', {rel: 'stylesheet', href: url.href});
  const loaded = new Promise((resolve) => (link.onload = link.onerror = resolve));
  root.append(link);
  return loaded;
}

/* Hand a text to the browser as a file to keep. */
export function saveFile(name, text) {
  const link = h('a', {download: name, href: URL.createObjectURL(new Blob([text], {type: 'application/json'}))});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
