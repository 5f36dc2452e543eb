"""What pages ask for that depends on the dataset: how to split, and what its codes mean."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from app import session
from core import catalogue, jobs, legend
from core.ingest import import_dataset
from core.settings import Settings
from core.store.engine import Store
from data.readers import cloudlulc as reader
from data.readers import published_names
from tests.fixtures import bright, cloudlulc
from tests.fixtures.base import write_list


@pytest.fixture
def pages(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(session, "_served", (settings, store))
    monkeypatch.setattr(jobs, "ensure_runner", lambda _settings: None)
    return settings


def page_of(name: str, store: Store, project: int | None = None) -> AppTest:
    script = f"from app.pages import {name}\n{name}.main()\n"
    page = AppTest.from_string(script, default_timeout=30)
    page.session_state["person_id"] = catalogue.ensure_person(store, "Ada").id
    if project is not None:
        page.query_params["project"] = str(project)
    page.run()
    assert not page.exception
    return page


def shown(page: AppTest) -> str:
    assert not page.exception
    return "\n".join(str(item.value) for item in [*page.info, *page.caption, *page.error])


def select(page: AppTest, label: str) -> Selectbox[str]:
    return next(box for box in page.selectbox if box.label == label)


def test_a_way_of_splitting_is_chosen(pages: Settings, store: Store, tmp_path: Path) -> None:
    ids = ("a-flood_00000000", "a-flood_00000001")
    folder = bright.make(tmp_path / "set", ids)
    for way, held in (("standard_ML", ids[1]), ("dfc25", ids[0])):
        trained = next(name for name in ids if name != held)
        write_list(folder / way / "train_set.txt", [trained])
        write_list(folder / way / "test_set.txt", [held])
    page = page_of("new_project", store)
    page.text_input(key="new_path").set_value(str(folder)).run()
    ways = select(page, "Split by")
    assert ways.value == "standard_ML"
    assert {"dfc25", "zero-shot a-flood", "folders"} <= set(ways.options)
    ways.select("dfc25").run()
    assert not page.exception
    messages = " ".join(page.dataframe[-1].value["message"])
    assert "test tiles of standard_ML under dfc25: 1 in train" in messages


def test_a_legend_is_asked_for_until_it_is_there(
    pages: Settings, store: Store, tmp_path: Path
) -> None:
    folder = cloudlulc.make(tmp_path / "set")
    page = page_of("new_project", store)
    page.text_input(key="new_path").set_value(str(folder)).run()
    assert "does not say what its class codes mean" in shown(page)
    assert "Water, Forest, Grassland" in shown(page)
    found = reader.READER.find(folder)
    project = import_dataset(store, found, "Set", roots=[tmp_path])
    for name in ("train", "compare"):
        asking = page_of(name, store, project.id)
        assert "wait until each code has a name" in shown(asking)
    names = published_names("cloudlulc")
    asking = page_of("train", store, project.id)
    for code, name in zip(cloudlulc.CODES, names, strict=True):
        select(asking, f"Name of code {code}").select(name)
    next(b for b in asking.button if b.label == "Keep these names").click().run()
    assert "wait until" not in shown(asking)
    assert not legend.unnamed(catalogue.project(store, project.id).classes)
    page = page_of("new_project", store)
    page.text_input(key="new_path").set_value(str(folder)).run()
    assert "does not say" not in shown(page)
