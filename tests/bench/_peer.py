"""Our loops against the straightforward public way: the same network in a plain fp32 loop.

The peer is segmentation_models_pytorch's U-Net as its own examples use it: crops cut by numpy,
forward, loss, backward, step; and windows predicted one after the other. Ours is `train` and
`predict_scene` on the network of the same encoder and decoder. Both read the same arrays. Rounds
take turns, so that a busy machine slows both; ratios are medians over rounds, above 1 where ours
is faster. On a GPU there are also crops per second and peak memory by batch.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.networks import SegmentationNetwork, build
from models.sample import Sample, normalisation
from models.scene import How, predict_scene
from models.torchvision_shim import import_torchvision
from models.train import Progress, TrainConfig, train
from models.windows import Layout, lay_out
from tests.bench._figures import figure, ratio

NETWORK = "unet_scse"
BANDS = {"optical": 3, "sar": 1}
CLASSES = 9

Figures = dict[str, dict[str, Any]]
Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sizes:
    """How much is measured: the scene is predicted in windows of `window_px`."""

    encoders: tuple[str, ...] = ("resnet18", "efficientnet-b4")
    batch: int = 4
    crop_px: int = 256
    steps: int = 3  # that count, in each round
    rounds: int = 5
    side: int = 1920
    window_px: int = 1024
    overlap_px: int = 128
    gpu_batches: tuple[int, ...] = (1, 4, 16, 64)


def figures(device: str, sizes: Sizes | None = None) -> Figures:
    """Return seconds of a step and of a window, ours and the peer's, and their ratios."""
    sizes = sizes or Sizes()
    torch.manual_seed(0)
    samples = [_sample(seed, sizes.side) for seed in range(2)]
    found: Figures = {}
    for encoder in sizes.encoders:
        found |= _steps(encoder, samples, device, sizes)
        found |= _windows(encoder, samples[0], device, sizes)
        if torch.device(device).type == "cuda":
            found |= by_batch(encoder, samples, device, sizes)
    return found


def _steps(encoder: str, samples: Sequence[Sample], device: str, sizes: Sizes) -> Figures:
    half: list[float] = []
    whole: list[float] = []
    peer: list[float] = []
    for _ in range(sizes.rounds):
        half.append(our_step(encoder, samples, device, sizes, sizes.batch, half=True))
        whole.append(our_step(encoder, samples, device, sizes, sizes.batch, half=False))
        peer.append(peer_step(encoder, samples, device, sizes, sizes.batch))
    n = sizes.rounds
    return {
        f"step_{encoder}": figure(median(half), "s", n),
        f"step_{encoder}_fp32": figure(median(whole), "s", n),
        f"step_{encoder}_peer": figure(median(peer), "s", n),
        f"step_{encoder}_speedup": figure(ratio(peer, half), "times the peer", n),
        f"step_{encoder}_speedup_fp32": figure(ratio(peer, whole), "times the peer", n),
    }


def _windows(encoder: str, sample: Sample, device: str, sizes: Sizes) -> Figures:
    network = build(NETWORK, BANDS, CLASSES, {"encoder": encoder}).on(device).eval()
    model = peer_network(encoder).to(device).eval()
    scene = {m: images[0].astype(np.float32) for m, images in sample.inputs.items()}
    ours: list[float] = []
    peer: list[float] = []
    for number in range(sizes.rounds + 1):
        began = time.perf_counter()
        our_map(network, scene, device, sizes)
        between = time.perf_counter()
        peer_map(model, scene, device, sizes)
        ended = time.perf_counter()
        if number:  # the first is not counted: memory is taken then, and kernels are chosen
            ours.append((between - began) / len(_layout(sizes)))
            peer.append((ended - between) / len(_layout(sizes)))
    n = sizes.rounds
    return {
        f"predict_{encoder}": figure(median(ours), "s per window", n),
        f"predict_{encoder}_peer": figure(median(peer), "s per window", n),
        f"predict_{encoder}_speedup": figure(ratio(peer, ours), "times the peer", n),
    }


def by_batch(encoder: str, samples: Sequence[Sample], device: str, sizes: Sizes) -> Figures:
    """Return crops learnt from per second and peak memory by batch: ours, in fp32, and the peer."""
    ways: dict[str, Callable[[int], float]] = {
        "amp": lambda size: our_step(encoder, samples, device, sizes, size, half=True),
        "fp32": lambda size: our_step(encoder, samples, device, sizes, size, half=False),
        "peer": lambda size: peer_step(encoder, samples, device, sizes, size),
    }
    found: Figures = {}
    for size in sizes.gpu_batches:
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        memory: dict[str, float] = {}
        for _ in range(sizes.rounds):
            for way, step in ways.items():
                _forget_peak(device)
                seconds[way].append(step(size))
                memory[way] = _peak_mb(device)
        for way, times in seconds.items():
            name = f"{encoder}_{way}_batch_{size}"
            found[f"crops_{name}"] = figure(size / median(times), "crops/s", sizes.rounds)
            found[f"memory_{name}"] = figure(memory[way], "MB on the GPU", sizes.rounds)
    return found


def our_step(
    encoder: str, samples: Sequence[Sample], device: str, sizes: Sizes, batch: int, *, half: bool
) -> float:
    """Return the median seconds of a step of `train`; the first is not counted."""
    ends: list[float] = []

    def report(_: Progress) -> None:
        ends.append(time.perf_counter())

    config = TrainConfig(
        classes=CLASSES,
        bands=BANDS,
        network=NETWORK,
        options={"encoder": encoder},
        steps=sizes.steps + 1,
        validate_every=4,  # so that each step is reported
        batch=batch,
        crop_px=sizes.crop_px,
        mixed_precision=half,
    )
    train(config, samples, report=report, device=device)
    return median(np.diff(ends).tolist())


def peer_step(
    encoder: str, samples: Sequence[Sample], device: str, sizes: Sizes, batch: int
) -> float:
    """Return the median seconds of a step of a plain loop; the first is not counted."""
    model = peer_network(encoder).to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3)
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    means = [normalisation(samples, m) for m in BANDS]
    mean, std = (np.concatenate([pair[i] for pair in means])[:, None, None] for i in (0, 1))
    rng = np.random.default_rng(0)
    ends: list[float] = []
    for _ in range(sizes.steps + 1):
        crops = [_crop(samples, sizes.crop_px, rng) for _ in range(batch)]
        images = np.stack([(image - mean) / std for image, _ in crops])
        labels = np.stack([label for _, label in crops]).astype(np.int64)
        optimiser.zero_grad()
        logits = model(torch.from_numpy(images).to(device))
        loss = criterion(logits, torch.from_numpy(labels).to(device))
        loss.backward()
        optimiser.step()
        loss.item()
        ends.append(time.perf_counter())
    return median(np.diff(ends).tolist())


def our_map(
    network: SegmentationNetwork, scene: Mapping[str, Image], device: str, sizes: Sizes
) -> npt.NDArray[np.uint8]:
    """Return the class of each pixel by `predict_scene`."""

    def read(y0: int, x0: int, height: int, width: int) -> Mapping[str, Image]:
        return {m: image[:, y0 : y0 + height, x0 : x0 + width] for m, image in scene.items()}

    parts: list[npt.NDArray[np.uint8]] = []
    how = How(window_px=sizes.window_px, overlap_px=sizes.overlap_px)
    predict_scene(
        network,
        read,
        sizes.side,
        sizes.side,
        lambda rows: parts.append(rows.index),
        how=how,
        device=device,
    )
    return np.concatenate(parts)


@torch.inference_mode()
def peer_map(
    model: nn.Module, scene: Mapping[str, Image], device: str, sizes: Sizes
) -> npt.NDArray[np.uint8]:
    """Return the class of each pixel, window by window; where they overlap the last one counts."""
    layout = _layout(sizes)
    image = np.concatenate([scene[m] for m in BANDS])
    found = np.zeros(image.shape[1:], np.uint8)
    for cell in layout.cells():
        place = (
            slice(cell.y0, cell.y0 + layout.y.size),
            slice(cell.x0, cell.x0 + layout.x.size),
        )
        logits: Tensor = model(torch.from_numpy(image[:, *place][None]).to(device))
        found[place] = torch.softmax(logits, 1)[0].cpu().numpy().argmax(0)
    return found


def peer_network(encoder: str) -> nn.Module:
    """Return the library's U-Net with the options that `unet_scse` has by default."""
    import_torchvision()
    import segmentation_models_pytorch as smp

    model: nn.Module = smp.Unet(
        encoder,
        encoder_weights=None,
        decoder_attention_type="scse",
        in_channels=sum(BANDS.values()),
        classes=CLASSES,
    )
    return model


def _layout(sizes: Sizes) -> Layout:
    return lay_out(sizes.side, sizes.side, sizes.window_px, sizes.overlap_px, 32)


def _sample(seed: int, side: int) -> Sample:
    """Return a tile of blocks of 32 px, each of one class, with noise."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, CLASSES, (-(-side // 32), -(-side // 32)), np.uint8)
    label = blocks.repeat(32, 0).repeat(32, 1)[:side, :side]
    inputs = {
        m: [(20 * label + rng.normal(0, 8, (bands, side, side))).astype(np.float32)]
        for m, bands in BANDS.items()
    }
    return Sample(inputs, label, np.ones(label.shape, np.float32), f"tile {seed}")


def _crop(
    samples: Sequence[Sample], side: int, rng: np.random.Generator
) -> tuple[Image, npt.NDArray[np.uint8]]:
    sample = samples[int(rng.integers(len(samples)))]
    y, x = (int(rng.integers(n - side + 1)) for n in sample.label.shape)
    place = (slice(y, y + side), slice(x, x + side))
    image = np.concatenate([sample.inputs[m][0][:, *place] for m in BANDS]).astype(np.float32)
    return image, sample.label[place]


def _forget_peak(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def _peak_mb(device: str) -> float:
    """Return the most memory that tensors took on a GPU; 0 on a CPU."""
    on_gpu = torch.device(device).type == "cuda"
    return torch.cuda.max_memory_allocated(device) / 2**20 if on_gpu else 0.0
