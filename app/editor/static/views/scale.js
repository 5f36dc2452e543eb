/* Scale bar and north, from the size of a pixel on the ground. Pure. */

const WIDEST_PX = 120;

/* The bar for a scale in screen pixels per tile pixel: {length (screen pixels), text}, the longest of
   1, 2, 5, 10, ... metres that is not wider than `widest`; null without a size. */
export function scaleBar(ground, scale, widest = WIDEST_PX) {
  if (!ground || !(scale > 0)) return null;
  const metresPerPx = ground.width / scale, most = widest * metresPerPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = [5, 2, 1].map((step) => step * power).find((length) => length <= most * (1 + 1e-9)) ?? power;
  return {length: metres / metresPerPx, metres, text: distance(metres)};
}

function distance(metres) {
  const short = (value) => String(Number(value.toPrecision(2)));
  if (metres >= 1000) return `${short(metres / 1000)} km`;
  if (metres >= 1) return `${short(metres)} m`;
  return `${short(metres * 100)} cm`;
}
