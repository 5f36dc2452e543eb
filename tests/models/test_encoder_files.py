"""Files with the names and shapes of the published ones, and random values, load and train."""

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from core.classes import OPEN_EARTH_MAP_SAR
from core.errors import DatasetError, ModelFileError
from core.records import Unit
from models.encoder_files import (
    BASELINE_CODES,
    UNITS,
    Seen,
    adapt_first_layer,
    load_encoder,
    load_imagenet,
    load_oem_sar_baseline,
)
from models.networks import SegmentationNetwork, build
from models.sample import IGNORE, Sample
from models.torchvision_shim import import_torchvision
from models.train import TrainConfig, train
from models.weight_files import read_tensors
from models.zoo import NETWORKS
from models.zoo.weights import WEIGHTS, Weight, same_band

import_torchvision()

VALUES = 0.02


def random_tensors(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {name: VALUES * torch.randn(shape) for name, shape in shapes.items()}


def shapes_of(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def block_shapes(prefix: str, width: int, *, norm_bias: bool = True) -> dict[str, tuple[int, ...]]:
    shapes = {
        "norm1.weight": (width,),
        "attn.qkv.weight": (3 * width, width),
        "attn.qkv.bias": (3 * width,),
        "attn.proj.weight": (width, width),
        "attn.proj.bias": (width,),
        "norm2.weight": (width,),
        "mlp.fc1.weight": (4 * width, width),
        "mlp.fc1.bias": (4 * width,),
        "mlp.fc2.weight": (width, 4 * width),
        "mlp.fc2.bias": (width,),
    }
    if norm_bias:
        shapes |= {"norm1.bias": (width,), "norm2.bias": (width,)}
    return {prefix + name: shape for name, shape in shapes.items()}


def prithvi_tiny() -> dict[str, Tensor]:
    """The masked autoencoder of Prithvi-EO-2.0-tiny-TL: encoder of 192, four dates, decoder."""
    shapes: dict[str, tuple[int, ...]] = {
        "encoder.cls_token": (1, 1, 192),
        "encoder.pos_embed": (1, 4 * 196 + 1, 192),
        "encoder.patch_embed.proj.weight": (192, 6, 1, 16, 16),
        "encoder.patch_embed.proj.bias": (192,),
        "encoder.temporal_embed_enc.scale": (1,),
        "encoder.location_embed_enc.scale": (1,),
        "encoder.norm.weight": (192,),
        "encoder.norm.bias": (192,),
        "decoder.mask_token": (1, 1, 512),
        "decoder.decoder_embed.weight": (512, 192),
        "decoder.decoder_pred.weight": (1536, 512),
    }
    for number in range(12):
        shapes |= block_shapes(f"encoder.blocks.{number}.", 192)
    return random_tensors(shapes)


def terramind_tiny() -> dict[str, Tensor]:
    """TerraMind 1.0 tiny with first layers of four kinds of input, and some of its decoder."""
    shapes: dict[str, tuple[int, ...]] = {"encoder_norm.weight": (192,), "mask_token": (1, 1, 192)}
    bands = {"sen2l2a": 12, "sen2l1c": 13, "sen1grd": 2, "sen1rtc": 2, "dem": 1}
    for kind, count in bands.items():
        key = f"encoder_embeddings.untok_{kind}@224."
        shapes |= {
            f"{key}proj.weight": (192, count * 256),
            f"{key}mod_emb": (1, 1, 192),
            f"{key}pos_emb": (1, 196, 192),
        }
    for number in range(12):
        shapes |= block_shapes(f"encoder.{number}.", 192, norm_bias=False)
        shapes |= block_shapes(f"decoder.{number}.", 192, norm_bias=False)
    return random_tensors(shapes)


def softcon_vit(bands: int) -> dict[str, Tensor]:
    from torchgeo.models import vit_small_patch14_dinov2

    network = vit_small_patch14_dinov2(in_chans=bands, img_size=224, num_classes=0)
    return {name: VALUES * torch.randn(shape) for name, shape in shapes_of(network).items()}


def softcon_resnet(bands: int) -> dict[str, Tensor]:
    from torchgeo.models import resnet50

    tensors = resnet50(in_chans=bands).state_dict()
    return {
        name: tensor.abs() + 0.1 if "running_var" in name else tensor
        for name, tensor in tensors.items()
    }


def croma_base() -> dict[str, dict[str, Tensor]]:
    """The published file is a table of tables, one per encoder."""
    from torchgeo.models import croma_base as theirs

    nested: dict[str, dict[str, Tensor]] = {}
    for name, tensor in theirs(image_size=8).state_dict().items():
        part, _, rest = name.partition(".")
        if rest:
            nested.setdefault(part, {})[rest] = tensor
    return nested


def dofa_base() -> dict[str, Tensor]:
    from torchgeo.models import dofa_base_patch16_224

    held: dict[str, Tensor] = dofa_base_patch16_224(num_classes=0).state_dict()
    return {name: tensor for name, tensor in held.items() if not name.startswith("fc_norm")}


FILES = {
    "softcon_rn50_s1": lambda: softcon_resnet(2),
    "softcon_vits14_s2": lambda: softcon_vit(13),
    "terramind_tiny_s1": terramind_tiny,
    "terramind_tiny_s1s2": terramind_tiny,
    "prithvi_tiny": prithvi_tiny,
    "croma_base_s1s2": croma_base,
    "dofa_base_s1": dofa_base,
}
HEAVY = ("croma_base_s1s2", "dofa_base_s1")
QUICK = ("terramind_tiny_s1s2", "prithvi_tiny")


def network_for(weight: Weight, classes: int = 3, **options: object) -> SegmentationNetwork:
    bands = {modality: len(names) for modality, names in weight.bands.items()}
    return build(weight.network, bands, classes, {**weight.options, **options})


def seen_as(bands: Mapping[str, tuple[str, ...]]) -> dict[str, Seen]:
    return {modality: Seen(names, UNITS[modality]) for modality, names in bands.items()}


def samples_for(weight: Weight, size: int = 48) -> list[Sample]:
    rng = np.random.default_rng(3)
    label = np.kron(rng.integers(0, 3, (6, 6)), np.ones((8, 8))).astype(np.uint8)
    inputs = {
        modality: [(label[None] * 40 + rng.normal(0, 9, (len(names), size, size))).astype("f4")]
        for modality, names in weight.bands.items()
    }
    return [Sample(inputs, label, np.ones(label.shape, np.float32), "made")]


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.soak) for name in FILES],
)
def test_a_file_with_the_published_layout_loads_and_trains(name: str, tmp_path: Path) -> None:
    weight, path = WEIGHTS[name], tmp_path / WEIGHTS[name].file
    torch.save(FILES[name](), path)
    network = network_for(weight)
    fit = load_encoder(network, name, path, [tmp_path], seen_as(weight.bands))
    assert fit.fitted == fit.of > 100 and not fit.missing
    for modality, statistics in weight.statistics.items():
        share = 1e-4 if modality == "optical" else 1.0
        expected = share * torch.tensor(statistics.mean)
        assert torch.allclose(network.get_buffer(f"mean_{modality}"), expected)
    held = read_tensors(path, [tmp_path])
    last = [key for key in network.state_dict() if key.startswith(weight.part)][-1]
    theirs = held[weight.prefix + last.removeprefix(weight.part)]
    assert torch.equal(network.state_dict()[last], theirs)
    config = TrainConfig(
        classes=3,
        bands=network.spec.bands,
        network=weight.network,
        options=network.spec.options,
        steps=2,
        batch=2,
        crop_px=32,
        head_rate=1.0,
        mixed_precision=False,
    )
    before = {k: v.clone() for k, v in network.named_parameters()}
    trained = train(config, samples_for(weight), start=network).network
    moved = [k for k, v in trained.named_parameters() if not torch.equal(v, before[k])]
    assert any(key.startswith(weight.part) for key in moved)
    assert any(not key.startswith(weight.part) for key in moved)
    for modality in weight.bands:
        kept = network.get_buffer(f"mean_{modality}")
        assert torch.equal(trained.get_buffer(f"mean_{modality}"), kept)


@pytest.mark.parametrize("name", HEAVY)
def test_large_encoders_have_the_published_names_and_shapes(name: str) -> None:
    """Without giving memory to them."""
    from torchgeo.models import croma_base, dofa_base_patch16_224

    weight = WEIGHTS[name]
    with torch.device("meta"):
        # CROMA's bias by distance is no weight, and slow to build for a large image.
        croma = weight.network == "croma"
        theirs = shapes_of(croma_base(image_size=8) if croma else dofa_base_patch16_224())
        ours = shapes_of(network_for(weight).get_submodule("encoder"))
    left = {key for key in theirs if key not in ours}
    assert {key: theirs.get(key) for key in ours} == ours
    assert all(
        key.startswith(("head.", "fc_norm.", "attn_bias")) or "GAP_FFN" in key for key in left
    )


def test_every_weight_belongs_to_a_network_and_has_statistics_per_band() -> None:
    for name, weight in WEIGHTS.items():
        NETWORKS[weight.network].settle(name, weight.options)
        for modality, statistics in weight.statistics.items():
            assert len(statistics.mean) == len(statistics.std) == len(weight.bands[modality]), name


@pytest.fixture
def prithvi(tmp_path: Path) -> Iterator[tuple[SegmentationNetwork, dict[str, Tensor], Path]]:
    """A Prithvi of width 48 and its file, quick to write."""
    network = network_for(WEIGHTS["prithvi_tiny"], width=48, depth=2, heads=3)
    tensors = {
        f"encoder.{key.removeprefix('encoder.')}": torch.randn_like(value)
        for key, value in network.state_dict().items()
        if key.startswith("encoder.")
    }
    key = "encoder.patch_embed.proj.weight"
    tensors[key] = tensors[key][:, :, None].clone()
    yield network, tensors, tmp_path / "weights.pt"


def refused(
    given: tuple[SegmentationNetwork, dict[str, Tensor], Path],
    match: str,
    bands: tuple[str, ...] = ("B2", "B3", "B4", "b8a", "B11", "B12"),
) -> None:
    """Assert that a file is refused with a message and that the network stays as it was."""
    network, tensors, path = given
    torch.save(tensors, path)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ModelFileError, match=match):
        load_encoder(network, "prithvi_tiny", path, [path.parent], seen_as({"optical": bands}))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


Given = tuple[SegmentationNetwork, dict[str, Tensor], Path]


def test_bands_must_fit_by_name_and_order(prithvi: Given) -> None:
    refused(prithvi, "B03 B02", ("B03", "B02", "B04", "B8A", "B11", "B12"))
    refused(prithvi, "B02", ("B02", "B03", "B04"))
    refused(prithvi, "unnamed bands", ())


def test_images_must_be_in_the_unit_of_the_training(prithvi: Given) -> None:
    network, tensors, path = prithvi
    torch.save(tensors, path)
    seen = {"optical": Seen(WEIGHTS["prithvi_tiny"].bands["optical"], Unit.NUMBER)}
    with pytest.raises(ModelFileError, match="images as number"):
        load_encoder(network, "prithvi_tiny", path, [path.parent], seen)


def test_missing_misshapen_and_broken_tensors_are_refused(prithvi: Given) -> None:
    network, tensors, path = prithvi
    name = "encoder.blocks.1.mlp.fc2.bias"
    kept = tensors.pop(name)
    refused(prithvi, "1 of .* tensors missing, first 'blocks.1.mlp.fc2.bias'")
    tensors[name] = torch.zeros(7)
    refused(prithvi, r"fc2.bias \[7\]")
    tensors[name] = torch.full_like(kept, math.nan)
    refused(prithvi, "not numbers")
    tensors[name] = kept
    torch.save({"state_dict": tensors, "epoch": 3}, path)
    bands = WEIGHTS["prithvi_tiny"].bands
    fit = load_encoder(network, "prithvi_tiny", path, [path.parent], seen_as(bands))
    assert fit.says == f"{fit.of} of {fit.of} tensors fitted, 0 of the file unused"


def test_another_network_or_name_is_refused(prithvi: Given) -> None:
    network, tensors, path = prithvi
    torch.save(tensors, path)
    with pytest.raises(ModelFileError, match="network terramind"):
        load_encoder(network, "terramind_tiny_s2", path, [path.parent], {})
    with pytest.raises(ModelFileError, match="nonsense"):
        load_encoder(network, "nonsense", path, [path.parent], {})
    resnet = build("unet_scse", {"sar": 2}, 3, {"encoder": "resnet18", "scse": False})
    with pytest.raises(ModelFileError, match="another encoder"):
        load_encoder(resnet, "softcon_rn50_s1", path, [path.parent], seen_as({"sar": ("VV", "VH")}))


class Hostile:
    """What a pickle can do when it is opened."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.target,))


def test_hostile_files_are_refused_and_nothing_runs(tmp_path: Path) -> None:
    roots, path, touched = [tmp_path], tmp_path / "weights.pt", tmp_path / "touched"
    torch.save({"a": torch.ones(3), "b": Hostile(touched)}, path)
    with pytest.raises(ModelFileError, match="more than tensors"):
        read_tensors(path, roots)
    assert not touched.exists()
    torch.save({"a": torch.ones(1).expand(1 << 34)}, path)
    with pytest.raises(ModelFileError, match="68719476736 bytes in a file"):
        read_tensors(path, roots)
    torch.save({"a": torch.zeros(1000)}, path)
    with (
        zipfile.ZipFile(path) as archive,
        zipfile.ZipFile(tmp_path / "small.pt", "w", zipfile.ZIP_DEFLATED) as smaller,
    ):
        for entry in archive.namelist():
            smaller.writestr(entry, archive.read(entry))
    with pytest.raises(ModelFileError, match="compressed"):
        read_tensors(tmp_path / "small.pt", roots)
    whole = path.read_bytes()
    for cut in (0, 9, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:cut])
        with pytest.raises(ModelFileError):
            read_tensors(path, roots)
    torch.save({"a": torch.ones(1)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(ModelFileError, match="newer torch"):
        read_tensors(path, roots)


def test_files_outside_the_folders_and_absent_ones_are_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    torch.save({"a": torch.ones(1)}, tmp_path / "weights.pt")
    (inside / "link.pt").symlink_to(tmp_path / "weights.pt")
    for path in (tmp_path / "weights.pt", inside / "link.pt", "https://host/weights.pt"):
        with pytest.raises(DatasetError):
            read_tensors(path, [inside])
    for path in (inside / "none.pt", inside):
        with pytest.raises(ModelFileError):
            read_tensors(path, [inside])


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file({"a": torch.arange(3.0)}, tmp_path / "w.safetensors")
    assert read_tensors(tmp_path / "w.safetensors", [tmp_path])["a"].tolist() == [0, 1, 2]
    raw = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(raw[:-4])
    with pytest.raises(ModelFileError):
        read_tensors(tmp_path / "w.safetensors", [tmp_path])


@pytest.mark.parametrize(("one", "other"), [("B2", "B02"), ("b8a", "B8A"), (" vv", "VV")])
def test_band_names_that_mean_the_same(one: str, other: str) -> None:
    assert same_band(one, other) and not same_band(one, "B12")


@pytest.mark.parametrize(
    ("name", "encoder", "theirs", "bands", "of"),
    [
        ("fpn", "resnet18", "resnet18", 3, 100),
        ("farseg", "resnet18", "resnet18", 1, 100),
        ("upernet", "convnextv2_atto", "convnextv2_atto", 4, 100),
        ("upernet", "swinv2_tiny_window8_256", "swinv2_tiny_window8_256", 3, 180),
    ],
)
def test_imagenet_encoders_of_timm_fit(
    name: str, encoder: str, theirs: str, bands: int, of: int, tmp_path: Path
) -> None:
    import timm

    source = timm.create_model(theirs)
    path = tmp_path / "imagenet.safetensors"
    save_file({k: v.contiguous() for k, v in source.state_dict().items()}, path)
    options = {**NETWORKS[name].smallest, "encoder": encoder}
    network = build(name, {"optical": bands}, 3, options).eval()
    fit = load_imagenet(network, path, [tmp_path])
    assert fit.fitted == fit.of >= of // 2 and (fit.adapted == "") == (bands == 3)
    assert f"{fit.of} of {fit.of}" in fit.says
    if bands == 3:
        image = torch.randn(1, 3, 256, 256)
        part = network.get_submodule("model.encoder")
        with torch.no_grad():
            ours = part(image)[-1]
            expected = source.eval().forward_features(image)  # type: ignore[operator]
        if expected.shape != ours.shape:  # Swin keeps channels last and normalises
            expected = expected.permute(0, 3, 1, 2)
            ours = source.norm(ours.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)  # type: ignore[operator]
        assert torch.allclose(ours, expected, atol=1e-4)


def test_a_first_layer_keeps_the_size_of_its_activation() -> None:
    weight = torch.randn(5, 3, 7, 7)
    grey = torch.rand(1, 1, 7, 7)
    by_rgb = (weight * grey).sum((1, 2, 3))
    for bands in (1, 2, 3, 6, 9, 12):
        adapted = adapt_first_layer(weight, bands)
        assert adapted.shape == (5, bands, 7, 7)
        if bands == 1 or bands % 3 == 0:  # every colour equally often: grey looks as before
            assert torch.allclose((adapted * grey).sum((1, 2, 3)), by_rgb, atol=1e-4)
    assert torch.equal(adapt_first_layer(weight, 3), weight)


def test_files_that_are_no_imagenet_encoder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"a": torch.ones(1)}, path)
    network = build("fpn", {"sar": 1}, 3, NETWORKS["fpn"].smallest)
    with pytest.raises(ModelFileError, match="tensors missing"):
        load_imagenet(network, path, [tmp_path])
    with pytest.raises(ModelFileError, match="never trained on ImageNet"):
        load_imagenet(build("unet", {"sar": 1}, 3), path, [tmp_path])


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_baseline_of_openearthmap_sar_loads(prefix: str, tmp_path: Path) -> None:
    import segmentation_models_pytorch as smp

    theirs = smp.Unet(
        "efficientnet-b4",
        encoder_weights=None,
        decoder_attention_type="scse",
        in_channels=1,
        classes=9,
        activation=None,
    ).eval()
    path = tmp_path / "SAR_Pesudo_u-efficientnet-b4_s0_CELoss.pth"
    torch.save({prefix + k: v for k, v in theirs.state_dict().items()}, path)
    network = load_oem_sar_baseline(path, [tmp_path])
    image = torch.randint(0, 256, (1, 1, 64, 64)).float()
    with torch.no_grad():
        assert torch.allclose(network({"sar": image}), theirs(image / 255), atol=1e-5)
    assert network.spec.bands == {"sar": 1} and network.spec.classes == 9
    assert BASELINE_CODES == (0, 1, 2, 3, 4, 5, 6, 7, 8)
    assert OPEN_EARTH_MAP_SAR.index_lut[BASELINE_CODES[0]] == IGNORE
    tensors = {prefix + k: v for k, v in theirs.state_dict().items()}
    torch.save({**tensors, f"{prefix}encoder._fc.weight": torch.ones(1)}, path)
    with pytest.raises(ModelFileError, match="1 tensors that it does not have"):
        load_oem_sar_baseline(path, [tmp_path])
    tensors.pop(f"{prefix}segmentation_head.0.bias")
    torch.save(tensors, path)
    with pytest.raises(ModelFileError, match=r"segmentation_head\.0\.bias"):
        load_oem_sar_baseline(path, [tmp_path])


def test_statistics_of_a_weight_reach_the_network_only_when_it_fits(prithvi: Given) -> None:
    network, tensors, _ = prithvi
    tensors.pop("encoder.norm.weight")
    refused(prithvi, "norm.weight")
    assert network.get_buffer("mean_optical").tolist() == [0.0] * 6
