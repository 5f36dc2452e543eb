"""Clouds: what is known, jobs that find and simulate, the preview, and edges of levels."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import catalogue, jobs
from core.clouds.cover import DEFAULT_EDGES, EVEN_EDGES
from core.clouds.simulator import Sky
from core.options import cloud_edges
from core.store.engine import Store
from core.store.tables import AcquisitionRow
from models.clouds import simulate_all
from tests.scene import Scene, make_scene

SCRIPT = "from app.pages import clouds\nclouds.main()\n"


@pytest.fixture
def scene(page: AppTest, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Return a project of one tile that is open on the page; jobs are queued and not run."""
    monkeypatch.setattr(jobs, "ensure_runner", lambda *_, **__: None)
    made = make_scene(store, tmp_path / "scene", names=("train",))
    page.query_params["project"] = str(made.project_id)
    page.run()
    assert not page.exception
    return made


def press(page: AppTest, words: str) -> AppTest:
    (button,) = (b for b in page.button if b.label.startswith(words))
    button.click().run()
    assert not page.exception
    return page


def test_without_a_project_it_says_where_to_go(page: AppTest) -> None:
    assert "No project is open" in page.run().info[0].value


def test_clouds_that_are_not_known_are_found_by_a_job_and_not_twice_at_once(
    page: AppTest, store: Store, scene: Scene
) -> None:
    table = page.dataframe[0].value
    assert table.to_dict("records") == [{"how it is known": "not known", "images": 1}]
    assert any("no clear image to draw clouds on" in info.value for info in page.info)
    press(page, "Find cloud levels")
    (job,) = jobs.jobs(store, scene.project_id, kind="clouds")
    assert job.payload == {"method": "auto", "again": False}
    assert all(b.disabled for b in page.button if b.label == "Find cloud levels")


def test_the_preview_shows_each_cover_and_the_job_gets_the_same_sky(
    page: AppTest, store: Store, scene: Scene
) -> None:
    with store.write() as session:
        row = session.get(AcquisitionRow, scene.acquisitions["train"])
        assert row is not None
        row.thin = row.thick = 0.0
    simulate_all(store, catalogue.tiles(store, scene.project_id), [0.5], Sky(0))
    press(page.run(), "Remove 1 simulated")
    assert len(catalogue.acquisitions(store, scene.tile)) == 1
    page.button_group(key="sky_covers").set_value([0.5, 1.0])
    page.number_input(key="sky_seed").set_value(4).run()
    assert len(page.get("image")) == 2
    press(page, "Simulate clouds over")
    (job,) = jobs.jobs(store, scene.project_id, kind="simulate_clouds")
    assert job.payload["covers"] == [0.5, 1.0]
    assert Sky.from_json(job.payload["sky"]).seed == 4


def test_edges_are_kept_with_the_project_and_unknown_ones_are_said_to_be(
    page: AppTest, store: Store, scene: Scene
) -> None:
    page.selectbox(key="edges_preset").set_value("Even steps of 20 %").run()
    assert cloud_edges(catalogue.project(store, scene.project_id)) == EVEN_EDGES
    page.selectbox(key="edges_preset").set_value("CloudLULC-Set").run()
    assert any("not published" in info.value for info in page.info)
    page.selectbox(key="edges_preset").set_value("Own edges").run()
    page.text_input(key="edges_own").set_value("0, 30, 100").run()
    assert cloud_edges(catalogue.project(store, scene.project_id)) == (0.0, 0.3, 1.0)
    page.text_input(key="edges_own").set_value("0, 30, 20").run()
    assert "rising numbers" in page.error[0].value
    assert cloud_edges(catalogue.project(store, scene.project_id)) != DEFAULT_EDGES
