/* Small layers around others: a map with what is special to one pane. */

/* A map with an opacity of its own in this pane; 0 still brings the map up to date. */
export class Faded {
  constructor(layer, opacity) {
    Object.assign(this, {layer, opacity});
  }

  /* How far around a changed pixel the drawing changes, in pixels. */
  get rim() {
    return this.layer.rim ?? 0;
  }

  draw(context, frame) {
    this.layer.opacity = this.opacity;
    this.layer.draw(context, frame);
  }
}

/* Clouds with the levels that this pane hatches. */
export class Hatched {
  constructor(layer, levels) {
    Object.assign(this, {layer, levels});
  }

  draw(context, frame) {
    this.layer.levels = this.levels;
    this.layer.draw(context, frame);
  }
}

/* "1 px down and 2.5 px left", or nothing. */
export function nudgeText({y, x}) {
  const part = (value, plus, minus) => (value ? `${Math.abs(value)} px ${value > 0 ? plus : minus}` : null);
  return [part(y, 'down', 'up'), part(x, 'right', 'left')].filter(Boolean).join(' and ');
}
