"""Write docs/models.md and sizes.json from the table of networks: `python -m models.zoo.page`.

Numbers of parameters are counted on torch's meta device, which gives no memory to weights.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

from models.networks import build
from models.zoo import NETWORKS, Entry
from models.zoo.sizes import SIZES_FILE, in_words

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
CLASSES = 8
INPUTS = {"optical": 3, "sar": 1}
"""What parameters are counted for where a network takes any bands."""

_HEAD = """# Networks

One row per network of the table in `models/zoo`; this page is written from it by
`python -m models.zoo.page`, and a test holds the two together. Every network takes bands by
input and gives one value per class and pixel, at any height and width: what is missing to a
multiple of its coarsest stride is padded and cut off again. Each carries the mean and the spread
of its inputs. The smallest variant of each overfits four demo tiles to a mean IoU of 0.9
(`tests/models/test_overfit.py`).

Parameters are counted with {inputs} and {classes} classes, or with the inputs that a network is
bound to.

| name | network | for | inputs | parameters | smallest | source |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the page in Markdown."""
    inputs = " and ".join(f"{n} band{'s' if n > 1 else ''} of {name}" for name, n in INPUTS.items())
    rows = "".join(_row(name, entry) for name, entry in NETWORKS.items())
    parts = "".join(_part(name, entry) for name, entry in NETWORKS.items())
    return _HEAD.format(inputs=inputs, classes=CLASSES) + rows + parts


def parameters(name: str, options: Mapping[str, Any] | None = None) -> int:
    """Return the number of parameters that a network learns or carries, without building them."""
    return _counted(name, tuple(sorted((options or {}).items())))


@cache
def _counted(name: str, options: tuple[tuple[str, Any], ...]) -> int:
    try:
        with torch.device("meta"):
            network = build(name, INPUTS, CLASSES, dict(options))
    except RuntimeError:  # SegFormer's encoder reads a number from a tensor as it is built
        network = build(name, INPUTS, CLASSES, dict(options))
    return sum(parameter.numel() for parameter in network.parameters())


def _row(name: str, entry: Entry) -> str:
    inputs = " and ".join(entry.modalities) or "any"
    cells = (
        f"[`{name}`](#{name})",
        entry.title,
        ", ".join(entry.tasks),
        inputs,
        in_words(parameters(name)),
        in_words(parameters(name, entry.smallest)),
        entry.source,
    )
    return f"| {' | '.join(cells)} |\n"


def _part(name: str, entry: Entry) -> str:
    lines = [
        f"\n## {name}\n\n{entry.title}.\n",
        f"- Published: {entry.published}",
        f"- Our choice: {entry.ours}",
        f"- Licence of the source's code: {entry.licence}",
    ]
    if entry.options:
        lines.append("\n| option | default | accepts | smallest | |\n|---|---|---|---|---|")
        for key, option in entry.options.items():
            small = _shown(entry.smallest.get(key, option.default))
            lines.append(
                f"| `{key}` | {_shown(option.default)} | {option.expected} | {small} "
                f"| {option.help} |"
            )
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:  # noqa: ANN401  # any option
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def sizes() -> str:
    """Return the numbers of parameters, default and smallest, as JSON for pages without torch."""
    found = {n: [parameters(n), parameters(n, e.smallest)] for n, e in NETWORKS.items()}
    return json.dumps(found, indent=1) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
    SIZES_FILE.write_text(sizes())
