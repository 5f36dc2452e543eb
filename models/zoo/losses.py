"""The table of losses: what a run can minimise, in words. Needs no torch.

A run minimises a sum of *terms*, each a loss of this table with a weight and its own numbers. The
code is in `models.losses`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelFileError
from models.zoo.entry import Option, settle


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


MAX_WEIGHT = 100.0

LOSSES: dict[str, LossEntry] = {
    "ce": LossEntry(
        title="Cross entropy",
        says="The plain choice: asks for a high probability of the given class at each pixel.",
        source="textbook",
        params={"smoothing": Option(0.0, 0.0, 0.5, help="Share of the label spread over all")},
    ),
    "lovasz": LossEntry(
        title="Lovász-softmax",
        says="Follows IoU directly: small classes count as much as large ones.",
        source="Berman et al. 2018, arXiv 1705.08790; classes present in the batch",
    ),
    "dice": LossEntry(
        title="Dice",
        says="Asks for overlap per class; small classes count as much as large ones.",
        source="Milletari et al. 2016, arXiv 1606.04797; classes present in the batch",
    ),
    "focal": LossEntry(
        title="Focal",
        says="Cross entropy that looks mostly at pixels which are still wrong. Trusts the labels.",
        source="Lin et al. 2017, arXiv 1708.02002",
        params={"gamma": Option(2.0, 0.0, 10.0, help="0 is cross entropy")},
    ),
    "annealed_focal": LossEntry(
        title="Annealed focal",
        says="Starts as cross entropy and turns into focal: for few objects on much background.",
        source="Zheng et al. 2020 (FarSeg), arXiv 2011.09766",
        params={
            "gamma": Option(2.0, 0.0, 10.0, help="0 is cross entropy"),
            "steps": Option(10_000, 1, 10_000_000, help="Steps until it is focal"),
        },
    ),
    "symmetric_ce": LossEntry(
        title="Symmetric cross entropy",
        says="Adds a term with a ceiling, so that wrong labels pull less. For noisy labels.",
        source="Wang et al. 2019, arXiv 1908.06112; the published formula",
        params={
            "alpha": Option(1.0, 0.0, 100.0, help="Times cross entropy"),
            "beta": Option(2.0, 0.0, 100.0, help="Times reverse cross entropy"),
            "log_zero": Option(-9.210340371976182, -20.0, -1.0, help="Stands for ln 0"),
        },
    ),
    "generalised_ce": LossEntry(
        title="Generalised cross entropy",
        says="Between cross entropy (q near 0) and mean error (q 1): wrong labels pull less.",
        source="Zhang and Sabuncu 2018, arXiv 1805.07836",
        params={"q": Option(0.7, 0.01, 1.0, help="Higher is less moved by wrong labels")},
    ),
    "bootstrap_soft": LossEntry(
        title="Bootstrapped, soft",
        says="The label is mixed with what the network believes, probability by probability.",
        source="Reed et al. 2014, arXiv 1412.6596",
        params={"beta": Option(0.95, 0.0, 1.0, help="Share of the given label")},
    ),
    "bootstrap_hard": LossEntry(
        title="Bootstrapped, hard",
        says="The label is mixed with the class that the network finds likeliest.",
        source="Reed et al. 2014, arXiv 1412.6596",
        params={"beta": Option(0.8, 0.0, 1.0, help="Share of the given label")},
    ),
}


def check_terms(terms: Sequence[LossTerm]) -> tuple[LossTerm, ...]:
    """Return the terms with every parameter filled in.

    Raises `ModelFileError` for an unknown loss or parameter, or a number out of bounds.
    """
    if not terms:
        raise ModelFileError("losses", found="none", expected="at least one term")
    return tuple(_settled(term) for term in terms)


def terms_of(values: Sequence[Mapping[str, Any]]) -> tuple[LossTerm, ...]:
    """Return the terms that plain dictionaries of a payload or a card describe, checked.

    Raises `ModelFileError` for anything else.
    """
    known = {"name", "weight", "params"}
    for value in values:
        if not isinstance(value, Mapping) or not set(value) <= known or "name" not in value:
            raise ModelFileError(
                "losses", found=repr(value)[:80], expected="name, weight and params of each term"
            )
        if not isinstance(value.get("params", {}), Mapping):
            raise ModelFileError(
                "losses, params", found=repr(value["params"])[:80], expected="numbers by name"
            )
    return check_terms([LossTerm(**value) for value in values])


def _settled(term: LossTerm) -> LossTerm:
    entry = LOSSES.get(term.name) if isinstance(term.name, str) else None
    if entry is None:
        raise ModelFileError(
            "loss", found=repr(term.name)[:40], expected=f"one of {', '.join(LOSSES)}"
        )
    where = f"loss {term.name}"
    settle(where, {"weight": Option(1.0, 0.0, MAX_WEIGHT)}, {"weight": term.weight})
    return LossTerm(term.name, float(term.weight), settle(where, entry.params, term.params))
