// The overview map inside its frame: footprints, region names, legend and a swipe of two layers.
// `map` is Leaflet's, made by folium; `data` comes from app/map.py. Talks to the tile browser
// around the frame by messages.
function cloudbrushOverview(map, data) {
  const HOVER_WEIGHT = 4, SMALL_PX = 9, IMAGE_MIN_PX = 14;
  const tell = (what, tile) => window.parent.postMessage({ cloudbrush: what, tile }, self.origin);
  const shapes = new Map();
  const all = L.latLngBounds([]);

  // An image on any quadrilateral that is nearly a parallelogram: upper left, upper right, lower
  // right, lower left. Leaflet's own overlay would lose the rotation of UTM tiles.
  const QuadImage = L.Layer.extend({
    initialize(url, corners, options) {
      this._url = url;
      this._corners = corners;
      L.setOptions(this, options);
    },
    onAdd() {
      this._image = L.DomUtil.create("img", "quad", this.getPane());
      this._image.alt = "";
      this._image.src = this._url;
      this._place();
    },
    onRemove() { this._image.remove(); },
    getEvents() { return { viewreset: this._place, zoom: this._place }; },
    _place() {
      const [a, b, , d] = this._corners.map((corner) => this._map.latLngToLayerPoint(corner));
      const side = 256;
      const part = [(b.x - a.x) / side, (b.y - a.y) / side, (d.x - a.x) / side, (d.y - a.y) / side];
      this._image.style.transform = `matrix(${part.join(",")},${a.x},${a.y})`;
    },
  });

  function drawFootprints() {
    for (const tile of data.tiles) {
      const shape = L.polygon(tile.corners, {
        color: data.ink, weight: 1, dashArray: tile.dashed ? "4 3" : null,
        fillColor: tile.colour, fillOpacity: data.swipe ? 0 : 0.9,
      });
      const words = document.createElement("span");
      words.textContent = `${tile.name} · ${tile.value}`;
      shape.bindTooltip(words, { sticky: true });
      shape.on("click", () => tell("open", tile.id));
      shape.on("mouseover", () => { mark(tile.id, true); tell("hover", tile.id); });
      shape.on("mouseout", () => { mark(tile.id, false); tell("hover", null); });
      shape.addTo(map);
      shapes.set(tile.id, shape);
      all.extend(shape.getBounds());
    }
  }

  function mark(id, on) {
    const shape = shapes.get(id);
    if (!shape) return;
    shape.setStyle({ weight: on ? HOVER_WEIGHT : 1, color: on ? data.accent : data.ink });
    if (on) shape.bringToFront();
  }

  // Far out, a tile is a speck: each region then shows as a dot that zooms in, and regions far
  // apart get a button each.
  function drawRegions() {
    const bounds = new Map();
    for (const tile of data.tiles) {
      const found = bounds.get(tile.region) || L.latLngBounds([]);
      bounds.set(tile.region, found.extend(shapes.get(tile.id).getBounds()));
    }
    const dots = L.layerGroup();
    for (const [region, box] of bounds) {
      const words = document.createElement("span");
      words.textContent = region;
      const at = L.latLng(box.getNorth(), box.getCenter().lng);
      L.tooltip({ permanent: true, direction: "top", className: "region", interactive: false })
        .setLatLng(at).setContent(words).addTo(map);
      const dot = L.circleMarker(box.getCenter(), {
        radius: 9, weight: 2, color: "#fff", fillColor: data.accent, fillOpacity: 1,
      });
      dot.on("click", () => show(box));
      dots.addLayer(dot);
    }
    map.on("zoomend", () => {
      const small = tilePixels(data.tiles[0]) < SMALL_PX && bounds.size > 1;
      if (small) dots.addTo(map); else dots.remove();
    });
    show(all);
    if (bounds.size > 1 && tilePixels(data.tiles[0]) < SMALL_PX) {
      addRegionButtons(bounds);
      show(bounds.values().next().value);
    }
  }

  function show(box) { map.fitBounds(box, { padding: [28, 28] }); }

  function addRegionButtons(bounds) {
    const control = L.control({ position: "topright" });
    control.onAdd = () => {
      const bar = L.DomUtil.create("div", "regions");
      L.DomEvent.disableClickPropagation(bar);
      for (const [name, box] of [...bounds, ["all", all]]) {
        const button = L.DomUtil.create("button", "", bar);
        button.textContent = name;
        button.onclick = () => show(box);
      }
      return bar;
    };
    control.addTo(map);
  }

  function tilePixels(tile) {
    const [a, , c] = tile.corners.map((corner) => map.latLngToLayerPoint(corner));
    return Math.max(Math.abs(a.x - c.x), Math.abs(a.y - c.y));
  }

  function drawLegend() {
    const legend = L.control({ position: "bottomright" });
    legend.onAdd = () => {
      const box = L.DomUtil.create("div", "legend");
      L.DomUtil.create("b", "", box).textContent = data.legend.title;
      for (const item of data.legend.items) {
        const line = L.DomUtil.create("div", "", box);
        const swatch = L.DomUtil.create("i", item.dashed ? "dashed" : "", line);
        swatch.style.background = item.colour;
        L.DomUtil.create("span", "", line).textContent = item.text;
      }
      return box;
    };
    legend.addTo(map);
  }

  function startSwipe(swipe) {
    const sides = swipe.map((side, index) => {
      const pane = map.createPane(`swipe${index}`);
      pane.style.zIndex = 350;
      return { ...side, pane, shown: new Map() };
    });
    const divider = L.DomUtil.create("div", "divider", map.getContainer());
    divider.tabIndex = 0;
    divider.setAttribute("role", "slider");
    divider.setAttribute("aria-label", `${swipe[0].title} left, ${swipe[1].title} right`);
    for (const side of swipe) L.DomUtil.create("span", "", divider).textContent = side.title;
    let share = 0.5;
    const clip = () => {
      const size = map.getSize();
      const a = map.containerPointToLayerPoint([0, 0]), b = map.containerPointToLayerPoint(size);
      const x = a.x + size.x * share;
      const cut = (left, right) =>
        `polygon(${left}px ${a.y}px, ${right}px ${a.y}px, ${right}px ${b.y}px, ${left}px ${b.y}px)`;
      sides[0].pane.style.clipPath = cut(a.x, x);
      sides[1].pane.style.clipPath = cut(x, b.x);
      divider.style.left = `${share * 100}%`;
      divider.setAttribute("aria-valuenow", Math.round(share * 100));
    };
    const load = () => {
      const seen = map.getBounds().pad(0.2);
      for (const tile of data.tiles) {
        const near = seen.intersects(shapes.get(tile.id).getBounds());
        if (!near || tilePixels(tile) < IMAGE_MIN_PX) continue;
        sides.forEach((side, index) => {
          if (!tile.images[index] || side.shown.has(tile.id)) return;
          const image = new QuadImage(tile.images[index], tile.corners, { pane: `swipe${index}` });
          side.shown.set(tile.id, image.addTo(map));
        });
      }
    };
    const moveTo = (value) => { share = Math.min(1, Math.max(0, value)); clip(); };
    L.DomEvent.disableClickPropagation(divider);
    divider.addEventListener("pointerdown", (event) => {
      divider.setPointerCapture(event.pointerId);
      const box = map.getContainer().getBoundingClientRect();
      divider.onpointermove = (move) => moveTo((move.clientX - box.left) / box.width);
    });
    divider.addEventListener("pointerup", () => { divider.onpointermove = null; });
    divider.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.05, ArrowRight: 0.05 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      moveTo(share + step);
    });
    map.on("move zoom viewreset resize", clip);
    map.on("moveend", load);
    clip();
    load();
  }

  // Leaflet takes the focus when it is pressed. The page around the frame must not scroll then: the
  // mouse would come up over another tile, and the click be lost.
  const box = map.getContainer(), focus = box.focus.bind(box);
  box.focus = () => focus({ preventScroll: true });
  if (!data.tiles.length) return;
  drawFootprints();
  drawRegions();
  if (data.legend.items.length) drawLegend();
  if (!data.notice) L.control.scale({ imperial: false }).addTo(map);
  if (data.swipe) startSwipe(data.swipe);
  if (data.notice) {
    const notice = L.DomUtil.create("div", "notice", map.getContainer());
    notice.textContent = data.notice;
  }
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || !event.data || event.data.cloudbrush !== "mark") return;
    for (const id of shapes.keys()) mark(id, id === event.data.tile);
  });
}
