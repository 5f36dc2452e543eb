"""How large the networks of the table are, as counted by `models.zoo.page`. Needs no torch."""

import json
from functools import cache
from pathlib import Path

SIZES_FILE = Path(__file__).with_name("sizes.json")


@cache
def sizes() -> dict[str, tuple[int, int]]:
    """Return the numbers of parameters of each network: with default options, and the smallest."""
    return {name: (all_, few) for name, (all_, few) in json.loads(SIZES_FILE.read_text()).items()}


def in_words(count: int) -> str:
    """Return a number of parameters in short: 31.0 M, 487 k."""
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count / 1e3:.0f} k"
