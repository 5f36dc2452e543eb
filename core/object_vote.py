"""One class per building: the vote of its pixels, taken after a map is made.

A *building* is a 4-connected component of building pixels, as in `core.damage`. *Severity* is the
order of the damage classes, least severe first; all but the first are *hurt*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from core.classes import LabelArray
from core.damage import BACKGROUND
from core.errors import ModelFileError

NAME = "object_vote"

Rule = Literal["threshold", "majority"]
Mask = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True)
class ObjectVote:
    """How buildings vote.

    "threshold", the rule of DFC2025's winner of track 2 (arXiv 2505.04941): where more than `share`
    of a building's pixels are hurt, the whole building takes the hurt class with most pixels, the
    less severe in a tie; other buildings keep their pixels as they are. "majority", ChangeOS-style:
    every building takes the damage class with most pixels, the more severe in a tie. Then buildings
    of fewer than `min_px` pixels become background; the winner's 50 is of 1024 px tiles.
    """

    rule: Rule = "threshold"
    share: float = 0.2
    min_px: int = 50

    def __post_init__(self) -> None:
        if self.rule not in get_args(Rule):
            raise _wrong("rule", self.rule, " or ".join(get_args(Rule)))
        if isinstance(self.share, bool) or not isinstance(self.share, (int, float)):
            raise _wrong("share", self.share, "a number from 0 to 1")
        if not 0 <= self.share <= 1:
            raise _wrong("share", self.share, "0 to 1")
        if type(self.min_px) is not int or not 0 <= self.min_px <= 10**6:
            raise _wrong("min_px", self.min_px, "a whole number from 0 to 1,000,000")

    def card(self) -> dict[str, Any]:
        """Return what a model's card holds, under "post"."""
        return {"name": NAME, **asdict(self)}


def of_card(post: object) -> ObjectVote | None:
    """Return the vote that a card's field "post" asks for; None where the field is empty.

    Raises `ModelFileError` for anything that is not a vote as `ObjectVote.card` writes it.
    """
    if not post:
        return None
    known = {"rule", "share", "min_px"}
    named = isinstance(post, Mapping) and post.get("name") == NAME
    if not isinstance(post, Mapping) or not named or not set(post) <= {*known, "name"}:
        raise _wrong("post", post, f'{{"name": "{NAME}", "rule", "share", "min_px"}}')
    return ObjectVote(**{key: value for key, value in post.items() if key in known})


def severity_of(codes: Sequence[int]) -> tuple[int, ...]:
    """Return a class table's damage codes, least severe first: all but background, in order."""
    return tuple(code for code in codes if code != BACKGROUND)


def object_vote(
    codes: LabelArray,
    severity: Sequence[int],
    how: ObjectVote | None = None,
    *,
    building: Mask | None = None,
) -> LabelArray:
    """Return a damage map, uint8 [H, W] codes, in which buildings have voted.

    `severity` are the damage codes, least severe first (BRIGHT: 1, 2, 3). `building` bool [H, W] is
    a map of buildings of its own, for instance from the image before; None takes the pixels of
    damage classes. A building of that map that votes is set as a whole; the map alone adds none.
    """
    how = how or ObjectVote()
    inside = np.isin(codes, severity) if building is None else building
    ids, count = _components(inside)
    votes = _votes(ids, count, codes, severity)
    sizes = np.bincount(ids.ravel(), minlength=count + 1)
    wins = _by_threshold(votes, sizes, how.share) if how.rule == "threshold" else _by_most(votes)
    chosen = np.where(wins >= 0, np.asarray(severity, np.uint8)[wins], 0).astype(np.uint8)[ids]
    found = np.where((wins >= 0)[ids], chosen, codes).astype(np.uint8)
    damage = np.isin(found, severity)
    found[damage & ~_without_specks(damage, how.min_px)] = BACKGROUND
    return found


def clean_building_map(building: Mask, min_px: int = 50) -> Mask:
    """Return a map of buildings, bool [H, W], as the winner's first stage finishes it.

    Components of fewer than `min_px` pixels go; then a 3x3 closing fills cracks and pinholes. The
    edge of the map neither opens nor closes anything.
    """
    from scipy import ndimage

    square = np.ones((3, 3), np.bool_)
    grown = ndimage.binary_dilation(_without_specks(building, min_px), square)
    closed: Mask = ndimage.binary_erosion(grown, square, border_value=1)
    return closed


def _components(inside: Mask) -> tuple[Ids, int]:
    # Not at the top: the table of networks names this vote on machines that only train.
    from scipy import ndimage

    ids, count = ndimage.label(inside)
    return ids.astype(np.int32, copy=False), int(count)


def _without_specks(inside: Mask, min_px: int) -> Mask:
    ids, count = _components(inside)
    kept = np.bincount(ids.ravel(), minlength=count + 1) >= min_px
    kept[0] = False
    return kept[ids]


def _votes(
    ids: Ids, count: int, codes: LabelArray, severity: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Return pixels by component (row 0: no component) and place in severity, int64 [n + 1, K]."""
    place = np.full(256, len(severity))
    place[list(severity)] = np.arange(len(severity))
    flat = ids.astype(np.int64) * (len(severity) + 1) + place[codes]
    counted = np.bincount(flat.ravel(), minlength=(count + 1) * (len(severity) + 1))
    votes: npt.NDArray[np.int64] = counted.reshape(count + 1, -1)[:, :-1]
    votes[0] = 0
    return votes


def _by_threshold(
    votes: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], share: float
) -> npt.NDArray[np.int64]:
    """Return the place in severity that each component takes, or -1 where it keeps its pixels."""
    hurt = votes[:, 1:]
    enough = hurt.sum(1) > share * sizes
    enough[0] = False
    return np.where(enough, 1 + hurt.argmax(1), -1)  # argmax: the first, less severe, of equals


def _by_most(votes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    last = votes.shape[1] - 1
    return np.where(votes.any(1), last - votes[:, ::-1].argmax(1), -1)


def _wrong(what: str, found: object, expected: str) -> ModelFileError:
    return ModelFileError(f"object vote, {what}", found=repr(found)[:80], expected=expected)
