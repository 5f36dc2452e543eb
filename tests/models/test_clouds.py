"""Cloud levels and simulated images over a project, as jobs do it, and the detector that ships."""

import json
from pathlib import Path

import numpy as np
import pytest

from core import catalogue
from core.clouds import cover as cloud
from core.clouds.images import Light
from core.clouds.simulator import TOLERANCE, Sky
from core.errors import CloudbrushError, JobError
from core.jobs import Attempt, JobContext, add, claim
from core.records import Modality
from core.settings import Settings
from core.store.engine import Store
from core.store.tables import AcquisitionRow, LayerRow
from data.demo.regions import REGIONS
from models import cloud_detector, cloud_s2cloudless, clouds
from models.cloud_measure import agreement, measure
from models.tasks import TASKS
from tests.scene import Scene, make_scene

SKY = Sky(0.0, seed=3, height_m=5)


@pytest.fixture
def scene(store: Store, tmp_path: Path) -> Scene:
    """Return two tiles of 96 px without cloud masks."""
    made = make_scene(store, tmp_path / "s", height=96, width=96, names=("train", "second"))
    with store.write() as session:
        for name in made.tiles:
            mask = session.get(LayerRow, made.layers[name, "cloud"])
            date = session.get(AcquisitionRow, made.acquisitions[name])
            assert mask is not None and date is not None
            session.delete(mask)
            date.thin = date.thick = date.shadow = None
    return made


def context(
    store: Store, settings: Settings, kind: str, scene: Scene, **payload: object
) -> JobContext:
    job = add(store, kind, payload, project_id=scene.project_id)
    attempt = claim(store)
    assert isinstance(attempt, Attempt)
    return JobContext(store, settings, job, attempt)


def dates(store: Store, scene: Scene, name: str = "train") -> dict[str, float | None]:
    return {a.name: a.cover for a in catalogue.acquisitions(store, scene.tiles[name])}


def test_a_job_adds_images_of_the_covers_asked_for_to_every_tile(
    store: Store, settings: Settings, scene: Scene
) -> None:
    asked = context(
        store, settings, "simulate_clouds", scene, covers=[0.0, 0.5, 1.0], sky=SKY.to_json()
    )
    assert TASKS["simulate_clouds"](asked)["done"] == {"made": 6}
    for name in scene.tiles:
        found = dates(store, scene, name)
        assert next(iter(found)) == "May"  # taken as clear, so that it stays the clearest
        assert found == {
            "May": 0.0,
            "simulated 0 %, seed 3": 0.0,
            "simulated 50 %, seed 3": pytest.approx(0.5, abs=TOLERANCE),
            "simulated 100 %, seed 3": 1.0,
        }


def test_the_same_sky_is_not_drawn_twice_and_another_one_gets_a_name_of_its_own(
    store: Store, scene: Scene
) -> None:
    tiles = catalogue.tiles(store, scene.project_id)
    assert clouds.simulate_all(store, tiles, [0.5], SKY).done == {"made": 2}
    assert clouds.simulate_all(store, tiles, [0.5], SKY).done == {"already there": 2}
    low = Sky(0.0, seed=3, height_m=5, sun_elevation_deg=20)
    assert clouds.simulate_all(store, tiles[:1], [0.5], low).done == {"made": 1}
    assert "simulated 50 %, seed 3 (2)" in dates(store, scene, tiles[0].name)


def test_neighbours_do_not_share_their_clouds(store: Store, scene: Scene) -> None:
    first, second = (catalogue.tile(store, tile) for tile in scene.tiles.values())
    assert clouds.tile_sky(SKY, first).seed != clouds.tile_sky(SKY, second).seed


def test_tiles_that_are_never_clear_are_left_out_and_named(store: Store, scene: Scene) -> None:
    with store.write() as session:
        row = session.get(AcquisitionRow, scene.acquisitions["train"])
        assert row is not None
        row.thin, row.thick, row.shadow = 0.1, 0.5, 0.0
    outcome = clouds.simulate_all(store, catalogue.tiles(store, scene.project_id), [0.5], SKY)
    assert outcome.done == {"made": 1}
    assert "tile train: found no clear image" in outcome.left_out[0]


def test_levels_are_found_by_the_clear_image_where_there_is_one_and_detected_elsewhere(
    store: Store, settings: Settings, scene: Scene
) -> None:
    tile = catalogue.tile(store, scene.tile)
    clouds.simulate_all(store, [tile], [0.5], SKY)
    with store.write() as session:  # a cloudy date beside a clear one, as a dataset brings them
        made = next(a for a in catalogue.acquisitions(store, tile.id) if a.simulated)
        row = session.get(AcquisitionRow, made.id)
        clear = session.get(AcquisitionRow, scene.acquisitions["train"])
        assert row is not None and clear is not None
        row.simulated = row.cloud_source = row.thin = row.thick = row.shadow = None
        clear.name = "clear"
        masks = catalogue.layers(store, tile.id, modality=Modality.CLOUD)
        session.delete(session.get(LayerRow, masks[0].id))
    result = TASKS["clouds"](context(store, settings, "clouds", scene))
    assert result["done"] == {cloud.DIFFERENCE_SOURCE: 1, cloud.DETECTOR_SOURCE: 1}
    sources = {a.name: a.cloud_source for a in catalogue.acquisitions(store, tile.id)}
    assert sources["clear"] == cloud.TAKEN_SOURCE  # its name says what there is to know
    assert clouds.unknown_dates(store, scene.project_id) == []
    assert len(clouds.unknown_dates(store, scene.project_id, again=True)) == 2


def test_an_image_named_clear_is_kept_as_clear_by_the_look_for_clouds(
    store: Store, settings: Settings, scene: Scene
) -> None:
    with store.write() as session:
        row = session.get(AcquisitionRow, scene.acquisitions["train"])
        assert row is not None
        row.name, row.cloud_source = "clean", None
        row.thin = row.thick = row.shadow = None
        for layer in catalogue.layers(store, scene.tile, modality=Modality.CLOUD):
            session.delete(session.get(LayerRow, layer.id))
    result = TASKS["clouds"](context(store, settings, "clouds", scene))
    assert result["done"]["clear by name"] == 1
    (date,) = catalogue.acquisitions(store, scene.tile)
    assert (date.cover, date.cloud_source) == (0.0, cloud.TAKEN_SOURCE)


def test_images_with_a_mask_of_their_own_are_not_touched(store: Store, tmp_path: Path) -> None:
    scene = make_scene(store, tmp_path / "masked")
    assert clouds.unknown_dates(store, scene.project_id, again=True) == []


def test_a_difference_without_a_clear_image_says_so(store: Store, scene: Scene) -> None:
    work = clouds.unknown_dates(store, scene.project_id)
    outcome = clouds.find_all(store, work, "difference")
    assert outcome.done == {}
    assert "no clear image of the tile" in outcome.to_json()["reasons"][0]


def test_an_unknown_method_is_refused(store: Store, settings: Settings, scene: Scene) -> None:
    with pytest.raises(JobError, match="guess"):
        TASKS["clouds"](context(store, settings, "clouds", scene, method="guess"))


def test_the_detector_is_small_and_has_a_card() -> None:
    assert cloud_detector.WEIGHTS.stat().st_size < 1_000_000
    card = json.loads(cloud_detector.WEIGHTS.with_suffix(".json").read_text())
    assert "no real pixel" in card["trained_on"]
    assert card["codes"] == list(cloud_detector.CODES)


def test_the_detector_finds_simulated_clouds_that_it_was_not_trained_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cloud_detector, "SCENE_PX", 400)
    monkeypatch.setattr(cloud_detector, "COARSER", (1, 2))
    samples = cloud_detector.simulated_samples(4, REGIONS[-1:], 99)
    found, truth = [], []
    for sample in samples:
        light = np.asarray(sample.inputs["optical"][0], np.float32) ** 2
        image = Light(light, np.ones(sample.label.shape, np.bool_), cloud_detector.RGB)
        found.append(cloud_detector.detect(image))
        truth.append(sample.label)
    report = agreement(np.stack(truth), np.stack(found))
    iou = report["cloud (thin or thick)"]["iou"]
    assert iou is not None and iou > 0.6


def test_gaps_have_no_level_and_other_bands_are_refused() -> None:
    light = np.full((3, 40, 40), 0.1, np.float32)
    valid = np.ones((40, 40), np.bool_)
    valid[:5] = False
    found = cloud_detector.detect(Light(light, valid, cloud_detector.RGB))
    assert ((found == cloud.NONE) == ~valid).all()
    with pytest.raises(CloudbrushError, match="expected red, green and blue"):
        cloud_detector.detect(Light(light, valid, ("B05", "B06", "B11")))


def test_training_learns_and_writes_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_detector, "SAMPLES", 6)
    monkeypatch.setattr(cloud_detector, "VALIDATION", 2)
    monkeypatch.setattr(cloud_detector, "SCENE_PX", 196)
    monkeypatch.setattr(cloud_detector, "COARSER", (1,))
    monkeypatch.setattr(cloud_detector, "WIDTHS", (4, 8))
    monkeypatch.setattr(cloud_detector, "ELSEWHERE", ())
    monkeypatch.setattr(cloud_detector, "REGIONS", REGIONS[2:])
    card = cloud_detector.train_detector(tmp_path / "d.safetensors", steps=1)
    assert (tmp_path / "d.json").is_file()
    assert np.sum(card["matrix"]) == 2 * cloud_detector.SAMPLE_PX**2


def test_agreement_counts_pixels_that_are_valid_in_both() -> None:
    mask = np.array([[0, 1, 2, 3, 255, 2]], np.uint8)
    found = np.array([[0, 2, 2, 0, 1, 255]], np.uint8)
    report = agreement(mask, found)
    assert report["thin cloud"] == {"pixels": 1, "recall": 0.0, "precision": None, "iou": 0.0}
    assert report["cloud (thin or thick)"]["iou"] == 1.0
    assert report["thick cloud"]["precision"] == 0.5
    assert report["shadow"]["recall"] == 0.0


def test_methods_agree_with_the_real_masks(real_data: Path) -> None:
    cases = {case["case"]: case for case in measure(real_data)["cases"]}
    assert len(cases) == 3
    for case in cases.values():
        difference = case["agreement"]["difference to the clear image"]
        assert difference["cloud (thin or thick)"]["iou"] > 0.6
    for name, least in (("cloud-pair", 0.4), ("worldcereal, Flanders", 0.65)):
        detector = cases[name]["agreement"]["detector"]
        assert detector["cloud (thin or thick)"]["iou"] > least
    assert "detector" not in cases["worldcereal, Tanzania"]["agreement"]  # it has no red


S2 = ("B1", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")


def test_s2cloudless_is_an_extra_and_needs_its_ten_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    light, valid = np.full((13, 8, 8), 0.1, np.float32), np.ones((8, 8), np.bool_)
    with pytest.raises(CloudbrushError, match="no band B10"):
        cloud_s2cloudless.detect(Light(light[:12], valid, (*S2[:10], *S2[11:])))
    monkeypatch.setattr(cloud_s2cloudless, "_weights", lambda: None)
    assert not cloud_s2cloudless.installed()
    with pytest.raises(CloudbrushError, match="no such package"):
        cloud_s2cloudless.detect(Light(light, valid, S2))


def test_s2cloudless_sees_simulated_clouds_over_a_real_image(real_data: Path) -> None:
    if not cloud_s2cloudless.installed():
        pytest.skip("s2cloudless is an extra; docs/clouds.md says how to install it")
    found = measure(real_data)["simulated"]["share called cloud"]["s2cloudless"]
    assert found["thick cloud"] > 0.95
    assert found["clear"] < 0.1
