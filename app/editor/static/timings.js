/* The last durations of what must be quick, in milliseconds: read by tests/bench/editor.py. */

const KEPT = 1024;

export class Timings {
  constructor() {
    this.series = {};
  }

  add(name, ms) {
    const series = (this.series[name] ??= []);
    series.push(ms);
    if (series.length > KEPT) series.shift();
  }
}
