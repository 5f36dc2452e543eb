"""Charts: axes with units, absent classes as dashes, labels that do not lie on each other."""

import numpy as np
import pytest

from app import charts
from core import comparison
from core.aligned import Scored, align
from core.classes import OPEN_EARTH_MAP_SAR as CLASSES
from core.clouds.cover import DEFAULT_EDGES
from core.grouping import Facts, group_frame
from core.presets import PRESETS
from core.scores import evaluations
from core.store.engine import Store
from tests.app.scored import make_scored

PLAIN = PRESETS["plain"]


@pytest.fixture
def scored(store: Store) -> Scored:
    made = make_scored(store)
    covers = {date: 0.9 * late for pair in made.dates.values() for late, date in enumerate(pair)}
    found = evaluations(store, made.project_id)
    return align(found, ["m1", "m2", "m3"], covers)


def test_curve_has_a_line_per_model_and_a_flat_one(scored: Scored) -> None:
    levels = comparison.level_frame(scored, DEFAULT_EDGES, PLAIN, CLASSES, draws=20)
    flat = comparison.overall_frame(scored, PLAIN, CLASSES, draws=20).query("map == 'm3'")
    titles = {"m1": "Old", "m2": "New", "m3": "Radar"}
    bent = levels[levels["map"] != "m3"]
    figure = charts.cloud_curve(bent, flat, titles, DEFAULT_EDGES)
    assert [trace.name for trace in figure.data] == ["Old", "New", "Radar"]
    assert len(set(figure.data[2].y)) == 1
    assert len({trace.line.dash for trace in figure.data}) == 3
    assert figure.layout.yaxis.range == (0, 1)
    assert "%" in figure.layout.xaxis.title.text
    labels = {note.text for note in figure.layout.annotations}
    assert labels == {"Old", "New", "Radar: any cloud"}


def test_long_names_of_models_end_inside_the_chart(scored: Scored) -> None:
    levels = comparison.level_frame(scored, DEFAULT_EDGES, PLAIN, CLASSES, draws=20)
    titles = dict.fromkeys(("m1", "m2", "m3"), "A model with a name that goes on and on and on")
    figure = charts.cloud_curve(levels, levels[:0], titles, DEFAULT_EDGES)
    texts = {note.text for note in figure.layout.annotations}
    assert all(len(text) <= charts.LABEL_CHARS and text.endswith("…") for text in texts)


def test_bars_carry_class_colours_and_changes(scored: Scored) -> None:
    frame = comparison.class_frame(scored, "m1", "m2", PLAIN, CLASSES, draws=50)
    figure = charts.class_bars(frame, CLASSES, "Old", "New")
    assert figure.data[0].y[-1] == frame["class"][0]  # drawn from the bottom up
    worst = CLASSES.entry(int(frame["code"][0])).colour
    assert figure.data[0].marker.color[-1] == worst
    assert {trace.marker.pattern.shape for trace in figure.data} == {"", "/"}
    notes = {note.y: note.text for note in figure.layout.annotations}
    assert notes["Building"].startswith("-  (not in the reference)")


def test_absent_class_is_a_dash_in_the_heat_map(scored: Scored) -> None:
    frame = comparison.level_class_frame(scored, "m2", DEFAULT_EDGES, PLAIN, CLASSES)
    frame = frame[frame["level"].isin(["0-5 %", "80-100 %"])]
    figure = charts.level_heat(frame, "iou")
    texts = dict(
        zip(zip(frame["class"], frame["level"], strict=True), figure.data[1].text, strict=True)
    )
    assert texts["Building", "0-5 %"] == "-"
    assert texts["Tree", "0-5 %"] != "-"


def test_confusion_shows_shares_of_the_reference(scored: Scored) -> None:
    figure = charts.confusion_heat(scored.total("m1"), CLASSES)
    shares = np.array(figure.data[0].z, float)
    assert np.allclose(np.nansum(shares[:-1], 1), 1)
    assert np.isnan(shares[-1]).all()
    assert list(figure.data[0].x) == [entry.name for entry in CLASSES.entries]


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    moved = charts.spread([0.5, 0.5, 0.2, 0.51], 0.05)
    assert sorted(np.diff(sorted(moved)))[0] >= 0.05 - 1e-9
    assert np.argsort(moved, kind="stable").tolist() == [2, 0, 1, 3]


def test_groups_are_rows_and_maps_are_markers_that_do_not_hide_each_other(scored: Scored) -> None:
    facts = Facts(DEFAULT_EDGES, dict.fromkeys(range(1, 4), "north"))
    frame = group_frame(scored, ["region"], facts, PLAIN, CLASSES, draws=20)
    figure = charts.group_dots(frame, {"m1": "Old", "m2": "New", "m3": "Radar"}, "mIoU")
    assert list(figure.layout.yaxis.ticktext) == ["north", "not known"]
    assert len({trace.marker.symbol for trace in figure.data}) == 3
    heights = [y for trace in figure.data for y in trace.y]
    assert len(set(heights)) == 6 and max(abs(y - round(y)) for y in heights) < 0.5
    assert list(figure.data[1].customdata[0][:3]) == ["m2", "north", 3]
    assert figure.layout.xaxis.title.text == "mIoU"
