"""Class tables turn codes into indices and colours, and refuse what cannot work."""

import numpy as np
import pytest

from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassEntry, ClassTable
from core.errors import ClassTableError


@pytest.mark.parametrize("table", [OPEN_EARTH_MAP_SAR, BRIGHT])
def test_codes_and_indices_are_inverse(table: ClassTable) -> None:
    codes = np.array(table.codes, np.uint8)
    assert (table.code_lut[table.index_lut[codes]] == codes).all()
    assert table.index_lut[table.void_code] == 255
    assert table.code_lut[255] == table.void_code


def test_unknown_codes_are_found() -> None:
    labels = np.array([[0, 1, 8], [9, 200, 2]], np.uint8)
    assert OPEN_EARTH_MAP_SAR.unknown_codes(labels) == (9, 200)


@pytest.mark.parametrize("codes", [(1, 1), (0, 1), (1,), (1, 256)])
def test_bad_tables_are_refused(codes: tuple[int, ...]) -> None:
    with pytest.raises(ClassTableError):
        ClassTable("bad", tuple(ClassEntry(code, "x", "#000000") for code in codes), void=0)
