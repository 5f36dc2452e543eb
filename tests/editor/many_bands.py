"""A tile with many bands for tests of views: SAR in dB, reflectance of two dates, a class map.

Left and right halves of every image differ and are flat, so that colours on the screen are known.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from core.raster import write_geotiff
from core.records import Grid, Modality, Unit
from core.store.tables import AcquisitionRow, LayerRow
from tests.scene import Scene, add_class_map

SURE, UNSURE = 200, 40


def add_image(
    scene: Scene,
    modality: Modality,
    name: str,
    bands: dict[str, tuple[float, float]],
    unit: Unit,
    date: str | None = None,
) -> int:
    """Add a layer to the first tile; `bands` gives (left, right) of each. Returns its id."""
    values = np.stack([halves(scene.grid, *pair) for pair in bands.values()])
    path = scene.folder / f"{name}-{date}.tif"
    write_geotiff(path, values, scene.grid)
    with scene.store.write() as session:
        row = LayerRow(
            tile_id=scene.tile,
            acquisition_id=_date(session, scene, date) if date else None,
            modality=modality.value,
            name=name,
            sources=[[str(path), number] for number in range(1, len(bands) + 1)],
            bands=list(bands),
            unit=unit.value,
        )
        session.add(row)
        session.flush()
        return row.id


def _date(session: Any, scene: Scene, name: str) -> int:
    query = select(AcquisitionRow).where(
        AcquisitionRow.tile_id == scene.tile, AcquisitionRow.name == name
    )
    row = session.scalar(query)
    if row is None:
        row = AcquisitionRow(tile_id=scene.tile, name=name, date=name)
        session.add(row)
        session.flush()
    return int(row.id)


def halves(grid: Grid, left: float, right: float) -> npt.NDArray[np.float32]:
    """Return a float32 raster with one value in its left and another in its right half."""
    values = np.full((grid.height, grid.width), left, np.float32)
    values[:, grid.width // 2 :] = right
    return values


def add_prediction(scene: Scene, shift: int = 8) -> int:
    """Add a class map: the label of the first tile, moved right by `shift`. Returns the id."""
    label = np.roll(scene.label, shift, axis=1)
    confidence = halves(scene.grid, UNSURE, SURE).astype(np.uint8)
    return add_class_map(scene.store, scene.tile, label, confidence)


def enrich(scene: Scene) -> dict[str, int]:
    """Add calibrated SAR, two dates of reflectance and a prediction to the first tile."""
    summer = {"blue": (0.0, 0.0), "green": (0.0, 0.3), "red": (0.1, 0.3), "nir": (0.1, 0.3)}
    autumn = {"blue": (0.0, 0.0), "green": (0.0, 0.0), "red": (0.0, 0.1), "nir": (0.3, 0.3)}
    return {
        "s1": add_image(scene, Modality.SAR, "s1", {"VV": (-25, 0), "VH": (0, -25)}, Unit.DB),
        "summer": add_image(scene, Modality.OPTICAL, "s2", summer, Unit.REFLECTANCE, "2024-07-01"),
        "autumn": add_image(scene, Modality.OPTICAL, "s2", autumn, Unit.REFLECTANCE, "2024-10-01"),
        "prediction": add_prediction(scene),
    }
