"""Python and the browser agree to the pixel on stamps, lines, fills and run lengths."""

import json
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from app.editor.mount import STATIC
from tests.editor.raster_reference import CASES, make_cases

CASES_NOW = json.loads(CASES.read_text())

RUN = """async ([source, cases]) => {
  const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
  const r = await import(url);
  const [height, width] = cases.shape;
  const whole = (mask, h, w) => {
    const out = new Uint8Array(h * w);
    if (mask) for (let y = 0; y < mask.h; y++) for (let x = 0; x < mask.w; x++)
      out[(mask.y0 + y) * w + mask.x0 + x] = mask.data[y * mask.w + x];
    return r.encodeRuns(out);
  };
  const origin = (at, d) => r.stampOrigin(at[0], at[1], d);
  return {
    stamps: cases.stamps.map(({diameter: d}) => whole(r.lineMask([0, 0], [0, 0], d, d, d), d, d)),
    lines: cases.lines.map(({start, end, diameter: d}) =>
      whole(r.lineMask(origin(start, d), origin(end, d), d, height, width), height, width)),
    fills: cases.fills.map(({values, seed}) => {
      const h = values.length, w = values[0].length;
      return whole(r.floodFill(Uint8Array.from(values.flat()), h, w, ...seed), h, w);
    }),
    runs: cases.runs.map(({bits}) => r.encodeRuns(Uint8Array.from(bits))),
    decoded: cases.runs.map(({bits, runs}) => Array.from(r.decodeRuns(runs, bits.length))),
    trimmed: cases.fills.map(({values}) => {
      const h = values.length, w = values[0].length;
      const data = Uint8Array.from(values.flat()).map((v) => (v === 1 ? 1 : 0));
      return whole(r.trim({y0: 0, x0: 0, h, w, data}), h, w);
    }),
  };
}"""


@pytest.fixture(scope="module")
def answers(browser: Browser) -> Any:
    page = browser.new_page()
    found = page.evaluate(RUN, [(STATIC / "raster.js").read_text(), CASES_NOW])
    page.close()
    return found


def test_stored_cases_are_what_the_reference_makes() -> None:
    assert json.loads(json.dumps(make_cases())) == CASES_NOW


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["stamps", "lines", "fills", "runs"])
def test_browser_gives_the_same_pixels(answers: Any, kind: str) -> None:
    assert answers[kind] == [case["runs"] for case in CASES_NOW[kind]]


@pytest.mark.browser
def test_runs_are_decoded_to_the_bits_they_came_from(answers: Any) -> None:
    assert answers["decoded"] == [case["bits"] for case in CASES_NOW["runs"]]


@pytest.mark.browser
def test_trimming_a_mask_keeps_its_pixels(answers: Any) -> None:
    for case, runs in zip(CASES_NOW["fills"], answers["trimmed"], strict=True):
        assert sum(runs[1::2]) == int((np.array(case["values"]) == 1).sum())
