"""The table of losses: what a run can minimise, in words. Needs no torch.

A run minimises a sum of *terms*, each a loss of this table with a weight and its own numbers. The
code is in `models.losses`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelFileError
from models.zoo.entry import Option


@dataclass(frozen=True)
class LossTerm:
    """One term of the sum that is minimised; `params` are those of its entry in `LOSSES`."""

    name: str = "ce"
    weight: float = 1.0
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LossEntry:
    """A loss of the table. `says` is one line for people."""

    title: str
    says: str
    source: str
    params: Mapping[str, Option] = field(default_factory=dict)


MAX_TERM_WEIGHT = 100.0

LOSSES: dict[str, LossEntry] = {
    "ce": LossEntry(
        title="Cross entropy",
        says="The plain choice: asks for a high probability of the given class at each pixel.",
        source="textbook",
    ),
}


def check_terms(terms: Sequence[LossTerm]) -> tuple[LossTerm, ...]:
    """Return the terms with every parameter filled in.

    Raises `ModelFileError` for an unknown loss or parameter, or a number out of bounds.
    """
    if not terms:
        raise ModelFileError("losses", found="none", expected="at least one term")
    return tuple(_settled(term) for term in terms)


def _settled(term: LossTerm) -> LossTerm:
    entry = LOSSES.get(term.name)
    if entry is None:
        raise ModelFileError(
            "loss", found=repr(term.name)[:40], expected=f"one of {', '.join(LOSSES)}"
        )
    if not Option(1.0, 0.0, MAX_TERM_WEIGHT).accepts(term.weight):
        raise ModelFileError(
            f"loss {term.name}, weight",
            found=repr(term.weight)[:40],
            expected=f"0 to {MAX_TERM_WEIGHT:g}",
        )
    for key, value in term.params.items():
        if key not in entry.params:
            raise ModelFileError(
                f"loss {term.name}",
                found=f"parameter {str(key)[:40]!r}",
                expected=f"of {', '.join(sorted(entry.params)) or 'none'}",
            )
        if not entry.params[key].accepts(value):
            raise ModelFileError(
                f"loss {term.name}, {key}",
                found=repr(value)[:40],
                expected=entry.params[key].expected,
            )
    whole = {key: term.params.get(key, option.default) for key, option in entry.params.items()}
    return LossTerm(term.name, float(term.weight), whole)
