"""How large the networks of the table are, as counted by `models.zoo.page`. Needs no torch."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from models.zoo import NETWORKS

SIZES_FILE = Path(__file__).with_name("sizes.json")


@cache
def sizes() -> dict[str, tuple[int, int]]:
    """Return the numbers of parameters of each network: with default options, and the smallest."""
    return {name: (all_, few) for name, (all_, few) in json.loads(SIZES_FILE.read_text()).items()}


def size_of(name: str, options: Mapping[str, Any]) -> int | None:
    """Return the number of parameters of a network with these options; None where not counted."""
    entry, known = NETWORKS[name], sizes().get(name)
    if known is None:
        return None
    asked = sized(entry.settle(name, options))
    for count, variant in zip(known, ({}, entry.smallest), strict=True):
        if asked == sized(entry.settle(name, variant)):
            return count
    return None


def sized(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that make a network larger or smaller: all but switches."""
    return {key: value for key, value in options.items() if not isinstance(value, bool)}


def in_words(count: int) -> str:
    """Return a number of parameters in short: 31.0 M, 487 k."""
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count / 1e3:.0f} k"
