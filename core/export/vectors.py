"""Tables of polygons on disk: GeoParquet, GeoPackage or GeoJSON, each read back and compared.

Tiles of one CRS keep it; tiles of several go out in longitude and latitude, as GeoJSON always does.
Tiles without a CRS have a file of their own, in pixels: x = column, y = row.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.classes import ClassTable
from core.errors import RasterError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

LONLAT = "EPSG:4326"
SUFFIXES = {"parquet": ".parquet", "gpkg": ".gpkg", "geojson": ".geojson"}
JSON_DEGREES = 1e-9  # GeoJSON holds decimal text; a ten thousandth of a metre


def write_tables(
    folder: Path, stem: str, tables: Mapping[str | None, Sequence["GeoDataFrame"]], kind: str
) -> None:
    """Write tables by CRS as `stem` and, for tiles without a position, `stem_pixels`.

    `kind` is one of `SUFFIXES`. Raises `RasterError` when a file reads back otherwise.
    """
    import pandas as pd

    placed = {crs: found for crs, found in tables.items() if crs}
    if placed:
        one = len(placed) == 1 and kind != "geojson"
        crs = next(iter(placed)) if one else LONLAT
        parts = [part.to_crs(crs) for found in placed.values() for part in found]
        _write(pd.concat(parts, ignore_index=True), folder / stem, kind)
    if None in tables:
        joined = pd.concat(list(tables[None]), ignore_index=True)
        _write(joined, folder / f"{stem}_pixels", kind)


def class_names(classes: ClassTable) -> dict[int, str]:
    """Return the name of each code of a class table, void too."""
    return {entry.code: entry.name for entry in classes.entries} | {classes.void_code: "void"}


def _write(table: "GeoDataFrame", stem: Path, kind: str) -> None:
    """Write a table and hold what is read back against it."""
    import geopandas

    path = stem.with_name(stem.name + SUFFIXES[kind])
    if kind == "parquet":
        table.to_parquet(path)
        found = geopandas.read_parquet(path)
    else:
        driver = "GPKG" if kind == "gpkg" else "GeoJSON"
        layer = stem.name.removesuffix("_pixels")
        table.to_file(path, driver=driver, layer=layer, engine="pyogrio")
        found = geopandas.read_file(path, engine="pyogrio")
    same = (
        len(found) == len(table)
        and _plain(found, table).equals(_plain(table, table))
        and _same_shapes(found, table, kind)
        # GeoJSON has no way to say "no CRS": without one it is read as longitude and latitude.
        and (table.crs is None or found.crs == table.crs)
    )
    if not same:
        raise RasterError(str(path), found="other rows than written", expected="the same table")


def _plain(found: "GeoDataFrame", like: "GeoDataFrame") -> "DataFrame":
    """Return the columns but the shapes as text, numbers as those of `like`."""
    names = [name for name in like.columns if name != "geometry"]
    numbers = {n: "float64" for n in names if like[n].dtype.kind == "f"}
    plain: DataFrame = found[names].astype(numbers).astype(str)
    return plain


def _same_shapes(found: "GeoDataFrame", table: "GeoDataFrame", kind: str) -> bool:
    if kind != "geojson":
        return bool(found.geometry.geom_equals(table.geometry, align=False).all())
    first, second = (shapes.geometry.normalize() for shapes in (found, table))
    if table.crs is None:
        first = first.set_crs(None, allow_override=True)
    return bool(first.geom_equals_exact(second, JSON_DEGREES, align=False).all())
