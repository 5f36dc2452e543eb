"""Calls of the editor's pixel geometry from Python: under Node, or in Chromium where there is none.

A call is {"fn": name, "args": [...]}. A NumPy array travels as {"kind": "Uint8Array", "data": []}
and comes back as a plain list; a mask comes back as {"y0", "x0", "h", "w", "runs"}.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser

from app.routes.assets import FOLDERS

KINDS = {"uint8": "Uint8Array", "uint16": "Uint16Array"}
Mask = npt.NDArray[np.bool_]

CALLS = """(r, calls) => {
  const kinds = {Uint8Array, Uint16Array};
  const read = (v) => v?.runs ? {...v, data: r.decodeRuns(v.runs, v.h * v.w)}
    : v?.kind ? kinds[v.kind].from(v.data) : v;
  const tell = (v) => v?.data ? {y0: v.y0, x0: v.x0, h: v.h, w: v.w, runs: r.encodeRuns(v.data)}
    : ArrayBuffer.isView(v) ? Array.from(v) : v;
  return calls.map(({fn, args}) => tell(r[fn](...args.map(read))));
}"""

UNDER_NODE = f"""
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const {{source, calls}} = JSON.parse(Buffer.concat(chunks).toString());
const r = await import('data:text/javascript;base64,' + Buffer.from(source).toString('base64'));
process.stdout.write(JSON.stringify(({CALLS})(r, calls)));
"""

IN_CHROMIUM = f"""async ([source, calls]) => {{
  const url = URL.createObjectURL(new Blob([source], {{type: 'text/javascript'}}));
  return ({CALLS})(await import(url), calls);
}}"""


def array(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Return a NumPy array as an argument."""
    return {"kind": KINDS[values.dtype.name], "data": values.ravel().tolist()}


def call_all(
    calls: Sequence[dict[str, Any]], browser: Browser | None, module: str = "raster.js"
) -> list[Any]:
    """Return what each call gives; `browser` is used where Node is not installed."""
    # These modules stand alone, so that one source can hold them.
    names = dict.fromkeys(("raster.js", "runs.js", module))
    sources = [(FOLDERS["editor"] / name).read_text() for name in names]
    source = "\n".join(sources)
    node = shutil.which("node")
    if node is None:
        assert browser is not None, "neither Node nor Chromium"
        page = browser.new_page()
        found: list[Any] = page.evaluate(IN_CHROMIUM, [source, list(calls)])
        page.close()
        return found
    done = subprocess.run(
        [node, "--input-type=module", "-e", UNDER_NODE],
        input=json.dumps({"source": source, "calls": list(calls)}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def whole(mask: dict[str, Any] | None, shape: tuple[int, int]) -> Mask:
    """Return a mask that came back as bool [h, w] of the raster; it must lie inside."""
    out = np.zeros(shape, np.bool_)
    if mask is None:
        return out
    y0, x0, h, w = (mask[name] for name in ("y0", "x0", "h", "w"))
    assert y0 >= 0 and x0 >= 0 and y0 + h <= shape[0] and x0 + w <= shape[1]
    bits = np.repeat(np.arange(len(mask["runs"])) % 2 == 1, mask["runs"]).reshape(h, w)
    out[y0 : y0 + h, x0 : x0 + w] = bits
    return out


def is_trimmed(mask: dict[str, Any] | None) -> bool:
    """Return whether a mask lies in the smallest box; no mask counts as trimmed."""
    if mask is None:
        return True
    bits = whole({**mask, "y0": 0, "x0": 0}, (mask["h"], mask["w"]))
    return bool(bits[0].any() and bits[-1].any() and bits[:, 0].any() and bits[:, -1].any())
