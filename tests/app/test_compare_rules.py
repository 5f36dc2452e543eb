"""Which rules Compare offers, what it says of those of others, and why an interval is missing."""

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from app.compare.rules import presets_offered
from core import catalogue
from core.presets import PRESETS
from core.store.engine import Store
from tests.app.scored import make_scored

SCRIPT = "from app.pages import compare\ncompare.main()\n"


def test_rules_fit_the_project_and_its_own_come_first(store: Store) -> None:
    project = catalogue.project(store, make_scored(store).project_id)
    land_cover = presets_offered(project)
    assert land_cover[0] == project.preset
    patches = {name for name, preset in PRESETS.items() if preset.per_patch}
    assert patches and not patches & set(land_cover)
    assert set(land_cover) == set(PRESETS) - patches
    whole = presets_offered(replace(project, kind="patch", preset="patch_labels"))
    assert whole[0] == "patch_labels"
    assert set(whole) == {*patches, "plain"}


def test_rules_of_another_benchmark_are_said_to_be_that(page: AppTest, store: Store) -> None:
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.run()

    def captions() -> str:
        return " ".join(caption.value for caption in page.caption)

    assert "Rules of another benchmark" not in captions()
    page.selectbox(key="compare_preset").set_value("dfc2020").run()
    assert "Rules of another benchmark" in captions()
    page.selectbox(key="compare_preset").set_value("plain").run()
    assert "Rules of another benchmark" not in captions()
    page.number_input(key="compare_min_tiles").set_value(1000).run()
    assert "no interval for groups of fewer than 1000 tiles" in captions()
    assert not page.exception


def test_rules_that_do_not_fit_this_project_are_forgotten(page: AppTest, store: Store) -> None:
    made = make_scored(store)
    page.query_params["project"] = str(made.project_id)
    page.session_state["compare_preset"] = "patch_labels"
    page.run()
    assert not page.exception
    own = catalogue.project(store, made.project_id).preset
    assert page.selectbox(key="compare_preset").value == own
