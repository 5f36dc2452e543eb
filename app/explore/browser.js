// Map left, tiles right, one component so that hovering one marks the other without a rerun.
// Names come from the database and go in as text, never as HTML.
const views = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = build(parentElement);
    views.set(parentElement, view);
  }
  view.open = (tile) => setTriggerValue("open", { tile });
  draw(view, data);
}

function build(parent) {
  const root = element("div", "explore");
  const frame = element("iframe", "map");
  frame.title = "Overview map";
  const list = element("div", "tiles");
  frame.addEventListener("load", () => lendFonts(frame.contentDocument));
  root.append(frame, list);
  parent.append(root);
  const view = { frame, list, html: null, cards: new Map(), open: () => {} };
  window.addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || !event.data) return;
    if (event.data.cloudbrush === "open") view.open(event.data.tile);
    if (event.data.cloudbrush === "hover") markCard(view, event.data.tile);
  });
  return view;
}

// The frame is a document of its own and knows none of the page's fonts.
function lendFonts(inner) {
  const style = inner.createElement("style");
  style.textContent = [...document.styleSheets].flatMap(fontFaces).join("\n");
  inner.head.append(style);
}

function fontFaces(sheet) {
  let rules = [];
  try { rules = [...sheet.cssRules]; } catch { /* a sheet that may not be read */ }
  const base = sheet.href || document.baseURI;
  return rules
    .filter((rule) => rule instanceof CSSFontFaceRule && /Source Sans/.test(rule.cssText))
    .map((rule) => rule.cssText.replace(
      /url\("?([^")]+)"?\)/g, (_, path) => `url("${new URL(path, base)}")`));
}

function draw(view, data) {
  view.frame.style.height = view.list.style.height = `${data.height}px`;
  if (view.html !== data.html) {
    view.html = data.html;
    view.frame.srcdoc = data.html;
  }
  view.cards.clear();
  view.list.replaceChildren(...data.tiles.map((tile) => card(view, tile)));
}

function card(view, tile) {
  const link = element("a", `card ${tile.state}`);
  link.href = tile.href;
  link.title = tile.title;
  const image = element("img");
  image.loading = "lazy";
  image.alt = "";
  image.src = tile.image;
  image.onerror = () => { image.replaceWith(element("span", "missing", "no picture")); };
  const top = element("span", "name", tile.name);
  const line = element("span", "line", tile.line);
  link.append(image, top, line);
  if (tile.badge) link.append(element("span", "badge", tile.badge));
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    view.open(tile.id);
  };
  link.onmouseenter = link.onfocus = () => tellMap(view, tile.id);
  link.onmouseleave = link.onblur = () => tellMap(view, null);
  view.cards.set(tile.id, link);
  return link;
}

function tellMap(view, tile) {
  view.frame.contentWindow?.postMessage({ cloudbrush: "mark", tile }, window.origin);
}

function markCard(view, tile) {
  for (const [id, link] of view.cards) link.classList.toggle("marked", id === tile);
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
