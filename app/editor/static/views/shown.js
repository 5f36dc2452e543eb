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

/* An image brighter or darker, or with more or less contrast, in this pane and for the eye only. Without a
tone it is the image itself, so that nothing is slower. */
export function toned(image, tone) {
  return image && tone ? new Toned(image, tone) : image;
}

class Toned {
  constructor(layer, {brightness, contrast}) {
    this.layer = layer;
    this.filter = `brightness(${100 + brightness}%) contrast(${100 + contrast}%)`;
  }

  draw(context, frame) {
    context.filter = this.filter;
    this.layer.draw(context, frame);
    context.filter = 'none';
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
