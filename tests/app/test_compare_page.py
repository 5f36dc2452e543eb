"""Compare: the sentence, its doubt and rules, tables with links and CSV, and what is missing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.compare.rules import read_edges
from app.compare.stage import _retrained, default_pair
from core import catalogue, jobs, scores
from core.parts import details_of
from core.store.engine import Store
from core.store.tables import EditRow, TileRow
from core.trained import models
from tests.app.scored import ScoredProject, make_scored

SCRIPT = "from app.pages import compare\ncompare.main()\n"


@pytest.fixture
def opened(page: AppTest, store: Store) -> Callable[..., ScoredProject]:
    def run(**options: object) -> ScoredProject:
        made = make_scored(store, **options)  # type: ignore[arg-type]
        page.query_params["project"] = str(made.project_id)
        page.run()
        assert not page.exception
        return made

    return run


def headings(page: AppTest) -> list[str]:
    return [heading.value for heading in page.subheader]


def captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption)


def test_without_a_project_it_says_where_to_go(page: AppTest) -> None:
    assert "No project is open" in page.run().info[0].value


def test_without_scores_it_leads_to_training(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened(evaluated=False)
    assert "Nothing has been scored" in page.info[0].value
    assert page.button[0].label == "Go to Train"


def test_it_says_when_scoring_is_under_way(
    page: AppTest,
    opened: Callable[..., ScoredProject],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "ensure_runner", lambda _settings: None)
    made = opened(evaluated=False)
    jobs.add(store, "evaluate", {}, project_id=made.project_id)
    page.run()
    assert not page.exception
    assert [info.value for info in page.info] == [
        "Scoring is under way. This page shows the comparison when it is done."
    ]
    assert not page.button


def test_first_comes_a_sentence_with_size_interval_and_rule(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened()
    sentence = headings(page)[0]
    assert sentence.startswith("New gains ")
    assert "95 % interval +" in sentence and "6 tiles" in sentence
    assert "by the rules of DFC2025 Track 1" in sentence
    assert "Rangeland (-" in sentence and "got worse" in sentence
    assert "Scored against truth" in captions(page)


def test_every_section_is_there(page: AppTest, opened: Callable[..., ScoredProject]) -> None:
    opened()
    assert headings(page)[1:] == [
        "Under clouds",
        "Classes under clouds",
        "Classes",
        "What is taken for what",
        "Groups",
        "Edges",
        "Tiles, worst first",
    ]
    assert len(page.get("plotly_chart")) == 5
    assert len(page.get("download_button")) == 8


def test_absent_class_is_a_dash_and_left_out_of_the_mean(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened()
    overall = page.dataframe[0].value
    assert list(overall["classes in mean"]) == [7, 7]
    by_class = next(f.value for f in page.dataframe if "lacking" in f.value.columns)
    assert by_class["class"].iloc[-1] == "Building"
    assert by_class["class"].iloc[0] == "Rangeland"
    assert by_class["IoU after"].isna().iloc[-1]


def test_preset_changes_the_means_and_says_its_rule_beside_them(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened()
    before = [frame.value for frame in page.dataframe]
    assert "a false alarm. Left out of the mean: code 0." in captions(page)
    assert "Mean over 7 of 8 classes; Building not in the reference, left out." in captions(page)
    page.selectbox(key="compare_preset").set_value("dfc25_t2").run()
    after = [frame.value for frame in page.dataframe]
    assert before[0]["mIoU"].iloc[0] > after[0]["mIoU"].iloc[0]
    same = ["overall accuracy", "kappa", "weighted IoU", "tiles", "pixels"]
    assert before[0][same].equals(after[0][same])
    assert "Building not in the reference, counted as 0." in captions(page)
    assert "location F1" not in after[0].columns


def test_leading_figure_is_the_one_that_the_benchmark_ranks_by(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    page.session_state["compare_preset"] = "dfc2020"
    opened()
    assert "points of mean class accuracy" in headings(page)[0]
    assert list(page.dataframe[0].value.columns[1:4]) == [
        "mean class accuracy",
        "mean class accuracy from",
        "mean class accuracy to",
    ]


def test_own_switches_are_three_and_separate(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    switches = {
        "compare_preset": "plain",
        "compare_ignore": [2],
        "compare_exclude": [1],
        "compare_absent": "zero",
    }
    for key, value in switches.items():
        page.session_state[key] = value
    opened()
    said = captions(page)
    assert (
        "false alarm. Reference pixels of code 2 are ignored. Left out of the mean: code 1." in said
    )
    assert (
        "Mean over 6 of 8 classes" in said and "Building not in the reference, counted as" in said
    )


def test_legacy_mean_is_shown_only_when_asked_for_and_only_by_its_name(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened()
    legacy = "batch-mean mIoU (legacy)"
    assert legacy not in page.dataframe[0].value.columns
    next(n for n in page.number_input if legacy in n.label).set_value(3).run()
    frame = page.dataframe[0].value
    assert 0 < frame[legacy].iloc[0] < 1
    assert frame[legacy].iloc[0] != pytest.approx(frame["mIoU"].iloc[0], abs=1e-4)


def frame_with(page: AppTest, *columns: str) -> pd.DataFrame:
    return next(f.value for f in page.dataframe if set(columns) <= set(f.value.columns))


def test_groups_can_be_any_mix(page: AppTest, opened: Callable[..., ScoredProject]) -> None:
    made = opened()
    assert list(dict.fromkeys(frame_with(page, "region")["region"])) == ["north", "south"]
    page.session_state["compare_group_by"] = ["cloud", "region"]
    page.run()
    assert not page.exception
    assert len(frame_with(page, "cloud level", "region", "map")) == 8
    assert list(frame_with(page, "groups")["groups"]) == [4, 4]
    page.session_state["compare_group_by"] = ["input"]
    maps = [f"m{model}" for model in (made.before, made.after, made.sar)]
    page.multiselect(key="compare_group_maps").set_value(maps).run()
    assert not page.exception
    frames = [f.value for f in page.dataframe if "SAR" in set(f.value.get("map", ()))]
    assert list(frames[0]["map"]) == ["optical and SAR", "SAR"]


def test_pixels_are_grouped_by_who_is_behind_the_label(
    page: AppTest, opened: Callable[..., ScoredProject], store: Store
) -> None:
    made = make_scored(store, reference="frozen")
    edit_tile(store, made.tiles[0])
    page.query_params["project"] = str(made.project_id)
    page.session_state["compare_group_by"] = ["labeler", "provenance"]
    page.run()
    assert not page.exception
    frame = frame_with(page, "labeler", "provenance")
    assert list(dict.fromkeys(zip(frame["labeler"], frame["provenance"], strict=True))) == [
        ("nobody", "as it came"),
        ("Ada", "verified"),
    ]
    of_ada = frame[frame["labeler"] == "Ada"]
    assert (of_ada["tiles"] == 1).all() and (of_ada["overall accuracy"] == 1).all()


def edit_tile(store: Store, tile_id: int) -> None:
    """Let Ada have verified two pixels of class 0 that every map gets right."""
    ada = catalogue.ensure_person(store, "Ada").id
    nothing = dict.fromkeys(("mask", "old_values", "new_values"), b"")
    nothing |= dict.fromkeys(("old_provenance", "new_provenance"), b"")
    box: dict[str, Any] = {"y0": 0, "x0": 0, "h": 1, "w": 2, "pixels": 2, "version": 1}
    with store.write() as session:
        row = EditRow(
            tile_id=tile_id,
            base_version=0,
            client_id="tab",
            seq=1,
            person_id=ada,
            tool="brush",
            from_classes=[],
            panes_shown=[],
            **box,
            **nothing,
        )
        session.add(row)
    right = np.zeros((9, 9), np.int64)
    right[0, 0] = 2
    every = scores.evaluations(store, 1, tile_id=tile_id)
    for e in every:
        parts = details_of({(0, 0): e.matrix - right, (2, ada): right})
        scores.save_evaluation(
            store,
            e.tile_id,
            e.source,
            e.reference,
            e.matrix,
            e.model_id,
            e.acquisition_id,
            {"parts": parts},
        )


def test_test_split_is_never_mixed_with_other_tiles(
    page: AppTest, opened: Callable[..., ScoredProject], store: Store
) -> None:
    made = make_scored(store)
    with store.write() as session:
        for tile in made.tiles[3:]:
            found = session.get(TileRow, tile)
            assert found is not None
            found.split = "test"
    page.query_params["project"] = str(made.project_id)
    page.run()
    assert set(frame_with(page, "region")["region"]) == {"north"}
    page.session_state["compare_test"] = True
    page.run()
    assert not page.exception
    assert set(frame_with(page, "region")["region"]) == {"south"}


def test_edges_of_levels_can_be_changed(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened()
    page.text_input(key="compare_edges").set_value("0, 3, 90, 100").run()
    levels = next(f.value for f in page.dataframe if "level" in f.value.columns)
    assert list(dict.fromkeys(levels["level"])) == ["0-3 %", "3-90 %", "90-100 %"]
    page.text_input(key="compare_edges").set_value("5, 3").run()
    assert "rising numbers" in page.error[0].value
    assert not page.exception


def test_radar_is_flat_across_levels(page: AppTest, opened: Callable[..., ScoredProject]) -> None:
    opened()
    levels = next(f.value for f in page.dataframe if "level" in f.value.columns)
    assert levels[levels["map"] == "Radar"]["mIoU"].nunique() == 1
    assert levels[levels["map"] == "New"]["mIoU"].nunique() == 2


def test_scores_against_pseudo_labels_are_flagged(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened(reference="pseudo")
    assert page.warning[0].value.startswith("Against pseudo-labels")


def test_tiles_come_worst_first_with_links(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    made = opened()
    tiles = page.dataframe[-1].value
    assert tiles["mIoU after"].is_monotonic_increasing
    first = tiles["open"].iloc[0]
    cloudy = {tile: dates[1] for tile, dates in made.dates.items()}
    assert first == (
        f"/correct?project={made.project_id}&tile={made.tiles[0]}"
        f"&acquisition={cloudy[made.tiles[0]]}"
    )


def test_damage_is_shown_per_event_and_building(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened(kind="damage")
    assert "Buildings" in headings(page) and "Groups" in headings(page)
    frames = [f.value for f in page.dataframe if "event" in f.value.columns]
    by_building, events = frames
    assert {"location F1", "damage F1", "damage F1 (present classes)", "mIoU"} <= set(
        events.columns
    )
    assert (events["damage F1"] == 0).all() and (events["damage F1 (present classes)"] > 0).all()
    assert by_building["buildings"].between(50, 60).all()  # 3 tiles of 2 classes, 9 or 10 each
    assert "Plain means over these groups" in captions(page)
    buildings = next(f.value for f in page.dataframe if "buildings" in f.value.columns)
    assert "Background" not in set(buildings["class"])


def test_maps_on_different_ground_are_not_compared(
    page: AppTest, opened: Callable[..., ScoredProject]
) -> None:
    opened()
    same = page.selectbox[0].value
    page.selectbox[1].set_value(same).run()
    assert "two different maps" in page.info[0].value


def test_model_in_the_address_is_the_one_after(page: AppTest, store: Store) -> None:
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.query_params["model"] = str(made.sar)
    page.run()
    assert headings(page)[0].startswith("Radar ")


def test_a_model_made_from_the_promoted_one_is_compared_with_it(store: Store) -> None:
    made = make_scored(store)
    known = models(store, made.project_id)
    names = [f"m{model.id}" for model in known]
    child = replace(known[2], parent_id=known[0].id)
    assert _retrained(names, [*known[:2], child], known[0]) == child
    assert _retrained(names[:2], [*known[:2], child], known[0]) == known[0]
    assert _retrained(names, known, None) is None


def test_default_pair_is_the_promoted_model_and_its_parent(store: Store) -> None:
    made = make_scored(store)
    known = models(store, made.project_id)
    names = [f"m{model.id}" for model in known]
    assert default_pair(names, known, known[1]) == (names[0], names[1])
    assert default_pair(names, known, None) == (names[1], names[2])
    assert default_pair(["label/0", "label/now"], [], None) == ("label/0", "label/now")
    assert default_pair(["label/0", names[0]], known[:1], known[0]) == ("label/0", names[0])


@pytest.mark.parametrize(
    ("text", "edges"),
    [("0, 50, 100", (0.0, 0.5, 1.0)), ("0,100", (0.0, 1.0)), ("0, x", None), ("10, 100", None)],
)
def test_edges_are_read_as_percentages(text: str, edges: tuple[float, ...] | None) -> None:
    assert read_edges(text) == edges
