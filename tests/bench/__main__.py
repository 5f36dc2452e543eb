"""`python -m tests.bench NAME` runs one benchmark, `all` runs every one.

The last line of output is one JSON object: figure names to {"value", "unit", "n"}. With `--record`
the figures also go to `docs/benchmarks.md`. `--budget MINUTES` is for benchmarks that go on for as
long as they may, and later go on from there: `models`.
"""

import argparse
import importlib
import inspect
import json
from pathlib import Path

from tests.bench._record import record

NAMES = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")
)


def main() -> None:
    """Run the named benchmark."""
    parser = argparse.ArgumentParser("python -m tests.bench")
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--record", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument("--budget", type=float, help="minutes, for benchmarks that go on later")
    arguments = parser.parse_args()
    figures: dict[str, object] = {}
    for name in NAMES if arguments.name == "all" else [arguments.name]:
        run = importlib.import_module(f"tests.bench.{name}").run
        takes_budget = (
            arguments.budget is not None and "budget" in inspect.signature(run).parameters
        )
        found = run(budget=arguments.budget) if takes_budget else run()
        if arguments.record:
            record(name, found)
        figures |= found
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
