"""Cloud levels and simulated images of acquisitions, kept in the workspace with their origin.

Rasters lie in `clouds/project-N/` of the workspace; originals are never touched. Levels that came
with a dataset are never replaced. A simulated acquisition is an acquisition like any other, whose
`simulated` holds the sky that it was drawn from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from core.clouds import cover as cloud
from core.clouds.files import FOLDER, cloud_folder
from core.errors import CloudbrushError, NotFound
from core.map_files import unlink_map
from core.raster import write_geotiff
from core.records import Acquisition, Layer, Modality, Tile, Unit
from core.store.engine import Store
from core.store.tables import AcquisitionRow, LayerRow, PredictionRow, TileRow

CLEAR_COVER = 0.02
"""An image with at most this cover is clear enough to compare others with."""
CLEAR_WORDS = ("clear", "clean")

Levels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.generic]


def count_sources(store: Store, project_id: int) -> dict[str, int]:
    """Return images of a project by how their clouds are known, "" where they are not."""
    query = (
        select(AcquisitionRow.cloud_source, func.count())
        .join(TileRow)
        .where(TileRow.project_id == project_id)
        .group_by(AcquisitionRow.cloud_source)
        .order_by(func.count().desc())
    )
    with store.read() as session:
        return {source or "": count for source, count in session.execute(query)}


def clear_image(acquisitions: Sequence[Acquisition], of: Acquisition) -> Acquisition | None:
    """Return another real image of the tile that is clear: by its cover, or else by its name."""
    others = [a for a in acquisitions if a.id != of.id and a.simulated is None]
    return _clearest(others) or next((a for a in others if says_clear(a)), None)


def clear_base(acquisitions: Sequence[Acquisition]) -> Acquisition | None:
    """Return the real image to draw clouds on: the clearest, one named clear, or one not known.

    None where every image is known to be cloudier than `CLEAR_COVER`.
    """
    real = [a for a in acquisitions if a.simulated is None]
    named = next((a for a in real if says_clear(a)), None)
    return _clearest(real) or named or next((a for a in real if a.cover is None), None)


def takes_clouds(acquisition: Acquisition) -> bool:
    """Return whether clouds may be drawn on an image: a real one that is not known to be cloudy."""
    if acquisition.simulated is not None:
        return False
    known = acquisition.cover is not None and acquisition.cover > CLEAR_COVER
    return says_clear(acquisition) or not known


def says_clear(acquisition: Acquisition) -> bool:
    """Return whether an image is clear by its name, and no mask that came with it says otherwise.

    What the detector guesses does not count against the name.
    """
    if acquisition.cloud_source in cloud.GIVEN_SOURCES and acquisition.cover is not None:
        return acquisition.cover <= CLEAR_COVER
    words = acquisition.name.lower().replace("_", " ").replace("-", " ").split()
    return any(word in CLEAR_WORDS for word in words)


def _clearest(acquisitions: Sequence[Acquisition]) -> Acquisition | None:
    known = [a for a in acquisitions if a.cover is not None and a.cover <= CLEAR_COVER]
    return min(known, key=lambda a: a.cover or 0.0, default=None)


def take_as_clear(store: Store, acquisition_id: int) -> None:
    """Keep that an image of unknown clouds is taken as clear, because clouds are drawn on it.

    It then comes before the drawn ones wherever images go by their cover. Others stay as they are.
    """
    with store.write() as session:
        row = session.get(AcquisitionRow, acquisition_id)
        if row is not None and row.cloud_source is None and not _cloud_rows(session, row.id):
            row.thin = row.thick = row.shadow = 0.0
            row.cloud_source = cloud.TAKEN_SOURCE


def save_levels(
    store: Store, tile: Tile, acquisition: Acquisition, levels: Levels, source: str, name: str
) -> None:
    """Keep levels uint8 [H, W] that a method of ours found for an acquisition.

    Levels that another method of ours had found are replaced. `name` is what people read about the
    layer. Raises `CloudbrushError` where levels came with the data, `DatasetError` for values that
    are no level; nothing is kept then.
    """
    shares = cloud.fractions(levels)
    path = _write(store, tile, levels, cloud.NONE)
    try:
        with store.write() as session:
            row = session.get(AcquisitionRow, acquisition.id)
            if row is None or row.tile_id != tile.id:
                raise NotFound(f"image {acquisition.name}", expected=f"one of tile {tile.name}")
            old = _cloud_rows(session, acquisition.id)
            if row.cloud_source in cloud.GIVEN_SOURCES or any(not _ours(store, r) for r in old):
                raise CloudbrushError(
                    f"cloud levels of {tile.name}, {acquisition.name}",
                    found="levels that came with the data",
                    expected="an image without any",
                )
            row.thin, row.thick, row.shadow = shares
            row.cloud_source = source
            replaced = [Path(layer.sources[0][0]) for layer in old]
            for layer in old:
                session.delete(layer)
            session.add(_cloud_row(tile.id, acquisition.id, path, name))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    for before in replaced:
        before.unlink(missing_ok=True)


@dataclass(frozen=True, eq=False)
class Simulated:
    """An image under simulated clouds: the clear layer, and pixels [C, H, W] on the tile's grid.

    Without `values` the files of the clear layer are taken as they are. `nodata` marks gaps.
    """

    clear: Layer
    values: Values | None
    nodata: float | None


def add_simulated(
    store: Store,
    tile: Tile,
    name: str,
    sky: Mapping[str, Any],
    levels: Levels,
    images: Sequence[Simulated],
) -> int:
    """Add an acquisition of simulated clouds and return its id.

    `levels` uint8 [H, W] are what was drawn from `sky`. Raises `CloudbrushError` when the tile has
    an image of that name; nothing is kept then.
    """
    shares = cloud.fractions(levels)
    mask = _write(store, tile, levels, cloud.NONE)
    paths: list[Path | None] = []
    try:
        for image in images:
            names, values = image.clear.bands, image.values
            drawn = None if values is None else _write(store, tile, values, image.nodata, names)
            paths.append(drawn)
        with store.write() as session:
            row = _simulated_row(session, tile, name, sky, shares)
            session.add(_cloud_row(tile.id, row.id, mask, "simulated clouds"))
            for image, path in zip(images, paths, strict=True):
                session.add(_image_row(session, image, row.id, path))
            return row.id
    except BaseException:
        for written in (mask, *paths):
            if written is not None:
                written.unlink(missing_ok=True)
        raise


def _simulated_row(
    session: Session,
    tile: Tile,
    name: str,
    sky: Mapping[str, Any],
    shares: tuple[float, float, float],
) -> AcquisitionRow:
    taken = select(AcquisitionRow.id).where(
        AcquisitionRow.tile_id == tile.id, AcquisitionRow.name == name
    )
    if session.scalar(taken) is not None:
        raise CloudbrushError(
            f"tile {tile.name}", found=f"an image named {name!r}", expected="a new name"
        )
    thin, thick, shadow = shares
    row = AcquisitionRow(tile_id=tile.id, name=name, thin=thin, thick=thick, shadow=shadow)
    row.cloud_source, row.simulated = cloud.SIMULATED_SOURCE, dict(sky)
    session.add(row)
    session.flush()
    return row


def remove_simulated(store: Store, project_id: int) -> int:
    """Delete the simulated acquisitions of a project with their maps and scores; return how many.

    Files go after the database has forgotten them.
    """
    tiles = select(TileRow.id).where(TileRow.project_id == project_id)
    drawn = select(AcquisitionRow.id).where(
        AcquisitionRow.tile_id.in_(tiles), AcquisitionRow.cloud_source == cloud.SIMULATED_SOURCE
    )
    sources = select(LayerRow.sources).where(LayerRow.acquisition_id.in_(drawn))
    maps = select(PredictionRow.path).where(PredictionRow.acquisition_id.in_(drawn))
    with store.write() as session:
        files = {Path(path) for found in session.scalars(sources) for path, *_ in found}
        predicted = [store.workspace / path for path in session.scalars(maps)]
        gone = session.scalars(drawn).all()
        session.execute(delete(AcquisitionRow).where(AcquisitionRow.id.in_(drawn)))
    ours = store.workspace / FOLDER
    for path in predicted:
        unlink_map(path)
    for path in files:
        if path.is_relative_to(ours):
            path.unlink(missing_ok=True)
    return len(gone)


def _write(
    store: Store, tile: Tile, values: Values, nodata: float | None, names: Sequence[str] = ()
) -> Path:
    path = cloud_folder(store, tile.project_id) / f"tile-{tile.id}-{token_hex(6)}.tif"
    write_geotiff(path, values, tile.grid, nodata=nodata, descriptions=names)
    return path


def _cloud_rows(session: Session, acquisition_id: int) -> list[LayerRow]:
    query = select(LayerRow).where(
        LayerRow.acquisition_id == acquisition_id, LayerRow.modality == Modality.CLOUD.value
    )
    return list(session.scalars(query))


def _ours(store: Store, row: LayerRow) -> bool:
    return all(Path(path).is_relative_to(store.workspace / FOLDER) for path, *_ in row.sources)


def _cloud_row(tile_id: int, acquisition_id: int, path: Path, name: str) -> LayerRow:
    return LayerRow(
        tile_id=tile_id,
        acquisition_id=acquisition_id,
        modality=Modality.CLOUD.value,
        name=name[:120],
        sources=[[str(path), 1]],
        bands=["class"],
        unit=Unit.CODE.value,
        nodata=cloud.NONE,
    )


def _image_row(
    session: Session, image: Simulated, acquisition_id: int, path: Path | None
) -> LayerRow:
    """Return the row of a simulated image: of its own file, or of the clear image's files."""
    original = session.get(LayerRow, image.clear.id)
    if original is None:
        raise NotFound(f"image {image.clear.name}", todo="It may have been deleted.")
    own = [[str(path), band] for band in range(1, len(image.clear.bands) + 1)]
    return LayerRow(
        tile_id=original.tile_id,
        acquisition_id=acquisition_id,
        modality=Modality.OPTICAL.value,
        name=original.name,
        sources=list(original.sources) if path is None else own,
        bands=list(original.bands),
        unit=original.unit,
        nodata=image.nodata,
        offset_px=original.offset_px if path is None else 0.0,
    )
