"""Weights of others become models of a project: to train from, or to predict with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core import catalogue, trained
from core.classes import OPEN_EARTH_MAP_SAR
from core.errors import ModelFileError
from core.found import FoundDataset, FoundLayer, FoundTile
from core.ingest import import_dataset
from core.raster import write_geotiff
from core.records import Grid, Modality, Project, Split, Unit
from core.settings import Settings
from core.store.engine import Store
from models.card import model_card
from models.encoder_files import Seen
from models.from_file import add_baseline, add_encoder, images_of
from models.networks import build
from models.predict import predict_array
from models.registry import load_model
from models.torchvision_shim import import_torchvision
from models.zoo import NETWORKS
from tests.models.conftest import run_task

import_torchvision()

PX = 32
SMALL = {"width": 48, "depth": 2, "heads": 3, "decoder": 16}
MakeScene = Callable[..., Project]


@pytest.fixture
def make_scene(store: Store, settings: Settings, tmp_path: Path) -> MakeScene:
    """Return a function that imports two training tiles and a validation tile."""

    def make(bands: tuple[str, ...], unit: Unit, modality: Modality = Modality.SAR) -> Project:
        rng = np.random.default_rng(2)
        tiles = []
        for number, split in enumerate((Split.TRAIN, Split.TRAIN, Split.VAL)):
            grid = Grid(PX, PX, (10.0, 0.0, 5e5 + number * 1e4, 0.0, -10.0, 4e6), "EPSG:32632")
            label = np.kron(rng.integers(1, 4, (4, 4)), np.ones((8, 8))).astype(np.uint8)
            image = (rng.normal(-15, 2, (len(bands), PX, PX)) + label).astype(np.float32)
            paths = {"image": tmp_path / f"{number}.tif", "label": tmp_path / f"{number}-label.tif"}
            write_geotiff(paths["image"], image, grid)
            write_geotiff(paths["label"], label, grid)
            sources = tuple((paths["image"], band + 1) for band in range(len(bands)))
            layers = (
                FoundLayer(modality, sources, bands, name="image", unit=unit),
                FoundLayer(
                    Modality.LABEL, ((paths["label"], 1),), ("label",), name="label", unit=Unit.CODE
                ),
                FoundLayer(
                    Modality.TRUTH, ((paths["label"], 1),), ("truth",), name="truth", unit=Unit.CODE
                ),
            )
            tiles.append(FoundTile(f"t{number}", "one", split, layers))
        found = FoundDataset(
            "test",
            "tiny",
            "made here",
            tmp_path,
            "land_cover",
            OPEN_EARTH_MAP_SAR,
            "plain",
            tuple(tiles),
        )
        return import_dataset(store, found, "tiny", roots=settings.allowed_roots)

    return make


def weights_file(path: Path, network: str, bands: int, options: dict[str, Any]) -> Path:
    """Write the encoder of a network with other random values under its published names."""
    torch.manual_seed(9)
    tensors = build(network, {"sar": bands}, 2, options).state_dict()
    torch.save(
        {k.removeprefix("encoder."): v for k, v in tensors.items() if k[:8] == "encoder."}, path
    )
    return path


def test_an_encoder_becomes_a_start_to_train_from(
    store: Store, settings: Settings, make_scene: MakeScene, tmp_path: Path
) -> None:
    project = make_scene(("VV", "VH"), Unit.DB)
    path = weights_file(tmp_path / "s1.pth", "softcon_vit", 2, SMALL)
    added = add_encoder(
        store, project, "softcon_vits14_s1", path, settings.allowed_roots, options=SMALL
    )
    held = torch.load(path, weights_only=True)
    assert added.says == f"{len(held)} of {len(held)} tensors fitted, 0 of the file unused"
    assert added.record.name == "SoftCon ViT-S/14, Sentinel-1 (untrained)"
    assert added.record.card["pretrained"] == ("SoftCon ViT-S/14, Sentinel-1 (s1.pth, CC-BY-4.0)")
    assert model_card(store, project, added.record)["weights"]["licence"] == "CC-BY-4.0"
    loaded = load_model(added.record)
    assert loaded.network.get_buffer("mean_sar").tolist() == pytest.approx([-12.59, -20.26])
    assert torch.equal(loaded.network.state_dict()["encoder.pos_embed"], held["pos_embed"])
    payload = {"start": added.record.id, "steps": 10, "batch": 2, "crop_px": 32}
    result = run_task(store, settings, project, "train", **payload)
    assert result["notes"] == [f"Starts from {added.record.name}."]
    child = trained.model(store, result["model_id"])
    licence = model_card(store, project, child)["weights"]["licence"]
    assert "began from SoftCon ViT-S/14, Sentinel-1 (s1.pth, CC-BY-4.0)" in licence


def test_nothing_is_added_when_the_file_or_the_images_do_not_fit(
    store: Store, settings: Settings, make_scene: MakeScene, tmp_path: Path
) -> None:
    project = make_scene(("VH", "VV"), Unit.DB)
    path = weights_file(tmp_path / "s1.pth", "softcon_vit", 2, SMALL)
    roots = settings.allowed_roots
    with pytest.raises(ModelFileError, match="VH VV"):
        add_encoder(store, project, "softcon_vits14_s1", path, roots, options=SMALL)
    with pytest.raises(ModelFileError, match="no optical image"):
        add_encoder(store, project, "prithvi_tiny", path, roots)
    with pytest.raises(ModelFileError, match="nonsense"):
        add_encoder(store, project, "nonsense", path, roots)
    with pytest.raises(ModelFileError, match="0 inputs"):
        add_encoder(store, project, "imagenet", path, roots, network="fpn")
    assert trained.models(store, project.id) == []
    assert images_of(store, project, ["sar"]) == {"sar": Seen(("VH", "VV"), Unit.DB)}


def test_an_imagenet_encoder_keeps_the_statistics_of_the_tiles(
    store: Store, settings: Settings, make_scene: MakeScene, tmp_path: Path
) -> None:
    import timm

    project = make_scene(("SAR",), Unit.RELATIVE_8BIT)
    save_file(timm.create_model("resnet18").state_dict(), tmp_path / "resnet18.safetensors")
    added = add_encoder(
        store,
        project,
        "imagenet",
        tmp_path / "resnet18.safetensors",
        settings.allowed_roots,
        network="fpn",
        options=NETWORKS["fpn"].smallest,
        modalities=["sar"],
        name="From ImageNet",
    )
    assert added.record.name == "From ImageNet" and "conv1.weight adapted" in added.says
    network = load_model(added.record).network
    assert -16 < float(network.get_buffer("mean_sar")) < -10


@pytest.mark.soak
def test_the_baseline_becomes_a_model_that_predicts(
    store: Store, settings: Settings, make_scene: MakeScene, tmp_path: Path
) -> None:
    import segmentation_models_pytorch as smp

    theirs = smp.Unet(
        "efficientnet-b4",
        encoder_weights=None,
        decoder_attention_type="scse",
        in_channels=1,
        classes=9,
    )
    torch.save({f"module.{k}": v for k, v in theirs.state_dict().items()}, tmp_path / "oem.pth")
    project = make_scene(("SAR",), Unit.RELATIVE_8BIT)
    added = add_baseline(store, project, tmp_path / "oem.pth", settings.allowed_roots)
    model = load_model(added.record)
    assert model.codes == tuple(range(9)) and added.record.card["licence"]
    tile = catalogue.tiles(store, project.id)[0]
    assert tile.grid.width == PX
    codes, _ = predict_array(model, {"sar": np.full((1, PX, PX), 90, np.float32)})
    with torch.no_grad():
        expected = theirs.eval()(torch.full((1, 1, PX, PX), 90 / 255))[0].argmax(0)
    assert (codes == expected.numpy()).mean() > 0.9  # bfloat16 decides near ties another way
