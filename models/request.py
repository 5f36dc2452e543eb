"""What a person may choose for a retraining. Needs no torch, so that pages stay quick."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from core.errors import JobError
from models.splits import Split
from models.training_set import PROVENANCE_WEIGHTS, Use, by_name
from models.zoo import NETWORKS
from models.zoo.augment import Augment, augments_of
from models.zoo.losses import LossTerm, check_terms, terms_of
from models.zoo.recipes import needs_checked
from models.zoo.training import check_settings


@dataclass(frozen=True)
class RetrainRequest:
    """What a person may choose for a retraining; every default is sensible.

    `network` "auto" follows the promoted model, or the kind of project; `options` are those of
    the network in `models.zoo`, and are the promoted model's where it is followed. `start` is
    "promoted", "scratch" or a model's id. `weights` are by name of provenance, `labels` is which
    labels count (`models.training_set.Use`). `recipe` is one of `models.zoo.recipes` with its
    settings, `losses` and `augments` are those of its plain steps. `split` says which tiles a run
    is watched on (`models.splits`), with the share or the regions that are held out. The settings
    of the run, from `steps` on, are those of `models.zoo.training` by the same names.
    """

    name: str = ""
    network: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = "plain"
    recipe_settings: Mapping[str, Any] = field(default_factory=dict)
    modalities: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tile_ids: tuple[int, ...] = ()
    max_cover: float = 1.0
    labels: Use = "weighted"
    weights: Mapping[str, float] = field(default_factory=lambda: by_name(PROVENANCE_WEIGHTS))
    losses: tuple[LossTerm, ...] = field(default_factory=lambda: check_terms([LossTerm()]))
    augments: tuple[Augment, ...] = ()
    start: str | int = "promoted"
    control: bool = False
    split: Split = "project"
    split_share: float = 0.2
    split_groups: tuple[str, ...] = ()
    steps: int = 200
    batch: int = 8
    crop_px: int = 192
    learning_rate: float = 1e-3
    accumulate: int = 1
    optimiser: str = "adamw"
    momentum: float = 0.9
    head_rate: float = 20.0
    fresh_head_rate: float = 1.0
    schedule: str = "cosine"
    warm_up: float = 0.1
    poly_power: float = 0.9
    drop_at: tuple[int, ...] = (50,)
    drop_to: float = 0.1
    weight_decay: float = 1e-2
    decay_norms: bool = True
    clip_norm: float = 5.0
    average: float = 0.0
    keep: str = "last"
    patience: int = 0
    auxiliary_weight: float = 0.4
    building_weight: float = 1.0
    class_balance: float = 0.5
    favour_people: float = 3.0
    flip: bool = True
    mixed_precision: bool = True
    seed: int = 0

    def payload(self) -> dict[str, Any]:
        """Return the request as a job's payload."""
        return dataclasses.asdict(self)


FIELDS = tuple(f.name for f in dataclasses.fields(RetrainRequest))
RUN = FIELDS[FIELDS.index("steps") :]
"""The settings of the run, which are those of `TrainConfig` by the same names."""

LISTS = ("modalities", "regions", "tile_ids", "split_groups", "drop_at")
MAX_PROVENANCE_WEIGHT = 1000.0


def _list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, (list, tuple))
        and all(isinstance(each, kind) and not isinstance(each, bool) for each in value)
    )


def _is_start(value: Any) -> bool:  # noqa: ANN401  # whatever a payload says
    number = isinstance(value, int) and not isinstance(value, bool)
    return number or value in ("promoted", "scratch") or str(value).isdecimal()


def _are_weights(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, Mapping) and all(
        key in {p.name.lower() for p in PROVENANCE_WEIGHTS}
        and isinstance(weight, (int, float))
        and 0 <= weight <= MAX_PROVENANCE_WEIGHT
        for key, weight in value.items()
    )


_TABLE = (lambda value: isinstance(value, Mapping), "a table")
_NAMES = (_list_of(str), "a list of names")
_TERMS = (_list_of(Mapping), "a list of tables")

SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (lambda value: isinstance(value, str), "a name"),
    "options": _TABLE,
    "recipe": (lambda value: isinstance(value, str), "a name"),
    "recipe_settings": _TABLE,
    "modalities": _NAMES,
    "regions": _NAMES,
    "split_groups": _NAMES,
    "tile_ids": (_list_of(int), "a list of numbers"),
    "drop_at": (_list_of(int), "a list of numbers"),
    "weights": (_are_weights, f"numbers from 0 to {MAX_PROVENANCE_WEIGHT:g} by provenance"),
    "losses": _TERMS,
    "augments": _TERMS,
    "start": (_is_start, "promoted, scratch or the number of a model"),
    "control": (lambda value: isinstance(value, bool), "true or false"),
}
"""What a field of a payload must be before its content is looked at, and how to say so."""


def request_of(payload: Mapping[str, Any]) -> RetrainRequest:
    """Return the request in a payload; raises `JobError` or `ModelFileError` that names the field.

    What a network does not know is found where its options are settled.
    """
    unknown = sorted(set(payload) - set(FIELDS))
    if unknown:
        raise JobError("retraining", found=f"field {unknown[0]!r}", expected=f"of {sorted(FIELDS)}")
    for name, (fits, expected) in SHAPES.items():
        if name in payload and not fits(payload[name]):
            raise JobError(f"retraining, {name}", found=repr(payload[name])[:80], expected=expected)
    values: dict[str, Any] = {k: tuple(v) if k in LISTS else v for k, v in payload.items()}
    if "losses" in values:
        values["losses"] = terms_of(values["losses"])
    if "augments" in values:
        values["augments"] = augments_of(values["augments"])
    request = RetrainRequest(**values)
    check_settings({name: getattr(request, name) for name in RUN}, "retraining")
    for name in ("max_cover", "split_share"):
        share = getattr(request, name)
        if not isinstance(share, (int, float)) or not 0.0 <= share <= 1.0:
            raise JobError(f"retraining, {name}", found=repr(share), expected="0.0 to 1.0")
    for name, accepted in (
        ("network", ("auto", *NETWORKS)),
        ("labels", get_args(Use)),
        ("split", get_args(Split)),
    ):
        value = getattr(request, name)
        if value not in accepted:
            raise JobError(
                f"retraining, {name}", found=repr(value)[:80], expected=", ".join(accepted)
            )
    _check_control(request)
    return request


def _check_control(request: RetrainRequest) -> None:
    """Raise `JobError` for a control that would have nothing to learn from.

    Labels as they came are checked by nobody: its teachers would find none.
    """
    if needs_checked(request.recipe, request.recipe_settings) and request.control:
        raise JobError(
            "retraining, control",
            found="teachers that learn from checked labels alone",
            expected="a recipe that can learn from labels as they came, which nobody has checked",
            todo="Leave the control out, or let the teachers learn from all labels.",
        )
