"""`python -m tests.bench NAME` runs one benchmark, `all` runs every one.

The last line of output is one JSON object: figure names to {"value", "unit", "n"}.
"""

import importlib
import json
import sys
from pathlib import Path

NAMES = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")
)


def main(arguments: list[str]) -> int:
    """Run the named benchmark; returns an exit status."""
    if len(arguments) != 1 or arguments[0] not in [*NAMES, "all"]:
        print(f"usage: python -m tests.bench [{'|'.join([*NAMES, 'all'])}]", file=sys.stderr)
        return 2
    figures: dict[str, object] = {}
    for name in NAMES if arguments[0] == "all" else arguments:
        figures |= importlib.import_module(f"tests.bench.{name}").run()
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
