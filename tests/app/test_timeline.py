"""The route of the timeline: pages of edits, newest first."""

import pytest
from starlette.applications import Starlette

from app import access
from app.routes import routes
from core import history
from core.settings import Settings, load_settings
from core.store.engine import Store
from core.stroke import Stroke, Tool
from tests.app.client import Client
from tests.app.test_live import paint
from tests.scene import Scene, make_scene
from tests.strokes import save, stroke


@pytest.fixture
def scene(store: Store, settings: Settings) -> Scene:
    return make_scene(store, settings.workspace.parent / "data")


@pytest.fixture
def ada(scene: Scene) -> Client:
    app = Starlette(routes=routes(scene.store, load_settings()))
    return Client(app, access.mint(scene.store, scene.ada, scene.project_id, "view"))


def test_pages_lead_from_the_newest_edit_to_the_first(ada: Client, scene: Scene) -> None:
    paint(scene, 25)
    seen: list[int] = []
    before, more = "", True
    while more:
        found = ada.get(f"/tile/{scene.tile}/timeline?limit=10{before}").json()
        seen += [edit["version"] for edit in found["edits"]]
        before, more = f"&before={seen[-1]}", found["more"]
    assert seen == list(range(25, 0, -1))
    assert (found["version"], found["people"][0]["edits"]) == (25, 25)


def test_an_edit_says_what_it_did(ada: Client, scene: Scene) -> None:
    box = (0, 0, 1, 2)
    codes = [int(code) for code in scene.label[0, :2]]
    save(scene, stroke(box, seq=1, to_class=0, panes_shown=("sar",), restrict="cloudy"))
    save(scene, Stroke("other", 2, 1, Tool.UNDO), scene.ada)
    save(scene, stroke((9, 9, 1, 1), client="ben", seq=3, to_class=0), scene.ben)
    third, second, first = ada.get(f"/tile/{scene.tile}/timeline").json()["edits"]
    assert (first["tool"], first["effect"], first["person"]) == ("brush", "class", "Ada")
    assert {(old, new) for old, new, _ in first["changes"]} == {(code, 0) for code in codes}
    assert (first["box"], first["pixels"]) == (list(box), 2)
    assert (first["panes"], first["restrict"], first["reverses"]) == (["sar"], "cloudy", None)
    assert (second["tool"], second["effect"], second["reverses"]) == ("undo", None, 1)
    assert (third["person"], third["version"]) == ("Ben", 3)
    alone = ada.get(f"/tile/{scene.tile}/timeline?person={scene.ben}").json()
    assert [edit["version"] for edit in alone["edits"]] == [3]
    assert [one["name"] for one in alone["people"]] == ["Ada", "Ben"]


def test_a_tile_without_edits_has_an_empty_story(ada: Client, scene: Scene) -> None:
    found = ada.get(f"/tile/{scene.tile}/timeline").json()
    assert found == {"version": 0, "people": [], "edits": [], "more": False}


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "before=-1", "person=a"])
def test_odd_questions_are_refused(ada: Client, scene: Scene, query: str) -> None:
    assert ada.get(f"/tile/{scene.tile}/timeline?{query}").status == 400


def test_the_story_is_for_those_who_may_see_the_tile(ada: Client, scene: Scene) -> None:
    outside = Client(ada.app, access.mint(scene.store, scene.ada, scene.project_id + 1, "edit"))
    assert outside.get(f"/tile/{scene.tile}/timeline").status == 403
    assert Client(ada.app).get(f"/tile/{scene.tile}/timeline").status == 401
    assert history.current(scene.store, scene.tile).version == 0
