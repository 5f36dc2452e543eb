"""GeoTIFF, COG, PNG, JPEG and JPEG 2000, on disk or behind an address, through GDAL."""

from pathlib import Path
from typing import Any

import rasterio
from rasterio.enums import MaskFlags, Resampling
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from core.errors import RasterError
from core.grid import Window
from core.overviews import hold_classes
from core.records import Grid
from core.sources.base import Raster, RasterInfo, named_errors, resolve

DRIVERS = ("GTiff", "PNG", "JPEG", "JP2OpenJPEG")  # no driver that follows addresses in a file

_overviews_hold: dict[tuple[Path, int, int], bool] = {}


class GdalRaster:
    """An open raster of GDAL; see `core.sources.base.Opened`."""

    def __init__(self, path: Path, size_bytes: int, mtime_ns: int, name: str = "") -> None:
        """Open `path`, or `name` where GDAL knows the file by another name."""
        self._name = name or str(path)
        self._key = (path, size_bytes, mtime_ns)
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="TRUE"):
            self._dataset = rasterio.DatasetReader(self._name, driver=list(DRIVERS))
        self.info = _describe(path, self._dataset, size_bytes)

    def read(
        self, bands: list[int], window: Window, shape: tuple[int, int], categorical: bool
    ) -> Raster:
        """Return a window of the file's pixels."""
        how = Resampling.nearest if categorical else Resampling.average
        area = RasterioWindow(window.x0, window.y0, window.w, window.h)
        coarse = categorical and shape != (window.h, window.w)
        dataset = self._for_classes() if coarse else self._dataset
        values = dataset.read(bands, window=area, out_shape=(len(bands), *shape), resampling=how)
        mask = None
        if self.info.has_mask:
            mask = self._dataset.read_masks(bands[0], window=area, out_shape=shape) > 0
        return resolve(values, self.info.nodata, categorical, mask)

    def holds_classes(self) -> bool:
        """Return whether the overviews hold classes; remembered while size and time stay."""
        if self._key not in _overviews_hold:
            with named_errors(self.info.path):
                _overviews_hold[self._key] = hold_classes(self._dataset)
        return _overviews_hold[self._key]

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()

    def _for_classes(self) -> Any:  # noqa: ANN401
        """Return what to read coarse classes from: overviews that average codes are passed by."""
        if self.holds_classes():
            return self._dataset
        return rasterio.DatasetReader(self._name, driver=list(DRIVERS), OVERVIEW_LEVEL="NONE")


def _describe(path: Path, dataset: Any, size_bytes: int) -> RasterInfo:  # noqa: ANN401
    transform = Affine(*dataset.transform[:6])
    if transform.determinant == 0:
        raise RasterError(
            str(path), found=f"pixels without area {tuple(transform)[:6]}", expected="a pixel size"
        )
    crs = dataset.crs.to_string() if dataset.crs else None
    a, b, c, d, e, f = tuple(transform)[:6]
    flags = dataset.mask_flag_enums
    alpha = [number for number, kind in enumerate(dataset.colorinterp, 1) if kind.name == "alpha"]
    return RasterInfo(
        path=path,
        height=dataset.height,
        width=dataset.width,
        count=dataset.count,
        dtype=dataset.dtypes[0],
        grid=Grid(dataset.height, dataset.width, (a, b, c, d, e, f), crs),
        nodata=dataset.nodata,
        colours=_colours(dataset),
        descriptions=tuple(text or "" for text in dataset.descriptions),
        has_gcps=bool(dataset.gcps[0]),
        has_mask=any(MaskFlags.per_dataset in of_band for of_band in flags),
        alpha_band=alpha[0] if alpha else None,
        size_bytes=size_bytes,
        overviews=tuple(dataset.overviews(1)),
    )


def _colours(dataset: Any) -> dict[int, tuple[int, int, int]] | None:  # noqa: ANN401
    try:
        table = dataset.colormap(1)
    except ValueError:  # rasterio's way to say that there is none
        return None
    return {code: (rgba[0], rgba[1], rgba[2]) for code, rgba in table.items()}
