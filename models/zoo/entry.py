"""What is known of a network without building it: names for people, sources, options and bounds.

Needs no torch, so that pages stay quick. A network's code is imported when it is built.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import ModelFileError

Task = Literal["land cover", "damage"]


@dataclass(frozen=True)
class Option:
    """One number, switch, word or list of numbers that shapes a network.

    `choices` bounds words; `low` and `high` bound numbers, and for a list each of its numbers;
    `lengths` bounds the length of a list. The bounds keep a hostile card from asking for more
    memory than a machine has. `before` is what networks had before there was this option (None:
    the default), for cards that do not name it.
    """

    default: int | float | bool | str | tuple[int, ...]
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    lengths: tuple[int, int] = (0, 0)
    help: str = ""
    before: bool | None = None

    def accepts(self, value: Any) -> bool:  # noqa: ANN401  # whatever a file says
        """Return whether `value` has the type of the default and lies within the bounds."""
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        if isinstance(self.default, str):
            return value in self.choices
        if isinstance(self.default, tuple):
            fits = isinstance(value, (tuple, list)) and (
                self.lengths[0] <= len(value) <= self.lengths[1]
            )
            return fits and all(self._within(v, int) for v in value)
        return self._within(value, type(self.default))

    def _within(self, value: Any, kind: type) -> bool:  # noqa: ANN401
        numbers = (int, float) if kind is float else int
        return (
            isinstance(value, numbers)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        )

    @property
    def expected(self) -> str:
        """Return in words what is accepted."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return f"one of {', '.join(self.choices)}"
        numbers = f"{self.low:g} to {self.high:g}"
        if isinstance(self.default, tuple):
            return f"{self.lengths[0]} to {self.lengths[1]} numbers from {numbers}"
        return numbers


@dataclass(frozen=True)
class Entry:
    """A network of the table.

    `code` is "module:class". `modalities` are names that must be among its inputs, in that order
    where the network treats them differently; empty: any. `smallest` are the options of the variant
    that tests train. `published` says what the source states, `ours` what we chose because it does
    not. `licence` is that of the source's own code, which we did not copy. `good_for` says in a few
    words when to choose it, after "good for". `post` is what a card says of finishing maps, unless
    told otherwise: nothing, or `core.object_vote.ObjectVote.card`.
    """

    title: str
    code: str
    tasks: tuple[Task, ...]
    source: str
    published: str
    ours: str
    licence: str
    options: Mapping[str, Option] = field(default_factory=dict)
    smallest: Mapping[str, Any] = field(default_factory=dict)
    modalities: tuple[str, ...] = ()
    good_for: str = ""
    post: Mapping[str, Any] = field(default_factory=dict)

    def settle(self, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return every option with its value, lists as tuples.

        Raises `ModelFileError` for an unknown option or a value out of bounds.
        """
        return settle(f"network {name}", self.options, asked)

    def of_card(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a saved card, with those that came later as they were before."""
        late = {k: option.before for k, option in self.options.items() if option.before is not None}
        return late | dict(options)


def settle(where: str, options: Mapping[str, Option], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return every option with the value asked for or its default, lists as tuples.

    Raises `ModelFileError`, which begins with `where`, for an unknown option or a value out of
    bounds.
    """
    for key, value in asked.items():
        option = options.get(key)
        if option is None:
            raise ModelFileError(
                where,
                found=f"option {str(key)[:40]!r}",
                expected=f"of {', '.join(sorted(options)) or 'none'}",
            )
        if not option.accepts(value):
            raise ModelFileError(
                f"{where}, {key}", found=repr(value)[:80], expected=option.expected
            )
    whole = {key: asked.get(key, option.default) for key, option in options.items()}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in whole.items()}
