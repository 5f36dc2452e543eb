"""Expressions: what they mean, what they refuse, and that nothing of them runs as code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.expression import (
    MAX_DEPTH,
    MAX_LENGTH,
    BadExpression,
    Expression,
    evaluate,
    parse,
    vocabulary,
)

BANDS = ("B02", "B03", "B04", "B08")


def result(text: str, **bands: float) -> float:
    """Return an expression of single numbers."""
    names = tuple(bands) or ("x",)
    parsed = parse(text, names)
    values = {i: np.full((1, 1), bands.get(name, 0), np.float32) for i, name in enumerate(names)}
    found, valid = evaluate(parsed, values, np.ones((1, 1), np.bool_))
    return float(found[0, 0, 0]) if valid[0, 0] else float("nan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 - 3 - 4", -5),
        ("8 / 4 / 2", 1),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("--3", 3),
        ("+3 - -3", 6),
        (".5 + 5e-1 + 1.", 2),
        ("max(1, 5, 3) - min(4, 2)", 3),
        ("clip(7, 0, 1)", 1),
        ("sqrt(abs(-9)) + log10(1000)", 6),
        ("a * b - A", 8),
    ],
)
def test_arithmetic(text: str, expected: float) -> None:
    assert result(text, a=2, b=5) == pytest.approx(expected)


def test_spaces_around_do_not_matter() -> None:
    assert result("  a +b ", a=2, b=5) == 7


@pytest.mark.parametrize(
    "text", ["a / b", "log10(b)", "sqrt(-a)", "10 ** 400", "a ** 1e9", "b / b"]
)
def test_what_is_no_number_is_not_valid(text: str) -> None:
    assert np.isnan(result(text, a=2, b=0))


def test_pixels_that_were_not_valid_stay_so() -> None:
    values = {0: np.array([[1, 2, 0]], np.float32)}
    valid = np.array([[True, False, True]])
    found, valid = evaluate(parse("1 / x", ["x"]), values, valid)
    assert valid.tolist() == [[True, False, False]]
    assert found.tolist() == [[[1, 0, 0]]]
    assert found.dtype == np.float32


def test_three_expressions_are_colours() -> None:
    parsed = parse("nir, red, green", BANDS)
    assert (len(parsed.channels), parsed.bands) == (3, (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", 0, "the end"),
        ("B04 +", 5, "the end"),
        ("B04 B08", 4, "'B08'"),
        ("(B04", 4, "closing parenthesis"),
        ("B04)", 3, "')'"),
        ("B99 + 1", 0, "B02, B03, B04, B08"),
        ("1 + swir1", 4, "a band"),
        ("eval(B04)", 0, "a function"),
        ("B04.__class__", 3, "'.'"),
        ("__import__('os')", 11, ""),
        ("B04 if 1 else 2", 4, "'if'"),
        ("lambda: 1", 6, "':'"),
        ("B04 @ B08", 4, "'@'"),
        ("log10", 0, "parenthesis after log10"),
        ("log10()", 6, "')'"),
        ("log10(1, 2)", 0, "2 values in log10"),
        ("min(1)", 0, "two or more"),
        ("clip(B04, 0)", 0, "expected 3"),
        ("B04, B03", 0, "one, or three"),
        ("1e999", 0, "up to 1e+12"),
        ("99999999999999", 0, "up to 1e+12"),
        ("2 * * 3", 4, "'*'"),
        ("B04\x00", 3, ""),
        ("٣ + B04", 0, ""),
    ],
)
def test_refusals_name_the_place(text: str, at: int, words: str) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(text, BANDS)
    assert caught.value.at == at
    assert f"character {at + 1}" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1),
        "1" + "**2" * (MAX_DEPTH + 1),
        "abs(" * 60 + "1" + ")" * 60,
        "1" + "+1" * MAX_LENGTH,
    ],
)
def test_deep_and_long_texts_are_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        parse(text, BANDS)


def test_a_long_chain_of_signs_is_no_deep_one() -> None:
    assert result("-" * 200 + "1") == 1
    assert result("+".join(["1"] * 150)) == 150


@given(st.text("0123456789.eE+-*/(), BnirlogmaxV_", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parsed = parse(text, BANDS)
    except BadExpression:
        return
    values = {i: np.ones((2, 2), np.float32) for i in range(len(BANDS))}
    found, valid = evaluate(parsed, values, np.ones((2, 2), np.bool_))
    assert np.isfinite(found).all()
    assert valid.shape == (2, 2)


def test_a_band_has_its_own_name_what_it_shows_and_its_place() -> None:
    names = vocabulary(("B02", "B04", "strange name"))
    assert names["b04"] == names["red"] == names["band2"] == 1
    assert names["strange name"] == names["band3"] == 2


def test_a_name_that_fits_two_bands_fits_none() -> None:
    names = vocabulary(("B04", "red edge", "r"))
    assert "red" not in names
    assert vocabulary(("VV", "VV")) == {"band1": 0, "band2": 1}


def test_an_own_name_goes_before_what_another_band_shows() -> None:
    # Here "red" is the name of the second band, whatever the first is called.
    assert vocabulary(("band2", "x"))["band2"] == 0


def test_what_is_parsed_can_be_a_key() -> None:
    assert isinstance(hash(parse("nir / red", BANDS)), int)
    assert parse(" nir / red", BANDS) == parse("nir / red ", BANDS)
    assert isinstance(parse("1", BANDS), Expression)
