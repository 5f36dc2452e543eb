"""Strokes: what each effect makes of label and provenance, and that undo gives every byte back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.classes import OPEN_EARTH_MAP_SAR, Provenance
from core.errors import BadPatch
from core.grid import Window
from core.patch import Bytes, apply, encode_runs, invert
from core.records import Grid
from core.restrict import Restriction, format_restriction
from core.stroke import Effect, Stroke, Tool, change, check_stroke, effect_of, marked

CLASSES = OPEN_EARTH_MAP_SAR
GRID = Grid(20, 30, (1.0, 0.0, 0.0, 0.0, -1.0, 0.0), None)
KNOWN = (*CLASSES.codes, CLASSES.void_code)
LEGAL = {
    Effect.CLASS: {Provenance.CHANGED},
    Effect.REVERT: {Provenance.PSEUDO},
    Effect.MODEL: {Provenance.MODEL},
    Effect.VERIFY: {Provenance.VERIFIED},
    Effect.UNSURE: {Provenance.UNSURE},
    Effect.VALUES: {Provenance.CHANGED},
}


class State:
    """Labels and provenance of a tile, and the label as it came, uint8 [h, w]."""

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        shape = (GRID.height, GRID.width)
        self.original: Bytes = self.generator.choice(np.array(KNOWN, np.uint8), shape)
        self.labels, self.provenance = self.original.copy(), np.zeros(shape, np.uint8)

    def stroke(self, effect: Effect, restriction: Restriction, to_class: int) -> Stroke:
        """Return a random stroke with that effect."""
        y0, x0 = (int(v) for v in self.generator.integers(0, [GRID.height, GRID.width]))
        box = Window(
            y0,
            x0,
            int(self.generator.integers(1, GRID.height - y0 + 1)),
            int(self.generator.integers(1, GRID.width - x0 + 1)),
        )
        mask = self.generator.random((box.h, box.w)) < 0.6
        values = self.generator.choice(np.array(KNOWN, np.uint8), int(mask.sum()))
        return Stroke(
            "tab",
            1,
            0,
            Tool.BRUSH,
            box,
            encode_runs(mask),
            effect=effect,
            to_class=to_class,
            values=values if effect is Effect.VALUES else None,
            prediction_values=values if effect is Effect.MODEL else None,
            restrict=format_restriction(restriction),
        )

    def change(self, stroke: Stroke) -> Any:
        """Return the patch of a stroke on the labels of now."""
        assert stroke.box is not None
        places = check_stroke(stroke, GRID, CLASSES)
        assert places is not None
        at = (places.rows, places.columns)
        return change(
            stroke, places, self.labels[at], self.provenance[at], self.original[at], CLASSES
        )


steps = st.lists(
    st.tuples(
        st.sampled_from(list(Effect)),
        st.builds(
            Restriction,
            from_codes=st.none() | st.just((1, 3, 8)),
            unverified=st.booleans(),
        ),
        st.sampled_from(KNOWN),
    ),
    min_size=1,
    max_size=25,
)


@given(st.integers(0, 10**6), steps)
def test_values_stay_legal_and_undo_gives_every_byte_back(seed: int, wishes: list[Any]) -> None:
    state, done = State(seed), []
    for effect, restriction, to_class in wishes:
        before = state.labels.copy(), state.provenance.copy()
        stroke = state.stroke(effect, restriction, to_class)
        patch = state.change(stroke)
        if patch is None:
            continue
        apply(state.labels, state.provenance, patch)
        done.append((patch, before))
        changed = (state.labels != before[0]) | (state.provenance != before[1])
        assert set(np.unique(state.labels)) <= set(KNOWN)
        assert changed.sum() == patch.pixels
        assert set(state.provenance[changed]) <= LEGAL[effect]
        assert not (changed[marked_plane(stroke) == 0]).any()
        if restriction.unverified:
            assert not (before[1][changed] == Provenance.VERIFIED).any()
        if restriction.from_codes:
            assert set(before[0][changed]) <= set(restriction.from_codes)
        if effect in (Effect.VERIFY, Effect.UNSURE):
            assert np.array_equal(state.labels, before[0])
        if effect is Effect.VERIFY:
            assert not (before[1][changed] == Provenance.CHANGED).any()
    for patch, (labels, provenance) in reversed(done):
        apply(state.labels, state.provenance, invert(patch))
        assert np.array_equal(state.labels, labels)
        assert np.array_equal(state.provenance, provenance)


def marked_plane(stroke: Stroke) -> np.ndarray:
    """Return bool [H, W] of the tile: the pixels that a stroke marks."""
    places, plane = marked(stroke, GRID), np.zeros((GRID.height, GRID.width), np.bool_)
    plane[places.rows, places.columns] = True
    return plane


@pytest.mark.parametrize("effect", [Effect.CLASS, Effect.MODEL, Effect.VALUES])
def test_a_class_over_itself_confirms_nothing(effect: Effect) -> None:
    state = State(1)
    state.provenance[:] = Provenance.UNSURE
    state.labels[:] = 5
    stroke = state.stroke(effect, Restriction(), 5)
    if effect is not Effect.CLASS:
        field = "values" if effect is Effect.VALUES else "prediction_values"
        count = marked(stroke, GRID).count
        values: dict[str, Any] = {field: np.full(count, 5, np.uint8)}
        stroke = replace(stroke, **values)
    assert state.change(stroke) is None


def test_where_the_model_has_no_answer_the_label_stays() -> None:
    state = State(2)
    stroke = state.stroke(Effect.MODEL, Restriction(), 1)
    count = marked(stroke, GRID).count
    unknown = np.full(count, CLASSES.void_code, np.uint8)
    unknown[::2] = 77
    assert state.change(replace(stroke, prediction_values=unknown)) is None


def test_restored_pixels_get_the_provenance_they_had() -> None:
    state = State(3)
    stroke = state.stroke(Effect.VALUES, Restriction(), 1)
    count = marked(stroke, GRID).count
    behind = state.generator.integers(0, 5, count, dtype=np.uint8)
    patch = state.change(replace(stroke, tool=Tool.RESTORE, provenance_values=behind))
    apply(state.labels, state.provenance, patch)
    plane = marked_plane(stroke)
    assert np.array_equal(state.labels[plane], np.asarray(stroke.values))
    assert np.array_equal(state.provenance[plane], behind)
    with pytest.raises(BadPatch, match="provenance values"):
        state.change(replace(stroke, provenance_values=behind + 5))


@pytest.mark.parametrize(
    ("tool", "effect", "does"),
    [
        ("brush", None, Effect.CLASS),
        ("revert", None, Effect.REVERT),
        ("verify", None, Effect.VERIFY),
        ("import", None, Effect.VALUES),
        ("polygon", "model", Effect.MODEL),
        ("undo", None, None),
    ],
)
def test_old_edits_say_by_their_tool_what_they_did(
    tool: str, effect: str | None, does: Effect | None
) -> None:
    assert effect_of(tool, effect) is does


def test_a_suggestion_is_the_models_word() -> None:
    state = State(4)
    stroke = replace(state.stroke(Effect.VALUES, Restriction(), 1), tool=Tool.SUGGESTION)
    assert set(state.change(stroke).new_provenance) == {Provenance.MODEL}
