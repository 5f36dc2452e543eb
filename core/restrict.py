"""Restrictions: which pixels a tool may change, as one text of the edit log. Pure numpy.

A restriction is a text of parts with commas between: `cloudy` or `clear` (by the cloud mask on
screen), `area` (inside an area drawn by the person), `from:1+5` (only pixels of these classes)
and `unverified` (never pixels that somebody verified). The last two hold on the labels of now and
are applied again when a stroke is saved; the others are recorded as the browser says.
"""

from dataclasses import dataclass

import numpy as np

from core.classes import Provenance
from core.errors import BadPatch
from core.patch import Bytes, Mask

MAX_LETTERS = 200
CLOUDS = ("cloudy", "clear")
EXPECTED = "cloudy or clear, area, from:1+5, unverified, each at most once, with commas between"


@dataclass(frozen=True)
class Restriction:
    """Which pixels may change; `from_codes` None means those of every class."""

    cloud: str | None = None
    area: bool = False
    from_codes: tuple[int, ...] | None = None
    unverified: bool = False


ANYWHERE = Restriction()


def parse_restriction(text: str | None) -> Restriction:
    """Return the restriction that a text describes; None is none. Raises `BadPatch`."""
    if text is None:
        return ANYWHERE
    if len(text) > MAX_LETTERS:
        raise _bad(text)
    found: dict[str, str] = {}
    for part in text.split(","):
        name, colon, value = part.partition(":")
        slot = "cloud" if name in CLOUDS else name
        named = slot in ("cloud", "area", "from", "unverified") and (slot == "from") == bool(colon)
        if not named or slot in found:
            raise _bad(text)
        found[slot] = value or name
    codes = _codes(text, found["from"]) if "from" in found else None
    return Restriction(found.get("cloud"), "area" in found, codes, "unverified" in found)


def format_restriction(restriction: Restriction) -> str | None:
    """Return the text of a restriction; None for none."""
    parts = [restriction.cloud] if restriction.cloud else []
    if restriction.area:
        parts.append("area")
    if restriction.from_codes is not None:
        parts.append("from:" + "+".join(str(code) for code in restriction.from_codes))
    if restriction.unverified:
        parts.append("unverified")
    return ",".join(parts) or None


def allowed(restriction: Restriction, labels: Bytes, provenance: Bytes) -> Mask:
    """Return where the labels of now let pixels change, bool of the shape of `labels`.

    `labels` and `provenance` are uint8 of one shape.
    """
    may = np.ones(labels.shape, np.bool_)
    if restriction.from_codes is not None:
        may &= np.isin(labels, np.array(restriction.from_codes, np.uint8))
    if restriction.unverified:
        may &= provenance != Provenance.VERIFIED
    return may


def _codes(text: str, listed: str) -> tuple[int, ...]:
    parts = listed.split("+")
    if not all(part.isascii() and part.isdecimal() and len(part) <= 3 for part in parts):
        raise _bad(text)
    codes = tuple(int(part) for part in parts)
    if len(set(codes)) != len(codes) or max(codes) > 255:
        raise _bad(text)
    return codes


def _bad(text: str) -> BadPatch:
    return BadPatch("field restrict", found=repr(text[:60]), expected=EXPECTED)
