"""Expressions over the bands of a layer, such as "(nir - red) / (nir + red)"; never run as code.

    list    = sum {"," sum}                 one for grey, three for red, green and blue
    sum     = product {("+" | "-") product}
    product = sign {("*" | "/") sign}
    sign    = {"-" | "+"} power
    power   = atom ["**" sign]
    atom    = number | band | function "(" sum {"," sum} ")" | "(" sum ")"

A name is a band's own, in any case, or what that band usually shows (`ALIASES`), or `band1`,
`band2`, ... by its place. Values are float32 in the layer's own unit: power stays linear,
whole-number reflectance becomes a share. A result that is no number, as after a division by zero,
is not valid.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from core.errors import CloudbrushError

MAX_LENGTH = 400
MAX_DEPTH = 24
MAX_NUMBER = 1e12
CHANNELS = (1, 3)

# What a band shows, by the names that common products give it. Sentinel-2 numbers with two digits
# are its own; B2 to B4 are blue, green and red in Landsat 8 too, B5 and up are not the same there.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "coastal": ("B01", "coastal"),
    "blue": ("B02", "B2", "blue", "b"),
    "green": ("B03", "B3", "green", "g"),
    "red": ("B04", "B4", "red", "r"),
    "rededge1": ("B05", "rededge1", "re1"),
    "rededge2": ("B06", "rededge2", "re2"),
    "rededge3": ("B07", "rededge3", "re3"),
    "nir": ("B08", "B8", "nir", "nir1"),
    "nir2": ("B8A", "B08A", "nir2", "nir08"),
    "swir1": ("B11", "swir1", "swir16"),
    "swir2": ("B12", "swir2", "swir22"),
    "vv": ("VV", "Sigma0_VV", "Gamma0_VV", "vv_db"),
    "vh": ("VH", "Sigma0_VH", "Gamma0_VH", "vh_db"),
    "hh": ("HH", "Sigma0_HH", "Gamma0_HH"),
    "hv": ("HV", "Sigma0_HV", "Gamma0_HV"),
}

# How many values each function takes; None: two or more.
FUNCTIONS: Mapping[str, int | None] = {
    "abs": 1,
    "clip": 3,
    "log10": 1,
    "max": None,
    "min": None,
    "sqrt": 1,
}

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|[-+*/(),])",
    re.ASCII,
)

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class BadExpression(CloudbrushError, ValueError):
    """An expression cannot be understood; `at` is the place in its text, from 0."""

    def __init__(self, at: int, *, found: str, expected: str, todo: str = "") -> None:
        self.at = at
        where = f"expression, character {at + 1}"
        super().__init__(where, found=found, expected=expected, todo=todo)


@dataclass(frozen=True)
class Number:
    """A number of the text."""

    value: float


@dataclass(frozen=True)
class Band:
    """The values of one band; `index` counts the layer's bands from 0."""

    index: int


@dataclass(frozen=True)
class Call:
    """A function, or one of the signs + - * / ** and "negative", of its parts."""

    name: str
    parts: tuple["Node", ...]


Node = Number | Band | Call


@dataclass(frozen=True)
class Expression:
    """A parsed expression: one channel for grey or three for colours, and the bands it reads."""

    text: str
    channels: tuple[Node, ...]
    bands: tuple[int, ...]


def vocabulary(bands: Sequence[str]) -> dict[str, int]:
    """Return the names that an expression may use, in lower case, with the band of each (from 0).

    A name that would fit two bands fits none.
    """
    own = [band.strip().lower() for band in bands]
    names = {name: i for i, name in enumerate(own) if own.count(name) == 1}
    for role, known in ALIASES.items():
        lower = [name.lower() for name in known]
        fits = [i for i, name in enumerate(own) if name in lower]
        if len(fits) == 1:
            for name in (role, *lower):
                names.setdefault(name, fits[0])
    for i in range(len(own)):
        names.setdefault(f"band{i + 1}", i)
    return names


def parse(text: str, bands: Sequence[str]) -> Expression:
    """Return the expression over a layer's band names; raises `BadExpression` with the place."""
    return _Parser(text, bands).expression()


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, bands: Sequence[str]) -> None:
        if len(text) > MAX_LENGTH:
            found = f"{len(text)} characters"
            raise BadExpression(MAX_LENGTH, found=found, expected=f"at most {MAX_LENGTH}")
        self.text, self.bands = text, bands
        self.names = vocabulary(bands)
        self.tokens = _tokens(text)
        self.used: set[int] = set()
        self.depth = 0

    def expression(self) -> Expression:
        channels = [self.sum()]
        while self.takes(","):
            channels.append(self.sum())
        if self.tokens[0].kind != "end":
            self.refuse("a sign such as + or the end")
        if len(channels) not in CHANNELS:
            found = f"{len(channels)} expressions with commas between"
            raise BadExpression(0, found=found, expected="one, or three for red, green and blue")
        return Expression(self.text.strip(), tuple(channels), tuple(sorted(self.used)))

    def takes(self, *signs: str) -> str | None:
        """Return the next token's text and go on if it is one of these signs."""
        token = self.tokens[0]
        if token.kind != "sign" or token.text not in signs:
            return None
        self.tokens.pop(0)
        return token.text

    def refuse(self, expected: str) -> NoReturn:
        token = self.tokens[0]
        found = "the end" if token.kind == "end" else repr(token.text)
        raise BadExpression(token.at, found=found, expected=expected)

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(f"at most {MAX_DEPTH} levels of parentheses and powers")
        node = self.product()
        while sign := self.takes("+", "-"):
            node = Call(sign, (node, self.product()))
        self.depth -= 1
        return node

    def product(self) -> Node:
        node = self.sign()
        while sign := self.takes("*", "/"):
            node = Call(sign, (node, self.sign()))
        return node

    def sign(self) -> Node:
        negative = False
        while sign := self.takes("-", "+"):
            negative ^= sign == "-"
        node = self.power()
        return Call("negative", (node,)) if negative else node

    def power(self) -> Node:
        node = self.atom()
        if not self.takes("**"):
            return node
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(f"at most {MAX_DEPTH} levels of parentheses and powers")
        node = Call("**", (node, self.sign()))
        self.depth -= 1
        return node

    def atom(self) -> Node:
        token = self.tokens[0]
        if self.takes("("):
            node = self.sum()
            if not self.takes(")"):
                self.refuse("a closing parenthesis")
            return node
        if token.kind == "number":
            self.tokens.pop(0)
            return Number(_number(token))
        if token.kind != "name":
            self.refuse("a number, a band, a function or a parenthesis")
        self.tokens.pop(0)
        if self.tokens[0].text == "(":
            return self.call(token)
        return self.band(token)

    def band(self, token: _Token) -> Node:
        index = self.names.get(token.text.lower())
        if index is None:
            expected = "a band: " + ", ".join(_shown(self.bands))
            if token.text.lower() in FUNCTIONS:
                expected = f"a parenthesis after {token.text.lower()}"
            raise BadExpression(token.at, found=repr(token.text), expected=expected)
        self.used.add(index)
        return Band(index)

    def call(self, token: _Token) -> Node:
        name = token.text.lower()
        if name not in FUNCTIONS:
            expected = "a function: " + ", ".join(FUNCTIONS)
            raise BadExpression(token.at, found=repr(token.text), expected=expected)
        self.takes("(")
        parts = [self.sum()]
        while self.takes(","):
            parts.append(self.sum())
        if not self.takes(")"):
            self.refuse("a comma or a closing parenthesis")
        wanted = FUNCTIONS[name]
        if len(parts) != wanted if wanted is not None else len(parts) < 2:
            expected = f"{wanted}" if wanted is not None else "two or more"
            found = f"{len(parts)} values in {name}"
            raise BadExpression(token.at, found=found, expected=expected)
        return Call(name, tuple(parts))


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            expected = "numbers, band names, + - * / ** ( ) and functions"
            raise BadExpression(at, found=repr(text[at]), expected=expected)
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def _number(token: _Token) -> float:
    value = float(token.text)
    if value > MAX_NUMBER:
        expected = f"a number up to {MAX_NUMBER:g}"
        raise BadExpression(token.at, found=token.text[:40], expected=expected)
    return value


def _shown(bands: Sequence[str], most: int = 20) -> list[str]:
    """Return names that can be written in an expression, for a message."""
    named = [band if _TOKEN.fullmatch(band) else f"band{i + 1}" for i, band in enumerate(bands)]
    return named[:most] + (["..."] if len(named) > most else [])


def evaluate(
    expression: Expression, values: Mapping[int, Array], valid: Mask
) -> tuple[Array, Mask]:
    """Return float32 [C, H, W] and valid [H, W]; `values` holds [H, W] of each band it reads.

    Pixels whose result is not a finite number are not valid, and 0.
    """
    with np.errstate(all="ignore"):
        channels = [
            np.broadcast_to(np.asarray(_value(node, values), np.float32), valid.shape)
            for node in expression.channels
        ]
    result = np.stack(channels)
    valid = valid & np.isfinite(result).all(axis=0)
    result[:, ~valid] = 0
    return result, valid


def _value(node: Node, values: Mapping[int, Array]) -> npt.NDArray[np.floating] | np.floating:
    if isinstance(node, Number):
        return np.float32(node.value)
    if isinstance(node, Band):
        return values[node.index]
    parts = [_value(part, values) for part in node.parts]
    return _apply(node.name, parts)


def _apply(
    name: str, parts: list[npt.NDArray[np.floating] | np.floating]
) -> npt.NDArray[np.floating] | np.floating:
    """Return one operation; every operand is float32, so that no number can grow without end."""
    first = parts[0]
    if name in _UNARY:
        found: npt.NDArray[np.floating] = _UNARY[name](first)
        return found
    if name == "clip":
        found = np.minimum(np.maximum(first, parts[1]), parts[2])
        return found
    for other in parts[1:]:
        first = _BINARY[name](first, other)
    return first


_UNARY = {"negative": np.negative, "abs": np.abs, "log10": np.log10, "sqrt": np.sqrt}
_BINARY = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "min": np.minimum,
    "max": np.maximum,
}
