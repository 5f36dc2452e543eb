"""Compare with many models: the order, the heat, the cloud levels; and what stands beside them."""

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.compare.facts import facts_of
from app.compare.heat import heat_css
from core import many, scores
from core.aligned import align
from core.classes import OPEN_EARTH_MAP_SAR as CLASSES
from core.clouds.cover import DEFAULT_EDGES
from core.presets import PRESETS
from core.store.engine import Store
from core.trained import add_model, models
from tests.app.scored import ScoredProject, make_scored

SCRIPT = "from app.pages import compare\ncompare.main()\n"
PLAIN = PRESETS["plain"]


@pytest.fixture
def opened(page: AppTest, store: Store) -> ScoredProject:
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.query_params["view"] = "many"
    page.run()
    assert not page.exception
    return made


def test_models_stand_best_first_with_every_class(page: AppTest, opened: ScoredProject) -> None:
    frame = page.dataframe[0].value
    assert list(frame["map"]) == ["New", "Radar", "Old"]
    assert frame["mIoU"].is_monotonic_decreasing
    assert {entry.name for entry in CLASSES.entries} <= set(frame.columns)
    assert frame["Building"].isna().all()  # in no reference
    assert list(frame["network"]) == ["Small U-Net, inputs joined"] * 3
    assert list(frame["inputs"]) == ["optical + SAR", "SAR", "optical + SAR"]
    assert frame["in depth"][0] == f"/compare?project={opened.project_id}&model={opened.after}"
    said = " ".join(caption.value for caption in page.caption)
    assert "6 tiles, 12 images" in said and "Scored against truth" in said


def test_a_class_can_be_followed_through_the_clouds(page: AppTest, opened: ScoredProject) -> None:
    means = page.dataframe[1].value
    assert list(means.columns[:3]) == ["map", "0-5 %", "80-100 %"]
    page.selectbox(key="compare_many_score").set_value(2).run()  # Rangeland
    assert not page.exception
    of_class = page.dataframe[1].value
    assert not of_class["0-5 %"].equals(means["0-5 %"])
    assert "IoU of Rangeland by cloud cover" in " ".join(c.value for c in page.caption)


def test_models_scored_on_other_tiles_are_named(
    page: AppTest, opened: ScoredProject, store: Store
) -> None:
    path = store.workspace / "models" / "late.safetensors"
    card = {"network": "unet", "bands": {"sar": 1}, "sha256": "0"}
    late = add_model(store, opened.project_id, "Late", path, card)
    first = scores.evaluations(store, opened.project_id, model_id=opened.after)
    scores.save_evaluation(store, opened.tiles[0], f"m{late.id}", "truth", first[0].matrix, late.id)
    for tile in opened.tiles[:1]:
        scores.forget_evaluations(store, [tile])
    scores.save_evaluation(store, opened.tiles[0], f"m{late.id}", "truth", first[0].matrix, late.id)
    page.session_state["compare_many"] = [f"m{late.id}", f"m{opened.after}"]
    page.run()
    assert not page.exception
    assert "Late was scored on 1: take it out" in page.info[0].value


def test_nothing_chosen_is_said(page: AppTest, opened: ScoredProject) -> None:
    page.multiselect(key="compare_many").set_value([]).run()
    assert not page.exception and page.info[0].value == "Choose the models to compare."


def test_by_level_of_a_class_is_its_iou(store: Store) -> None:
    made = make_scored(store)
    covers = {date: 0.9 * late for pair in made.dates.values() for late, date in enumerate(pair)}
    scored = align(scores.evaluations(store, made.project_id), ["m1", "m3"], covers)
    frame = many.by_level(scored, DEFAULT_EDGES, PLAIN, CLASSES, 1, draws=20)
    clear = scored.where(scored.covers == 0)
    line = frame[(frame["map"] == "m1") & (frame["level"] == "0-5 %")].iloc[0]
    assert line["score"] == pytest.approx(PLAIN.iou(clear.total("m1"), CLASSES)[0])
    wide = many.levels_wide(frame)
    assert list(wide.columns) == ["map", "0-5 %", "80-100 %", "mean of levels"]
    change = wide["80-100 %"] - wide["0-5 %"]
    pd.testing.assert_series_equal(many.lost(wide), change, check_names=False)


def test_cells_grow_darker_and_stay_readable() -> None:
    def parts(value: float) -> tuple[list[float], bool]:
        css = heat_css(value)
        rgb = bytes.fromhex(css.split("#")[1][:6])
        return [band / 255 for band in rgb], css.endswith("#ffffff")

    shades = [sum(parts(v)[0]) for v in np.linspace(0, 1, 11)]
    assert shades == sorted(shades, reverse=True) and len(set(shades)) == len(shades)
    assert not parts(0.1)[1] and parts(0.95)[1]
    assert heat_css(float("nan")) == "" and heat_css("text") == ""


def test_facts_of_a_model_and_of_labels(store: Store) -> None:
    made = make_scored(store, evaluated=False)
    record = models(store, made.project_id)[0]
    assert facts_of(None)["network"] == "-"
    found = facts_of(record)
    assert found["recipe"] == "Plain" and found["parameters, M"] is None
    record.card.update(parameters=488_000, recipe="Track 1 winner")
    found = facts_of(record)
    assert found["recipe"] == "Track 1 winner" and found["parameters, M"] == 0.488
