"""Fill a network from a local file of other people's weights, or refuse and say why.

Three kinds of files: the published encoders of `models.zoo.weights`, encoders trained on ImageNet,
and the U-Net of OpenEarthMap-SAR's baseline. Nothing is fetched, nothing is sliced or guessed: a
tensor fits by name and shape or it does not, and `Fit` counts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.classes import OPEN_EARTH_MAP_SAR
from core.display import REFLECTANCE_SCALE
from core.errors import ModelFileError
from core.records import Unit
from models.networks import SegmentationNetwork, build
from models.networks.damage.encoders import Pyramid
from models.weight_files import read_tensors, without_prefix
from models.zoo.weights import IMAGENET_NETWORKS, WEIGHTS, Weight, same_band

IMAGENET_PARTS = ("model.encoder.model.", "model.encoder.", "encoder.")
"""Where encoders lie in our networks for land cover: timm's in smp, smp's own, ours."""

BASELINE_CODES = (OPEN_EARTH_MAP_SAR.void or 0, *OPEN_EARTH_MAP_SAR.codes)
"""The baseline's channels as class codes: channel 0 is background, 1 to 8 are the eight classes."""
BASELINE_BAND_MAX = 255.0


UNITS = {"sar": Unit.DB, "optical": Unit.REFLECTANCE}
"""What encoders of satellite images are given. Networks here see reflectance as a share, so the
published statistics, of whole numbers, are divided by 10,000."""


@dataclass(frozen=True)
class Seen:
    """What a network is given of one modality: names of the bands in order, and their unit."""

    bands: tuple[str, ...]
    unit: Unit


@dataclass(frozen=True)
class Fit:
    """How a file fitted: `fitted` of `of` tensors of the encoder; `unused` are left in the file.

    `adapted` names a first layer that was changed to another number of bands; `missing` names
    tensors that keep their random start.
    """

    of: int
    fitted: int
    unused: int
    adapted: str = ""
    missing: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """Return one line for people."""
        line = f"{self.fitted} of {self.of} tensors fitted, {self.unused} of the file unused"
        return f"{line}, {self.adapted} adapted to the bands" if self.adapted else line


def load_encoder(
    network: SegmentationNetwork,
    name: str,
    path: Path | str,
    roots: Sequence[Path],
    seen: Mapping[str, Seen],
) -> Fit:
    """Fill the encoder of `network` from a file of the table `WEIGHTS`, and set its normalisation.

    `seen` says what the network is given by modality; `roots` are the folders that may be read.
    Inputs without published statistics keep the normalisation that they have. Raises
    `ModelFileError` where network, bands, unit or tensors do not fit; the network is then
    unchanged.
    """
    weight = WEIGHTS.get(name)
    if weight is None:
        raise ModelFileError("weights", found=repr(name)[:40], expected=", ".join(WEIGHTS))
    _check_network(network, weight)
    _check_bands(network, weight, {modality: images.bands for modality, images in seen.items()})
    _check_units(weight, seen)
    tensors = read_tensors(path, roots)
    held = {
        key.removeprefix(weight.prefix): _as_here(tensor)
        for key, tensor in tensors.items()
        if key.startswith(weight.prefix)
    }
    wanted = _part(network, weight.part)
    missing = tuple(key for key in wanted if key not in held)
    _check_tensors(path, wanted, held, [key for key in missing if not _optional(key, weight)])
    fitted = {key: held[key] for key in wanted if key in held}
    _copy(wanted, fitted)
    for modality, statistics in weight.statistics.items():
        scale = REFLECTANCE_SCALE if UNITS[modality] is Unit.REFLECTANCE else 1.0
        network.set_normalisation(
            modality, scale * torch.tensor(statistics.mean), scale * torch.tensor(statistics.std)
        )
    return Fit(len(wanted), len(fitted), len(tensors) - len(fitted), missing=missing)


def load_imagenet(network: SegmentationNetwork, path: Path | str, roots: Sequence[Path]) -> Fit:
    """Fill the encoder of a network from a file of timm, torchvision or smp.

    Where a network has an encoder for each date, both get the same file. Every tensor must fit by
    shape but that of the first layer, which knows red, green and blue only. For other bands its
    weights are repeated over the bands in order and scaled by 3 / bands, so that an activation
    keeps its size; for one band they are added up. Normalisation stays that of the tiles. Raises
    `ModelFileError`; the network is then unchanged.
    """
    if network.spec.name not in IMAGENET_NETWORKS:
        raise ModelFileError(
            f"network {network.spec.name}",
            found="an encoder that was never trained on ImageNet",
            expected=f"one of {', '.join(IMAGENET_NETWORKS)}",
        )
    tensors = _as_timm_names_them(read_tensors(path, roots))
    parts = _imagenet_parts(network)
    filled, adapted = [], []
    for part in parts:
        wanted = {k: v for k, v in _part(network, part).items() if "num_batches_tracked" not in k}
        held = _by_our_names(wanted, tensors)
        first = next(key for key, tensor in wanted.items() if tensor.ndim == 4)
        bands = wanted[first].shape[1]
        if first in held and held[first].ndim == 4 and held[first].shape[1] == 3 != bands:
            held[first] = adapt_first_layer(held[first], bands)
            adapted.append(f"{part}{first}" if len(parts) > 1 else first)
        _check_tensors(path, wanted, held, [key for key in wanted if key not in held])
        filled.append((wanted, held))
    for wanted, held in filled:
        _copy(wanted, held)
    count = sum(len(held) for _, held in filled)
    return Fit(count, count, len(tensors) - len(filled[0][1]), " and ".join(adapted))


def _imagenet_parts(network: SegmentationNetwork) -> list[str]:
    """Return where the encoders lie that one file fills.

    A building branch with an encoder of its own kind is left out: it learns before.
    """
    options = network.spec.options
    other = options.get("building_encoder", options["encoder"]) != options["encoder"]
    pyramids = [
        f"{name}.body."
        for name, module in network.named_modules()
        if isinstance(module, Pyramid) and not (other and name.startswith("buildings."))
    ]
    if pyramids:
        return pyramids
    return [next(p for p in IMAGENET_PARTS if any(k.startswith(p) for k in network.state_dict()))]


def adapt_first_layer(weight: Tensor, bands: int) -> Tensor:
    """Return the weights [O, 3, h, w] of red, green and blue for `bands` bands."""
    if bands == 1:
        return weight.sum(1, keepdim=True)
    repeats = -(-bands // 3)
    return weight.repeat(1, repeats, 1, 1)[:, :bands] * (3.0 / bands)


def load_oem_sar_baseline(path: Path | str, roots: Sequence[Path]) -> SegmentationNetwork:
    """Return the network of OpenEarthMap-SAR's baseline with the weights of its published form.

    The file is the state dict of smp's U-Net (EfficientNet-B4, scSE, 1 band in, 9 channels out) by
    `torch.save`, with names after `module.` where several GPUs trained it. Its input is SAR as 8
    bits over 255; its classes have `BASELINE_CODES`. Raises `ModelFileError`.
    """
    network = build("unet_scse", {"sar": 1}, len(BASELINE_CODES))
    held = without_prefix(read_tensors(path, roots), "module.")
    wanted = _part(network, "model.")
    odd = [key for key in held if key not in wanted]
    if odd:
        raise ModelFileError(
            str(path),
            found=f"{len(odd)} tensors that it does not have, first {odd[0][:80]!r}",
            expected="the U-Net of OpenEarthMap-SAR's baseline",
        )
    _check_tensors(path, wanted, held, [key for key in wanted if key not in held])
    _copy(wanted, held)
    network.set_normalisation("sar", torch.zeros(1), torch.full((1,), BASELINE_BAND_MAX))
    return network.eval()


def _check_network(network: SegmentationNetwork, weight: Weight) -> None:
    spec = network.spec
    odd = [key for key, value in weight.options.items() if spec.options.get(key) != value]
    if spec.name != weight.network or odd:
        options = ", ".join(f"{key} {value}" for key, value in weight.options.items())
        raise ModelFileError(
            f"weights {weight.title}",
            found=f"network {spec.name}" + (f" with another {odd[0]}" if odd else ""),
            expected=f"network {weight.network}" + (f" with {options}" if options else ""),
        )


def _check_bands(
    network: SegmentationNetwork, weight: Weight, band_names: Mapping[str, Sequence[str]]
) -> None:
    """Refuse other inputs, another number of bands, or other names or another order of them."""
    counts = {modality: len(bands) for modality, bands in weight.bands.items()}
    names = {modality: tuple(band_names.get(modality, ())) for modality in network.spec.bands}
    fits = network.spec.bands == counts and all(
        len(names[modality]) == len(bands) and all(map(same_band, names[modality], bands))
        for modality, bands in weight.bands.items()
    )
    if not fits:
        found = "; ".join(
            f"{modality} {' '.join(names[modality]) or f'with {count} unnamed bands'}"
            for modality, count in network.spec.bands.items()
        )
        expected = "; ".join(f"{m} {' '.join(bands)}" for m, bands in weight.bands.items())
        raise ModelFileError(
            f"weights {weight.title}",
            found=f"bands {found}",
            expected=f"{expected}, in this order",
            todo="Import the tiles with these bands and names, or train without the file.",
        )


def _check_units(weight: Weight, seen: Mapping[str, Seen]) -> None:
    for modality in weight.bands:
        unit = Unit.DB if seen[modality].unit is Unit.LINEAR else seen[modality].unit
        if unit is not UNITS[modality]:
            raise ModelFileError(
                f"weights {weight.title}, {modality}",
                found=f"images as {unit.value}",
                expected=UNITS[modality].value,
                todo="Import calibrated images, or train without the file.",
            )


def _check_tensors(
    path: Path | str,
    wanted: Mapping[str, Tensor],
    held: Mapping[str, Tensor],
    missing: Sequence[str],
) -> None:
    if missing:
        raise ModelFileError(
            str(path),
            found=f"{len(missing)} of {len(wanted)} tensors missing, first {missing[0][:80]!r}",
            expected="every tensor of the encoder",
            todo="Check that file and network belong together.",
        )
    for key, tensor in wanted.items():
        if key in held and held[key].shape != tensor.shape:
            raise ModelFileError(
                str(path),
                found=f"{key[:80]} {list(held[key].shape)}",
                expected=f"{list(tensor.shape)}",
                todo="Check the size of the network and the number of bands.",
            )
        if key in held and not torch.isfinite(held[key]).all():
            raise ModelFileError(
                str(path), found=f"{key[:80]} with values that are not numbers", expected="numbers"
            )


def _as_timm_names_them(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a file's tensors under the names that timm gives them today.

    Old files of Swin count the layer between two stages to the stage before, new ones to that
    after. The authors of PVT v2 count stages from 1 and hold their parts side by side.
    """
    old_swin = any(key.startswith("layers.0.downsample.") for key in tensors)
    renamed = {}
    for key, tensor in tensors.items():
        if old_swin:
            key = _LATER.sub(lambda found: f"layers.{int(found[1]) + 1}.downsample.", key)
        elif "patch_embed1.proj.weight" in tensors:
            key = key.replace("patch_embed1.", "patch_embed.").replace("dwconv.dwconv", "dwconv")
            key = _PVT_DOWN.sub(lambda found: f"stages.{int(found[1]) - 1}.downsample.", key)
            key = _PVT_BLOCK.sub(lambda found: f"stages.{int(found[1]) - 1}.blocks.", key)
            key = _PVT_NORM.sub(lambda found: f"stages.{int(found[1]) - 1}.norm.", key)
        renamed[key] = tensor
    return renamed


_LATER = re.compile(r"^layers\.(\d)\.downsample\.")
_PVT_DOWN = re.compile(r"^patch_embed([2-4])\.")
_PVT_BLOCK = re.compile(r"^block([1-4])\.")
_PVT_NORM = re.compile(r"^norm([1-4])\.")


def _by_our_names(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the file's tensors under our names.

    timm joins the first two parts of a name where it gives features: stages_0.x for stages.0.x.
    """
    held = {}
    for key in wanted:
        head, _, tail = key.partition(".")
        stem, _, number = head.rpartition("_")
        for name in (key, f"{stem}.{number}.{tail}"):
            if name in tensors:
                held[key] = tensors[name]
                break
    return held


def _as_here(tensor: Tensor) -> Tensor:
    """Return the first layer of a video encoder, of one date, as that of images."""
    return tensor[:, :, 0] if tensor.ndim == 5 and tensor.shape[2] == 1 else tensor


def _optional(key: str, weight: Weight) -> bool:
    return key.startswith(weight.optional) if weight.optional else False


def _part(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return the network's own tensors below `prefix`, without it."""
    return {
        key.removeprefix(prefix): tensor
        for key, tensor in network.state_dict().items()
        if key.startswith(prefix)
    }


def _copy(wanted: Mapping[str, Tensor], held: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for key, tensor in held.items():
            wanted[key].copy_(tensor)
