"""What a person may choose for a retraining. Needs no torch, so that pages stay quick."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import JobError
from models.training_set import PROVENANCE_WEIGHTS
from models.zoo import NETWORKS


@dataclass(frozen=True)
class RetrainRequest:
    """What a person may choose for a retraining; every default is sensible.

    `network` "auto" follows the promoted model, or the kind of project; `options` are those of
    the network in `models.zoo`, and are the promoted model's where it is followed. `start` is
    "promoted", "scratch" or a model's id. `weights` are by name of provenance.
    """

    name: str = ""
    network: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)
    modalities: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tile_ids: tuple[int, ...] = ()
    max_cover: float = 1.0
    weights: Mapping[str, float] = field(
        default_factory=lambda: {p.name.lower(): w for p, w in PROVENANCE_WEIGHTS.items()}
    )
    start: str | int = "promoted"
    steps: int = 200
    batch: int = 8
    crop_px: int = 192
    learning_rate: float = 1e-3
    class_balance: float = 0.5
    seed: int = 0
    control: bool = False

    def payload(self) -> dict[str, Any]:
        """Return the request as a job's payload."""
        return dataclasses.asdict(self)


def request_of(payload: Mapping[str, Any]) -> RetrainRequest:
    """Return the request in a payload; raises `JobError` that names the field."""
    known = {f.name for f in dataclasses.fields(RetrainRequest)}
    unknown = sorted(set(payload) - known)
    if unknown:
        raise JobError("retraining", found=f"field {unknown[0]!r}", expected=f"of {sorted(known)}")
    lists = ("modalities", "regions", "tile_ids")
    values = {k: tuple(v) if k in lists else v for k, v in payload.items()}
    request = RetrainRequest(**values)  # type: ignore[arg-type]  # checked below
    for name, low, high in (
        ("steps", 1, 100_000),
        ("batch", 1, 256),
        ("crop_px", 32, 1024),
        ("learning_rate", 1e-6, 1.0),
        ("class_balance", 0.0, 1.0),
        ("max_cover", 0.0, 1.0),
        ("seed", 0, 2**31),
    ):
        value = getattr(request, name)
        if not isinstance(value, (int, float)) or not low <= value <= high:
            raise JobError(f"retraining, {name}", found=repr(value), expected=f"{low} to {high}")
    if request.network not in ("auto", *NETWORKS):
        raise JobError(
            "retraining, network", found=repr(request.network), expected=", ".join(NETWORKS)
        )
    return request
