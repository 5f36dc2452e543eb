"""Tables that people edit before an import, and what they mean: roles of files, classes."""

from collections.abc import Sequence

import pandas as pd

from core.classes import ClassEntry, ClassTable
from core.errors import DatasetError
from core.records import Modality, Unit
from data.readers.patterns import Role, codes_text, parse_codes

LEAVE_OUT = "leave out"
SHOWS = [
    LEAVE_OUT,
    *(
        modality.value
        for modality in (
            Modality.OPTICAL,
            Modality.SAR,
            Modality.HEIGHT,
            Modality.LABEL,
            Modality.TRUTH,
            Modality.CLOUD,
        )
    ),
]


def roles_frame(roles: Sequence[Role]) -> pd.DataFrame:
    """Return roles as the table that people edit."""
    return pd.DataFrame(
        [
            {
                "pattern": role.pattern,
                "shows": role.modality.value if role.modality else LEAVE_OUT,
                "unit": role.unit.value if role.unit is not Unit.CODE else None,
                "bands": ",".join(map(str, role.bands)),
                "acquisition": role.acquisition,
                "codes": codes_text(role.codes),
            }
            for role in roles
        ],
        columns=["pattern", "shows", "unit", "bands", "acquisition", "codes"],
        dtype="object",
    )


def roles_of(rows: pd.DataFrame) -> tuple[Role, ...]:
    """Return the roles of an edited table; raises `DatasetError` naming the cell."""
    roles = []
    for row in rows.fillna("").to_dict("records"):
        if not str(row["pattern"]).strip():
            continue
        shows, unit = str(row["shows"]), str(row["unit"])
        roles.append(
            Role(
                str(row["pattern"]).strip(),
                Modality(shows) if shows not in ("", LEAVE_OUT) else None,
                Unit(unit) if unit else Unit.RELATIVE_8BIT,
                _bands_of(str(row["bands"])),
                str(row["acquisition"]).strip(),
                parse_codes(str(row["codes"])),
            )
        )
    return tuple(roles)


def _bands_of(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and 0 < int(part) < 1000 for part in parts):
        raise DatasetError("bands", found=repr(text), expected="numbers such as 4,3,2")
    return tuple(int(part) for part in parts)


def classes_of(rows: pd.DataFrame, name: str, void: int | None) -> ClassTable:
    """Return the class table of an edited table; raises `ClassTableError` or `DatasetError`."""
    entries = []
    for row in rows.dropna(subset=["code"]).to_dict("records"):
        colour, label = str(row["colour"] or ""), " ".join(str(row["name"] or "").split())
        if not label or len(colour) != 7 or not _is_colour(colour):
            raise DatasetError(
                f"class {int(row['code'])}",
                found=f"name {label!r}, colour {colour!r}",
                expected="a name and a colour such as #3565d6",
            )
        entries.append(ClassEntry(int(row["code"]), label, colour.lower()))
    return ClassTable(name, tuple(entries), void)


def _is_colour(text: str) -> bool:
    return text.startswith("#") and all(letter in "0123456789abcdefABCDEF" for letter in text[1:])
