"""Restrictions: their text, and which pixels they let change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadPatch
from core.restrict import ANYWHERE, Restriction, allowed, format_restriction, parse_restriction

codes = st.lists(st.integers(0, 255), min_size=1, max_size=6, unique=True).map(tuple)
restrictions = st.builds(
    Restriction,
    st.sampled_from([None, "cloudy", "clear"]),
    st.booleans(),
    st.none() | codes,
    st.booleans(),
)


@given(restrictions)
def test_the_text_gives_back_the_restriction(restriction: Restriction) -> None:
    text = format_restriction(restriction)
    assert parse_restriction(text) == restriction
    assert (text is None) == (restriction == ANYWHERE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "night",
        "cloudy,clear",
        "area,area",
        "area:1",
        "from",
        "from:",
        "from:1+",
        "from:1+1",
        "from:256",
        "from:-1",
        "from:1,from:2",
        "from:²",
        "cloudy ",
        "unverified," + "a" * 200,
    ],
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(BadPatch, match="field restrict"):
        parse_restriction(text)


def test_sources_and_verified_pixels_are_looked_up_in_the_labels_of_now() -> None:
    labels = np.array([[1, 2, 3, 1]], np.uint8)
    provenance = np.array([[0, 0, 2, 2]], np.uint8)

    def left(text: str | None) -> list[bool]:
        found: list[bool] = allowed(parse_restriction(text), labels, provenance)[0].tolist()
        return found

    assert left(None) == [True, True, True, True]
    assert left("from:1+3") == [True, False, True, True]
    assert left("unverified") == [True, True, False, False]
    assert left("from:1,unverified") == [True, False, False, False]
    assert left("cloudy,area") == [True, True, True, True], "the browser cut the mask to these"


@given(restrictions)
def test_what_is_allowed_is_what_each_condition_allows(restriction: Restriction) -> None:
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 9, (9, 11), dtype=np.uint8)
    provenance = generator.integers(0, 5, (9, 11), dtype=np.uint8)
    found = allowed(restriction, labels, provenance)
    for at, may in np.ndenumerate(found):
        from_codes = restriction.from_codes is None or labels[at] in restriction.from_codes
        assert may == (from_codes and not (restriction.unverified and provenance[at] == 2))
