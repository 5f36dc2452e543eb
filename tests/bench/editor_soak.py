"""Whether painting gets slower over a long sitting: 2,000 random strokes on one tile."""

from statistics import fmean

from tests.bench._desk import Figures, figure, office, slow_share

SIDE = 1024
STROKES = 2000
PER_ROUND = 100
COMPARED = 100

# Strokes as a hand makes them, one after the other through the pointer's own way, each frame timed.
ROUND = """async (e, [count, seed]) => {
  let state = seed;
  const random = () => ((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648);
  const pane = e.view.panes.find(({id}) => id === 'label') ?? e.view.panes[0];
  const {width, height} = pane.element.getBoundingClientRect();
  const send = (type, x, y, buttons) => pane.element.dispatchEvent(new PointerEvent(type, {
    bubbles: true, composed: true, pointerId: 1, pointerType: 'mouse', button: 0, buttons,
    clientX: pane.element.getBoundingClientRect().left + x,
    clientY: pane.element.getBoundingClientRect().top + y}));
  pane.element.setPointerCapture = () => {};
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const frames = [];
  for (let i = 0; i < count; i++) {
    e.setDiameter([8, 16, 32, 64][i % 4]);
    e.run(`class-${1 + Math.floor(random() * 8)}`);
    let x = width * (0.2 + 0.6 * random()), y = height * (0.2 + 0.6 * random());
    send('pointerdown', x, y, 1);
    let last = await frame();
    for (let step = 0; step < 4; step++) {
      x += 40 * (random() - 0.5);
      y += 40 * (random() - 0.5);
      send('pointermove', x, y, 1);
      const now = await frame();
      frames.push(now - last);
      last = now;
    }
    send('pointerup', x, y, 0);
  }
  while (e.outbox.entries.length) await new Promise((resolve) => setTimeout(resolve, 20));
  return frames;
}"""


def run() -> Figures:
    """Return how much longer the last 100 frames take than the first 100, in percent."""
    frames: list[float] = []
    with office(SIDE) as place, place.desk() as desk:
        desk.ask(ROUND, [20, 7])  # warm
        for number in range(STROKES // PER_ROUND):
            frames += desk.ask(ROUND, [PER_ROUND, number + 1])
        saved = desk.ask("(e) => e.scene.labels.version")
    first, last = fmean(frames[:COMPARED]), fmean(frames[-COMPARED:])
    return {
        "soak_growth": figure(100 * (last / first - 1), "%", COMPARED),
        "soak_frame_slow_share": figure(slow_share(frames), "%", len(frames)),
        "soak_versions": figure(saved, "versions", STROKES),
    }
