"""A project whose models have been scored, without any raster: six validation tiles in two regions,
each with a clear and a cloudy image, two optical models and one that sees only SAR."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core import scores
from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassTable
from core.scores import Evaluation, Reference
from core.store.engine import Store
from core.store.tables import AcquisitionRow, ClassEntryRow, ProjectRow, TileRow
from core.trained import add_model, promote

SPAN = 0.01
"""Width and height of a tile in degrees."""


@dataclass(frozen=True)
class ScoredProject:
    """Ids of what was made; `dates` holds (clear, cloudy) by tile."""

    project_id: int
    tiles: list[int]
    dates: dict[int, tuple[int, int]]
    before: int
    after: int
    sar: int


def make_scored(
    store: Store,
    *,
    reference: Reference = "truth",
    kind: str = "land_cover",
    lonlat: bool = True,
    evaluated: bool = True,
) -> ScoredProject:
    """Write the project; the class at index 1 got worse, all others better, the last is absent."""
    classes = BRIGHT if kind == "damage" else OPEN_EARTH_MAP_SAR
    project_id, tiles, dates = _catalogue(store, classes, kind, lonlat)
    before, after, sar = (
        add_model(
            store,
            project_id,
            name,
            store.workspace / "models" / f"{name}.safetensors",
            {"network": "unet", "bands": bands, "sha256": "0"},
        ).id
        for name, bands in (
            ("Old", {"optical": 3, "sar": 1}),
            ("New", {"optical": 3, "sar": 1}),
            ("Radar", {"sar": 1}),
        )
    )
    promote(store, project_id, after)
    if evaluated:
        found = _evaluations(classes, tiles, dates, (before, after, sar), reference)
        scores.save_evaluations(store, found)
    return ScoredProject(project_id, tiles, dates, before, after, sar)


def _catalogue(
    store: Store, classes: ClassTable, kind: str, lonlat: bool
) -> tuple[int, list[int], dict[int, tuple[int, int]]]:
    tiles: list[int] = []
    dates: dict[int, tuple[int, int]] = {}
    with store.write() as session:
        preset = "dfc25_t2" if kind == "damage" else "dfc25_t1"
        project = ProjectRow(
            name=f"Scored {kind}",
            kind=kind,
            reader="folder",
            root="/nowhere",
            preset=preset,
            class_table=classes.name,
            void_code=classes.void,
        )
        session.add(project)
        session.flush()
        for place, entry in enumerate(classes.entries):
            row = ClassEntryRow(
                project_id=project.id,
                position=place,
                code=entry.code,
                name=entry.name,
                colour=entry.colour,
            )
            session.add(row)
        for number in range(6):
            tile = TileRow(
                project_id=project.id,
                name=f"tile_{number}",
                region="north" if number < 3 else "south",
                split="val",
                height=64,
                width=64,
                crs="EPSG:32654" if lonlat else None,
                transform=[1, 0, 0, 0, -1, 0],
                lonlat=_corners(number) if lonlat else None,
                lon=_corners(number)[0][0] if lonlat else None,
                lat=_corners(number)[0][1] if lonlat else None,
            )
            session.add(tile)
            session.flush()
            tiles.append(tile.id)
            pair = [
                AcquisitionRow(tile_id=tile.id, name=name, thin=0.0, thick=thick, shadow=0.0)
                for name, thick in (("clear", 0.005 * number), ("cloudy", 0.85 + 0.02 * number))
            ]
            session.add_all(pair)
            session.flush()
            dates[tile.id] = pair[0].id, pair[1].id
        return project.id, tiles, dates


def _corners(number: int) -> list[list[float]]:
    west, north = 140 + SPAN * number, 36.0
    east, south = west + SPAN, north - SPAN
    return [[west, north], [east, north], [east, south], [west, south]]


def _evaluations(
    classes: ClassTable,
    tiles: list[int],
    dates: dict[int, tuple[int, int]],
    models: tuple[int, int, int],
    reference: Reference,
) -> list[Evaluation]:
    size = len(classes.codes) + 1
    before, after, sar = models
    found: list[Evaluation] = []
    for number, tile in enumerate(tiles):
        for model, right in ((before, (60, 60)), (after, (80, 50))):
            for date, loss in zip(dates[tile], (0, 35), strict=True):
                matrix = _matrix(size, right[0] - loss + number, right[1] - loss + number)
                source = scores.model_source(model, date)
                found.append(
                    Evaluation(tile, source, reference, matrix, model, date, _buildings(matrix))
                )
        matrix = _matrix(size, 45 + number, 45 + number)
        source = scores.model_source(sar)
        found.append(Evaluation(tile, source, reference, matrix, sar, None, _buildings(matrix)))
    return found


def _matrix(size: int, right: int, second: int) -> npt.NDArray[np.int64]:
    """Return 100 pixels per class but the last; the wrong ones are said to be the next class."""
    matrix = np.zeros((size, size), np.int64)
    for index in range(size - 2):
        hits = second if index == 1 else right
        matrix[index, index] = hits
        matrix[index, (index + 1) % (size - 2)] = 100 - hits
    return matrix


def _buildings(matrix: npt.NDArray[np.int64]) -> dict[str, object]:
    return {"buildings": (matrix // 10).tolist()}
