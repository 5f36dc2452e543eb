"""The table of augmentations: how crops are changed while a network learns. Needs no torch.

Flips and quarter turns are a switch of their own. What is named here happens in the order of this
table, drawn anew for every crop from the run's seed. The code is in `models.augment`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelFileError
from models.zoo.entry import Option, settle


@dataclass(frozen=True)
class Augment:
    """One augmentation of a run; `params` are those of its entry in `AUGMENTATIONS`."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AugmentEntry:
    """An augmentation of the table. `says` is one line for people; `of` is what it changes."""

    title: str
    says: str
    of: str
    params: Mapping[str, Option] = field(default_factory=dict)


def _chance(default: float) -> dict[str, Option]:
    return {"chance": Option(default, 0.0, 1.0, help="Share of crops")}


AUGMENTATIONS: dict[str, AugmentEntry] = {
    "mosaic": AugmentEntry(
        title="Mosaic of four",
        says="Puts four crops together, so that more kinds of ground meet.",
        of="everything",
        params=_chance(0.25),
    ),
    "resize": AugmentEntry(
        title="Resize",
        says="Makes things smaller or larger, within the bounds.",
        of="everything",
        params={
            **_chance(1.0),
            "low": Option(0.5, 0.1, 1.0, help="Smallest factor"),
            "high": Option(2.0, 1.0, 10.0, help="Largest factor"),
        },
    ),
    "mixed_crop": AugmentEntry(
        title="Crops with more than one class",
        says="Draws again, up to ten times, where one class fills most of the crop.",
        of="everything",
        params={"largest": Option(0.75, 0.0, 1.0, help="Largest share of one class")},
    ),
    "border_labels": AugmentEntry(
        title="Soft labels at borders",
        says="Near a border, a machine-made pixel takes the label of a random neighbour: over many "
        "draws its label is the share of each class nearby. What people checked stays.",
        of="labels",
        params={"width_px": Option(2, 1, 32, help="How far from a border, in pixels")},
    ),
    "coarsen": AugmentEntry(
        title="Coarser optical",
        says="Blurs by going down to a part of the pixels and back, as older imagery looks.",
        of="optical",
        params={
            **_chance(0.2),
            "low": Option(0.1, 0.02, 1.0, help="Smallest part of the pixels per side"),
            "high": Option(0.35, 0.02, 1.0, help="Largest part of the pixels per side"),
        },
    ),
    "colour": AugmentEntry(
        title="Colour jitter",
        says="Changes brightness, contrast, saturation and the balance of the bands.",
        of="optical",
        params={**_chance(0.5), "strength": Option(0.2, 0.0, 1.0, help="Largest change")},
    ),
    "blur": AugmentEntry(
        title="Blur",
        says="Blurs the optical image a little.",
        of="optical",
        params={
            **_chance(0.5),
            "low": Option(0.15, 0.01, 10.0, help="Smallest sigma in pixels"),
            "high": Option(1.15, 0.01, 10.0, help="Largest sigma in pixels"),
        },
    ),
    "clouds": AugmentEntry(
        title="Simulated clouds",
        says="Draws clouds and their shadows over the optical image, as on the Clouds page.",
        of="optical",
        params={
            **_chance(0.5),
            "low": Option(0.1, 0.0, 1.0, help="Smallest cover"),
            "high": Option(0.9, 0.0, 1.0, help="Largest cover"),
        },
    ),
    "drop_optical": AugmentEntry(
        title="Without optical",
        says="Takes the whole optical image away, so that the network learns to do without.",
        of="optical",
        params=_chance(0.3),
    ),
    "speckle": AugmentEntry(
        title="Speckle",
        says="Multiplies the power of SAR by gamma noise; fewer looks make more of it.",
        of="SAR",
        params={**_chance(0.5), "looks": Option(8.0, 1.0, 1000.0, help="Number of looks")},
    ),
    "gain": AugmentEntry(
        title="SAR gain",
        says="Makes each SAR band brighter or darker as a whole.",
        of="SAR",
        params={**_chance(0.5), "decibels": Option(1.5, 0.0, 20.0, help="Largest change in dB")},
    ),
    "drop_polarisation": AugmentEntry(
        title="Without a polarisation",
        says="Takes one of the SAR bands away; does nothing where there is only one.",
        of="SAR",
        params=_chance(0.2),
    ),
    "drop_sar": AugmentEntry(
        title="Without SAR",
        says="Takes the whole SAR image away, so that the network learns to do without.",
        of="SAR",
        params=_chance(0.1),
    ),
}


def check_augments(wanted: Sequence[Augment]) -> tuple[Augment, ...]:
    """Return the augmentations with every parameter filled in, in the order of the table.

    Raises `ModelFileError` for a name that is unknown or twice, or a number out of bounds.
    """
    names = [augment.name for augment in wanted]
    for name in names:
        if name not in AUGMENTATIONS or names.count(name) > 1:
            raise ModelFileError(
                "augmentations", found=repr(name)[:40], expected=f"of {', '.join(AUGMENTATIONS)}"
            )
    order = list(AUGMENTATIONS)
    settled = [
        Augment(a.name, settle(f"augmentation {a.name}", AUGMENTATIONS[a.name].params, a.params))
        for a in sorted(wanted, key=lambda a: order.index(a.name))
    ]
    for augment in settled:
        low, high = augment.params.get("low", 0.0), augment.params.get("high", 1.0)
        if low > high:
            raise ModelFileError(
                f"augmentation {augment.name}", found=f"{low:g} to {high:g}", expected="low to high"
            )
    return tuple(settled)


def augments_of(values: Sequence[Mapping[str, Any]]) -> tuple[Augment, ...]:
    """Return the augmentations that plain dictionaries of a payload or a card describe, checked.

    Raises `ModelFileError` for anything else.
    """
    for value in values:
        fits = isinstance(value, Mapping) and set(value) <= {"name", "params"}
        if not fits or not isinstance(value.get("name"), str):
            raise ModelFileError("augmentations", found=repr(value)[:80], expected="name, params")
        if not isinstance(value.get("params", {}), Mapping):
            raise ModelFileError(
                "augmentations, params", found=repr(value["params"])[:80], expected="by name"
            )
    return check_augments([Augment(**value) for value in values])
