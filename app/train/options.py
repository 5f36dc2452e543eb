"""Fields for options of the tables in `models.zoo`: a switch, a number, a word, a list of numbers.

Bounds are those of the table; what lies outside is said with the name of the field.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from models.zoo.entry import Option

Value = int | float | bool | str | tuple[int, ...]


def options_ui(
    where: str, options: Mapping[str, Option], key: str, faults: list[str]
) -> dict[str, Value]:
    """Draw a field for each option, two in a row; return the values that differ from the default.

    `where` begins what is said of a wrong value, such as "Network".
    """
    found: dict[str, Value] = {}
    places: list[DeltaGenerator] = []
    for name, option in options.items():
        places = places or list(st.columns(2))
        title = name.replace("_", " ").capitalize()
        value = option_ui(places.pop(0), title, option, f"{key}_{name}", where, faults)
        if value is not None and value != option.default:
            found[name] = value
    return found


def option_ui(
    place: DeltaGenerator,
    title: str,
    option: Option,
    key: str,
    where: str,
    faults: list[str],
    *,
    default: Value | None = None,
    help: str = "",
    disabled: bool = False,
) -> Value | None:
    """Draw the field of one option; return its value, None where it is wrong, which is said."""
    first = option.default if default is None else default
    words = help or option.help
    if isinstance(option.default, bool):
        return place.checkbox(title, bool(first), key=key, help=words or None, disabled=disabled)
    if isinstance(option.default, str):
        return place.selectbox(
            title,
            option.choices,
            index=option.choices.index(str(first)),
            key=key,
            help=words or None,
            disabled=disabled,
        )
    asks = f"{words}. {option.expected.capitalize()}." if words else f"{option.expected}."
    if isinstance(option.default, tuple):
        listed = ", ".join(map(str, first)) if isinstance(first, tuple) else str(first)
        return _list(place, title, option, key, where, faults, listed, asks, disabled)
    if isinstance(option.default, int):
        return int(
            place.number_input(
                title,
                int(option.low),
                int(option.high),
                int(str(first)),
                key=key,
                help=asks,
                disabled=disabled,
            )
        )
    return float(
        place.number_input(
            title,
            float(option.low),
            float(option.high),
            float(str(first)),
            step=step_of(option),
            format="%g",
            key=key,
            help=asks,
            disabled=disabled,
        )
    )


def _list(
    place: DeltaGenerator,
    title: str,
    option: Option,
    key: str,
    where: str,
    faults: list[str],
    listed: str,
    asks: str,
    disabled: bool,
) -> Value | None:
    text = place.text_input(title, listed, key=key, help=asks, max_chars=120, disabled=disabled)
    value = read_list(text)
    if value is None or not option.accepts(value):
        said = f"{where}, {title.lower()}: found “{text}”, expected {option.expected}."
        place.error(said)
        faults.append(said)
        return None
    return value


def read_list(text: str) -> tuple[int, ...] | None:
    """Return whole numbers that commas part; None where that does not read."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    try:
        return tuple(int(part) for part in parts)
    except ValueError:
        return None


def step_of(option: Option) -> float:
    """Return how far a click on plus or minus goes: a tenth of the default, or of the range."""
    default = float(option.default) if isinstance(option.default, (int, float)) else 0.0
    if default:
        return default / 10
    return min((option.high - option.low) / 20, 0.1)
