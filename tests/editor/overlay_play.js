/* A server and a tab in one function. Others paint, the tab paints and undoes, answers come late; the tab
takes edits up in batches. Returns whether both hold the same labels at the end. Called by
test_overlay.py. */
({Labels}, {Overlay, exchange, isShown}, {encodeRuns, runsFrom}, seed) => {
  const side = 24;
  let state = seed;
  const random = (n) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
  const make = () => {
    const labels = new Labels(side, side);
    labels.setBlock(0, 0, {labels: new Uint8Array(side * side).fill(1),
      provenance: new Uint8Array(side * side)});
    return labels;
  };
  const server = make(), screen = make(), overlay = new Overlay(screen);
  const log = [], queue = [], done = [];
  let version = 0, seq = 0, shown = 0;
  const base64 = (bytes) => Buffer.from(bytes).toString('base64');
  const pixelsOf = (data) => ({runs: runsFrom(encodeRuns(data), data.length), pixels: count(data)});
  const count = (data) => data.filter(Boolean).length;
  const append = (client_id, number, box, data, code, behind) => {
    const values = [], provenance = [];
    const changed = data.map((bit, i) => {
      const at = server.at(box.y0 + Math.floor(i / box.w), box.x0 + (i % box.w));
      const next = typeof code === 'number' ? code : code[i];
      const source = typeof behind === 'number' ? behind : behind[i];
      if (!bit || (at.label === next && (typeof code === 'number' || at.provenance === source))) return 0;
      values.push(next);
      provenance.push(source);
      return 1;
    });
    const edit = {version: log.length + 1, client_id, seq: number, box: [box.y0, box.x0, box.h, box.w],
      mask: encodeRuns(changed), values: base64(values), provenance: base64(provenance)};
    server.write({...box, ...pixelsOf(changed), labels: values, provenance});
    log.push(edit);
    return edit;
  };
  const shape = () => {
    const h = 1 + random(8), w = 1 + random(8), y0 = random(side - h), x0 = random(side - w);
    return [{y0, x0, h, w}, Uint8Array.from({length: h * w}, () => (random(3) ? 1 : 0))];
  };
  const paint = () => {
    const [box, data] = shape(), code = 1 + random(5), before = screen.window(box);
    const changed = data.map((bit, i) => (bit && before[i] !== code ? 1 : 0));
    if (!changed.includes(1)) return;
    const made = {...box, ...pixelsOf(changed)}, n = made.pixels, old = screen.read(made);
    const next = {labels: new Uint8Array(n).fill(code), provenance: new Uint8Array(n).fill(1)};
    screen.write({...made, ...next});
    const entry = {client_id: 'me', seq: ++seq, body: {tool: 'brush'}, code, data: changed,
      change: {...made, old, new: next, effect: 'class'}};
    overlay.push(entry);
    queue.push(entry);
    done.push(entry);
  };
  const undo = () => {
    const target = done.pop();
    if (!target) return;
    const change = exchange(screen, target.change, 'new', 'old', 'undo');
    const entry = {client_id: 'me', seq: ++seq, body: {tool: 'undo'}, change, target};
    overlay.push(entry);
    queue.push(entry);
  };
  const send = () => {
    const entry = queue.shift();
    if (!entry) return;
    if (!entry.target) {
      const {y0, x0, h, w} = entry.wish, box = {y0, x0, h, w};
      entry.before = {labels: server.window(box), provenance: server.window(box, 'provenance')};
      entry.edit = append('me', entry.seq, box, entry.data, entry.code, 1);
      return;
    }
    const {target} = entry, [y0, x0, h, w] = target.edit.box, box = {y0, x0, h, w};
    const after = target.after ?? null, data = new Uint8Array(h * w);
    let from = 0, bit = 0;
    for (const run of target.edit.mask) {
      for (let i = from; i < from + run; i++) {
        const at = server.at(y0 + Math.floor(i / w), x0 + (i % w));
        data[i] = bit && at.label === target.code && at.provenance === 1 ? 1 : 0;
      }
      from += run;
      bit = 1 - bit;
    }
    append('me', entry.seq, box, data, target.before.labels, target.before.provenance);
  };
  const receive = () => {
    const fresh = log.slice(version, version + 1 + random(5));
    if (!fresh.length) return;
    const first = overlay.entries[0];
    if (fresh.length === 1 && first?.seq === fresh[0].seq && fresh[0].client_id === 'me' && isShown(first.change, fresh[0])) {
      overlay.entries.shift();
      version += 1;
      shown += 1;
      return;
    }
    const names = new Set(fresh.filter(({client_id}) => client_id === 'me').map(({seq: n}) => n));
    overlay.rebase(fresh, new Set(overlay.entries.filter((entry) => names.has(entry.seq))));
    version += fresh.length;
  };
  const others = () => {
    const [box, data] = shape();
    append('other', log.length, box, data, 1 + random(5), 1);
  };
  for (let i = 0; i < 160; i++) [paint, paint, undo, send, send, receive, others][random(7)]();
  while (queue.length) send();
  while (version < log.length) receive();
  const same = Buffer.compare(Buffer.from(server.raster()), Buffer.from(screen.raster())) === 0;
  return {same, left: overlay.entries.length, edits: log.length, shown};
}
