"""The land-cover demo as a project: labels wrong as real ones are, and models that clouds bend."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core import catalogue, jobs, metrics, scores, trained
from core.aligned import Scored, align
from core.clouds.cover import DEFAULT_EDGES
from core.errors import CloudbrushError
from core.predictions import predictions
from core.presets import preset
from core.records import Modality, Project, Split
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store
from data.demo.landcover import Size
from models.demo import PROMOTED, SEED, build_labelled, build_land_cover
from models.demo_networks import PSEUDO_LABELLER, STARTING_MODELS

SMALL = Size(regions=2, rows=1, columns=2, tile_px=128)


@dataclass(frozen=True)
class Demo:
    store: Store
    settings: Settings
    project: Project

    @property
    def pseudo(self) -> npt.NDArray[np.int64]:
        """Return the matrix of the pseudo-labels against truth over all tiles."""
        found = scores.evaluations(self.store, self.project.id, reference="truth")
        labels = [e.matrix for e in found if e.source == scores.PSEUDO_LABEL]
        return np.asarray(np.sum(labels, axis=0), np.int64)

    def scored(self) -> tuple[Scored, dict[str, str]]:
        """Return the scores of the starting models by row, and their maps by name."""
        records = trained.models(self.store, self.project.id)
        maps = {"+".join(sorted(record.bands)): f"m{record.id}" for record in records}
        dates = catalogue.project_acquisitions(self.store, self.project.id).values()
        covers = {date.id: date.cover for found in dates for date in found}
        found = scores.evaluations(self.store, self.project.id, reference="truth")
        return align(found, list(maps.values()), covers), maps


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    settings = load_settings(workspace=tmp_path_factory.mktemp("demo"))
    store = open_store(settings)
    yield Demo(store, settings, build_land_cover(store, settings, scoring="now"))
    store.close()


@pytest.mark.long
def test_it_has_four_regions_of_eight_tiles_with_truth_and_five_dates_each(demo: Demo) -> None:
    tiles = catalogue.tiles(demo.store, demo.project.id)
    dates = catalogue.project_acquisitions(demo.store, demo.project.id)
    assert len(tiles) == 32
    assert {len(dates[tile.id]) for tile in tiles} == {5}
    by_region = {tile.region: 0 for tile in tiles}
    for tile in tiles:
        by_region[tile.region] += tile.split is Split.VAL
        assert catalogue.layers(demo.store, tile.id, modality=Modality.TRUTH)
        assert tile.lonlat is not None
    assert list(by_region.values()) == [2, 2, 2, 2]


def test_every_cloud_level_has_validation_tiles(demo: Demo) -> None:
    scored, _ = demo.scored()
    assert min(np.bincount(scored.levels(DEFAULT_EDGES), minlength=5)) >= 4
    assert np.nanmax(scored.covers) > 0.95


def test_pseudo_labels_are_as_wrong_as_published_ones(demo: Demo) -> None:
    by_class = metrics.iou(demo.pseudo)
    mean = preset(demo.project.preset).mean_iou(demo.pseudo, demo.project.classes)
    names = [entry.name for entry in demo.project.classes.entries]
    assert 0.50 <= float(mean) <= 0.62
    assert by_class.min() < 0.15
    assert names[int(by_class.argmin())] == "Bareland"
    assert by_class.max() > 0.75
    assert names[int(by_class.argmax())] == "Water"


def test_optical_wins_under_a_clear_sky_and_sar_under_full_cover(demo: Demo) -> None:
    scored, maps = demo.scored()
    levels = scored.levels(DEFAULT_EDGES)
    rule = preset(demo.project.preset)

    def mean(modality: str, level: int) -> float:
        rows = scored.where(levels == level)
        return float(rule.mean_iou(rows.total(maps[modality]), demo.project.classes))

    assert mean("optical", 0) > mean("sar", 0) + 0.03
    assert mean("sar", 4) > mean("optical", 4) + 0.03
    # A tile with two dates of one level counts twice there; the maps are the same.
    assert mean("sar", 0) == pytest.approx(mean("sar", 4), abs=0.02)
    clear_to_covered = [mean("optical", level) for level in range(5)]
    assert clear_to_covered == sorted(clear_to_covered, reverse=True)


def test_the_promoted_model_has_a_map_of_every_tile(demo: Demo) -> None:
    record = trained.promoted(demo.store, demo.project.id)
    assert record is not None
    assert "+".join(sorted(record.bands)) == PROMOTED
    found = predictions(demo.store, project_id=demo.project.id, model_id=record.id)
    tiles = catalogue.tiles(demo.store, demo.project.id)
    assert {prediction.tile_id for prediction in found} == {tile.id for tile in tiles}


def test_shipped_weights_are_small() -> None:
    for path in (PSEUDO_LABELLER, *STARTING_MODELS.values()):
        assert path.stat().st_size < 3_000_000
        assert path.with_suffix(".json").is_file()


def test_scores_are_queued_for_the_app_to_make(store: Store, settings: Settings) -> None:
    project = build_land_cover(store, settings, size=SMALL, workers=1)
    assert [job.kind for job in jobs.jobs(store, project.id)] in (
        ["predict", "evaluate"],
        ["evaluate", "predict"],
    )
    assert trained.promoted(store, project.id) is not None
    assert not scores.evaluations(store, project.id)


def test_a_second_demo_is_refused_and_the_first_keeps_its_files(
    store: Store, settings: Settings
) -> None:
    project = build_land_cover(store, settings, size=SMALL, workers=1)
    before = {p: p.read_bytes() for p in project.root.rglob("*.tif")}
    with pytest.raises(CloudbrushError, match="land cover"):
        build_land_cover(store, settings, SEED + 1, size=SMALL, workers=1)
    assert before == {p: p.read_bytes() for p in project.root.rglob("*.tif")}


def test_one_seed_gives_the_same_labels(tmp_path: Path) -> None:
    found = []
    for folder in ("first", "second"):
        root = tmp_path / folder
        build_labelled(root, SEED, SMALL)
        found.append({p.name: p.read_bytes() for p in sorted((root / "label").iterdir())})
    assert len(found[0]) == 4
    assert found[0] == found[1]
