from pathlib import Path

import pytest

from core import catalogue, options
from core.clouds.cover import DEFAULT_EDGES
from core.errors import CloudbrushError, NotFound
from core.store.engine import Store
from tests.scene import make_scene


def test_edges_of_cloud_levels_are_kept_with_the_project(store: Store, tmp_path: Path) -> None:
    project_id = make_scene(store, tmp_path / "scene").project_id
    assert options.cloud_edges(catalogue.project(store, project_id)) == DEFAULT_EDGES
    options.set_cloud_edges(store, project_id, (0.0, 0.1, 1.0))
    assert options.cloud_edges(catalogue.project(store, project_id)) == (0.0, 0.1, 1.0)
    options.set_option(store, project_id, options.CLOUD_EDGES, None)
    assert options.cloud_edges(catalogue.project(store, project_id)) == DEFAULT_EDGES


def test_edges_that_do_not_rise_are_refused_and_nothing_is_kept(
    store: Store, tmp_path: Path
) -> None:
    project_id = make_scene(store, tmp_path / "scene").project_id
    with pytest.raises(CloudbrushError, match="edges of cloud levels"):
        options.set_cloud_edges(store, project_id, (0.0, 0.5, 0.4, 1.0))
    assert catalogue.project(store, project_id).options == {}


def test_a_broken_setting_falls_back_to_the_default(store: Store, tmp_path: Path) -> None:
    project_id = make_scene(store, tmp_path / "scene").project_id
    options.set_option(store, project_id, options.CLOUD_EDGES, ["no", "numbers"])
    assert options.cloud_edges(catalogue.project(store, project_id)) == DEFAULT_EDGES


def test_a_setting_of_no_project_is_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        options.set_option(store, 99, "x", 1)
