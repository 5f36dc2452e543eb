"""The small network that finds clouds in one image where there is neither a mask nor a clear image.

It sees red, green and blue only, so that it works for every band set that has them, and learns from
clouds that `core.clouds.simulator` draws over the scenes of the demo. No real pixel is in it.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.clouds.cover import CLEAR, LEVELS, NONE, SHADOW, THICK, THIN
from core.clouds.difference import without_specks
from core.clouds.images import Light
from core.clouds.optics import TONE, rgb_bands, under
from core.clouds.simulator import Sky, draw
from core.errors import CloudbrushError
from core.noise import Field
from core.records import Unit
from data.demo.landcover import draw_region
from data.demo.regions import ELSEWHERE, REGIONS, Region
from models.model_files import LoadedModel, load, save_files
from models.predict import predict_array
from models.sample import Sample
from models.train import Progress, TrainConfig, train

WEIGHTS = Path(__file__).parent / "weights" / "cloud-detector.safetensors"
CODES = (CLEAR, THIN, THICK, SHADOW)
RGB = ("red", "green", "blue")

SEED = 11
SCENE_PX = 1024
SAMPLE_PX = 192
STEPS = 1000
SAMPLES, VALIDATION = 360, 40
COARSER = (1, 2, 3, 4)
"""How many pixels of the demo's 0.5 m are averaged: clouds are seen over ground of any detail."""

BRIGHTNESS = (0.5, 1.15)  # of thick cloud, times the simulator's
GROUND = (0.2, 2.2)  # brightness of the ground, times the demo's
HAZE = (0.05, 0.30)  # most light of the air: as a rule, and in a quarter of the images
WIDTHS = (8, 16, 28, 40, 56)

SMALLEST_PX = 50  # smaller specks are roofs and cars more often than clouds
LEAST_CLOUD = 0.01  # share of the picture; below, a dark place is not taken for a shadow

Levels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def detector_input(light: Field) -> Field:
    """Return what the network sees, float32 [3, H, W] from about 0 to 1, of light in RGB.

    The root brings out shadows. Images whose white is far above 1 are brought down to it first.
    """
    finite = light[np.isfinite(light)]
    white = max(float(np.percentile(finite, 99.9)) if finite.size else 1.0, 1.0)
    return np.asarray(np.sqrt(np.clip(light / np.float32(white), 0, 1)), np.float32)


def detect(image: Light) -> Levels:
    """Return cloud levels uint8 [H, W] of one image; 255 where it has no pixel.

    Raises `CloudbrushError` where it has no red, green and blue.
    """
    places = rgb_bands(image.names)
    if places is None:
        raise CloudbrushError(
            "cloud detector",
            found=f"bands {', '.join(image.names)}",
            expected="red, green and blue",
            todo="Give a cloud mask with the data, or a clear image of the same ground.",
        )
    seen = detector_input(image.values[list(places)])
    seen[:, ~image.valid] = np.nan
    codes, _ = predict_array(shipped(), {"optical": seen})
    return np.where(image.valid, _settled(codes, image.valid), NONE).astype(np.uint8)


def _settled(codes: Levels, valid: Mask) -> Levels:
    """Return levels without specks, and without shadows where hardly any cloud throws one."""
    cloud = without_specks(np.isin(codes, (THIN, THICK)) & valid, SMALLEST_PX)
    shadow = without_specks((codes == SHADOW) & valid & ~cloud, SMALLEST_PX)
    settled = np.full_like(codes, CLEAR)
    if cloud.sum() >= LEAST_CLOUD * valid.sum():
        settled[shadow] = SHADOW
    settled[cloud] = np.where(codes == THICK, THICK, THIN)[cloud]
    return settled


@lru_cache(maxsize=1)
def shipped() -> LoadedModel:
    """Return the network that ships with the project; raises `ModelFileError`."""
    return load(WEIGHTS)


def train_detector(path: Path = WEIGHTS, *, steps: int = STEPS) -> dict[str, Any]:
    """Train the detector on simulated clouds and write it to `path`; return its card."""
    samples = simulated_samples(SAMPLES, [*REGIONS[:-1], *ELSEWHERE], SEED)
    unseen = simulated_samples(VALIDATION, REGIONS[-1:], SEED + 1)
    config = TrainConfig(
        len(CODES),
        {"optical": 3},
        options={"widths": WIDTHS},
        steps=steps,
        validate_every=max(steps // 7, 1),
        batch=8,
        crop_px=128,
        learning_rate=3e-3,
    )
    trained = train(config, samples, unseen, report=_print)
    card = {
        "name": path.stem,
        "trained_on": "clouds simulated over synthetic demo scenes; no real pixel",
        "input": "root of light in red, green and blue, 0 to 1",
        "levels": [LEVELS[code] for code in CODES],
        "steps": steps,
        "samples": len(samples),
        "seed": SEED,
        "matrix": [] if trained.matrix is None else trained.matrix.tolist(),
        "matrix_of": f"{len(unseen)} simulated images over a scene that was not trained on",
        "final_loss": round(trained.history[-1].loss, 4),
    }
    return save_files(path, trained.network, CODES, card)


def _print(progress: Progress) -> None:
    score = "" if progress.val_miou is None else f", mIoU {progress.val_miou:.3f}"
    print(f"step {progress.step}/{progress.steps}: loss {progress.loss:.3f}{score}", flush=True)


def simulated_samples(count: int, regions: Sequence[Region], seed: int) -> list[Sample]:
    """Return images of the demo's ground under drawn clouds with their levels, seeded."""
    rng = np.random.default_rng(seed)
    scenes = [_scene(region, seed) for region in regions]
    return [_sample(rng, scenes[n % len(scenes)], f"simulated {n}") for n in range(count)]


def _scene(region: Region, seed: int) -> list[Field]:
    """Return the clear ground of a region as light [3, H, W], at each coarseness."""
    drawn = draw_region(region, seed, (SCENE_PX, SCENE_PX), skies=()).dates[0].picture
    light = (drawn.astype(np.float32).transpose(2, 0, 1) / 255) ** np.float32(TONE)
    return [_averaged(np.asarray(light, np.float32), times) for times in COARSER]


def _averaged(light: Field, times: int) -> Field:
    side = light.shape[1] // times * times
    parts = light[:, :side, :side].reshape(3, side // times, times, side // times, times)
    return np.asarray(parts.mean((2, 4)), np.float32)


def _sample(rng: np.random.Generator, scene: Sequence[Field], name: str) -> Sample:
    ground = scene[int(rng.integers(len(scene)))]
    y, x = (int(rng.integers(side - SAMPLE_PX + 1)) for side in ground.shape[1:])
    light = ground[:, y : y + SAMPLE_PX, x : x + SAMPLE_PX]
    light = light * np.exp(rng.uniform(*np.log(GROUND))) * _tint(rng)
    sky = _any_sky(rng)
    clouds = draw(sky, light.shape[1:], 10.0)
    valid = np.ones(light.shape[1:], np.bool_)
    # Reflectance of red, green and blue: clouds are about as bright on every ground.
    bright = clouds.glow * np.float32(rng.uniform(*BRIGHTNESS))
    ground = light.astype(np.float32)
    seen = np.asarray(
        under(ground, valid, Unit.REFLECTANCE, RGB, clouds.opacity, clouds.shade, bright),
        np.float32,
    )
    most = HAZE[int(rng.random() < 0.25)]
    haze = np.float32(rng.uniform(0, most)) * np.array([0.6, 0.8, 1.0], np.float32)[:, None, None]
    grain = rng.normal(0, rng.uniform(0.001, 0.012), seen.shape)
    image = detector_input(np.asarray(seen + haze + grain, np.float32))
    weight = np.ones(light.shape[1:], np.float32)
    return Sample({"optical": [image]}, clouds.levels(), weight, name)


def _tint(rng: np.random.Generator) -> Field:
    return rng.uniform(0.85, 1.15, (3, 1, 1)).astype(np.float32)


def _any_sky(rng: np.random.Generator) -> Sky:
    """Return a random sky: a fifth clear, some closed, all sizes, heights and suns."""
    kind = rng.random()
    cover = 0.0 if kind < 0.22 else 1.0 if kind > 0.95 else float(rng.uniform(0.05, 0.95))
    return Sky(
        cover,
        seed=int(rng.integers(2**31 - 1)),
        thin=float(rng.uniform(0, 0.8)),
        sun_azimuth_deg=float(rng.uniform(0, 360)),
        sun_elevation_deg=float(rng.uniform(25, 75)),
        height_m=float(rng.uniform(100, 900)),
        size_m=float(rng.uniform(200, 2500)),
        softness=float(rng.uniform(0.3, 1.4)),
    )
