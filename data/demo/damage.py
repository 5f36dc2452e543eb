"""The damage demo: three towns after three kinds of events, in BRIGHT's flat layout.

    <root>/pre-event/<event>_<8 digits>_pre_disaster.tif       optical before, RGB uint8
    <root>/post-event/<event>_<8 digits>_post_disaster.tif     SAR after, one band uint8
    <root>/target/<event>_<8 digits>_building_damage.tif       label: 0 ground, 1 to 3 buildings
    <root>/truth/<event>_<8 digits>_building_damage.tif        what really happened
    <root>/train_set.txt, val_set.txt                          ids of the split

A *town* is drawn on one canvas and cut into tiles, so that neighbouring tiles show one event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.classes import BRIGHT, LabelArray
from core.clouds.sun import Sun
from core.raster import write_geotiff
from core.records import Grid, Split
from data.demo.damage_field import Hazard, damage_classes, force, hit_area
from data.demo.damage_picture import optical_before, sar_after
from data.demo.damage_town import PIXEL_M, TownStyle, build_town
from data.demo.sar import Geometry

TILE_PX = 512
ROWS, COLUMNS = 2, 3
VALIDATION = 2


@dataclass(frozen=True)
class Event:
    """One town and what struck it. `name` is the prefix of BRIGHT's ids; `corner_m` the easting and
    northing of the canvas's upper left corner in `crs`. The names are fictional."""

    name: str
    hazard: Hazard
    crs: str
    corner_m: tuple[float, float]
    style: TownStyle
    sun: Sun
    radar: Geometry


@dataclass(frozen=True, eq=False)
class DamageTile:
    """One tile: `before` uint8 [H, W, 3], `after` and `truth` uint8 [H, W] on one grid."""

    id: str
    split: Split
    grid: Grid
    before: npt.NDArray[np.uint8]
    after: npt.NDArray[np.uint8]
    truth: LabelArray


_TILED = ((172, 98, 70), (150, 84, 62), (188, 122, 92), (140, 130, 120), (198, 148, 118))
_SHINGLE = ((112, 104, 98), (134, 122, 112), (92, 90, 92), (150, 132, 116), (120, 96, 84))
_METAL = ((176, 178, 180), (128, 74, 62), (204, 200, 190), (96, 116, 132), (160, 142, 120))

EVENTS = (
    Event(
        "arden-earthquake",
        "earthquake",
        "EPSG:32633",
        (412_300.0, 4_718_900.0),
        TownStyle(18, (34, 46), _TILED, (150, 130, 100), (96, 112, 70), wood_share=0.06),
        Sun(140, 48),
        Geometry("left", 40),
    ),
    Event(
        "calder-wildfire",
        "wildfire",
        "EPSG:32610",
        (587_640.0, 4_402_180.0),
        TownStyle(
            -7,
            (44, 56),
            _SHINGLE,
            (168, 146, 108),
            (112, 112, 72),
            shed_share=0.04,
            flats_share=0.04,
            wood_share=0.25,
        ),
        Sun(165, 55),
        Geometry("right", 36),
    ),
    Event(
        "morwen-flood",
        "flood",
        "EPSG:32647",
        (663_020.0, 1_843_750.0),
        TownStyle(33, (32, 42), _METAL, (142, 112, 82), (84, 116, 64), wood_share=0.1, river=True),
        Sun(120, 60),
        Geometry("left", 45),
    ),
)

ELSEWHERE = Event(
    "harrow-explosion",
    "explosion",
    "EPSG:32636",
    (702_400.0, 3_698_200.0),
    TownStyle(
        -25,
        (36, 48),
        _TILED + _SHINGLE + _METAL,
        (160, 140, 110),
        (104, 114, 72),
        wood_share=0.1,
    ),
    Sun(150, 50),
    Geometry("right", 38),
)
"""The town from which the pseudo-labeller learnt: not in the demo, and struck by something else."""


def draw_event(
    event: Event,
    seed: int,
    *,
    tile_px: int = TILE_PX,
    rows: int = ROWS,
    columns: int = COLUMNS,
    validation: int = VALIDATION,
) -> list[DamageTile]:
    """Return the tiles of one event in reading order; the same arguments give the same pixels.

    The `validation` tiles whose damage is most like the whole town's are kept for validation, so
    that scores on them speak for the event.
    """
    rng = np.random.default_rng([seed, *event.name.encode()])
    town = build_town((rows * tile_px, columns * tile_px), event.style, rng)
    field = force(event.hazard, town, rng)
    grades = damage_classes(event.hazard, town, field, rng)
    hit = hit_area(event.hazard, town, field, grades)
    before = optical_before(town, event.sun, rng)
    after = sar_after(town, event.hazard, grades, hit, event.radar, rng)
    truth = grades[town.ids]
    corners = [(r * tile_px, c * tile_px) for r in range(rows) for c in range(columns)]
    cuts = [(slice(r, r + tile_px), slice(c, c + tile_px)) for r, c in corners]
    kept = _validation_tiles([truth[cut] for cut in cuts], validation)
    return [
        DamageTile(
            f"{event.name}_{number:08d}",
            Split.VAL if number in kept else Split.TRAIN,
            _grid(event, corners[number], tile_px),
            *(np.ascontiguousarray(values[cut]) for values in (before, after, truth)),
        )
        for number, cut in enumerate(cuts)
    ]


def write_tiles(root: Path, tiles: Sequence[DamageTile], labels: Mapping[str, LabelArray]) -> None:
    """Write tiles with their labels (uint8 [H, W] by id) and the split lists below `root`."""
    for folder in ("pre-event", "post-event", "target", "truth"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    colours = {entry.code: _rgb(entry.colour) for entry in BRIGHT.entries}
    for tile in tiles:
        before = tile.before.transpose(2, 0, 1)
        write_geotiff(root / "pre-event" / f"{tile.id}_pre_disaster.tif", before, tile.grid)
        write_geotiff(root / "post-event" / f"{tile.id}_post_disaster.tif", tile.after, tile.grid)
        for folder, codes in (("target", labels[tile.id]), ("truth", tile.truth)):
            path = root / folder / f"{tile.id}_building_damage.tif"
            write_geotiff(path, codes, tile.grid, colours=colours)
    for split in (Split.TRAIN, Split.VAL):
        ids = [tile.id for tile in tiles if tile.split is split]
        (root / f"{split}_set.txt").write_text("".join(f"{name}\n" for name in ids))


def truth_path(root: Path, tile_id: str) -> Path:
    """Return where the truth of a tile lies."""
    return root / "truth" / f"{tile_id}_building_damage.tif"


def _grid(event: Event, corner: tuple[int, int], tile_px: int) -> Grid:
    east = event.corner_m[0] + corner[1] * PIXEL_M
    north = event.corner_m[1] - corner[0] * PIXEL_M
    return Grid(tile_px, tile_px, (PIXEL_M, 0.0, east, 0.0, -PIXEL_M, north), event.crs)


def _validation_tiles(truths: Sequence[LabelArray], number: int) -> tuple[int, ...]:
    """Return the places of the `number` tiles that together have the class shares of all."""
    counts = np.array([np.bincount(truth.ravel(), minlength=4)[1:] for truth in truths], float)
    wanted = counts.sum(0) / max(counts.sum(), 1)

    def distance(chosen: tuple[int, ...]) -> float:
        found = counts[list(chosen)].sum(0)
        return float(np.abs(found / max(found.sum(), 1) - wanted).sum())

    return min(combinations(range(len(truths)), number), key=distance)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue
