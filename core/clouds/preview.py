"""An image under simulated clouds, for the eye only: nothing of it is kept on disk."""

import threading
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.clouds.cover import fractions
from core.clouds.images import UNPLACED_PX_M, draw_over, optical_layers
from core.clouds.optics import under
from core.clouds.simulator import Clouds, Sky, coarser
from core.display import Stretch, layer_stretch, to_rgb8
from core.grid import Window
from core.ground import ground
from core.raster import Raster, read
from core.records import Acquisition, Grid, Layer, Tile
from core.store.engine import Store

HEIGHT_SHARE = 0.2  # of the longer side of a tile
KEPT_PICTURES = 3  # of at most 2048 x 2048 pixels each

Picture = npt.NDArray[np.uint8]
Preview = tuple[Picture, tuple[float, float, float]]

_one_at_a_time = threading.Lock()


def usual_height(grid: Grid) -> int:
    """Return a cloud height in metres whose shadow stays within a tile as a rule."""
    place = ground(grid)
    pixel_m = place.height_m if place else UNPLACED_PX_M
    side_m = pixel_m * max(grid.height, grid.width)
    return int(min(Sky(0.5).height_m, max(round(side_m * HEIGHT_SHARE, -1), 10)))


def preview(store: Store, tile: Tile, acquisition: Acquisition, sky: Sky, size_px: int) -> Preview:
    """Return a small picture uint8 [H, W, 3] of an image under a sky, and (thin, thick, shadow).

    These are the clouds that `simulate` would draw; nothing is kept. The longer side of the picture
    is about `size_px`.
    """
    layer = optical_layers(store, tile, acquisition)[0]
    stretch = layer_stretch(layer, tile.grid)
    seen, clouds = _under(layer, tile.grid, sky, stretch.bands)
    shares = fractions(clouds.levels(seen.valid)) if seen.valid.any() else (0.0, 0.0, 0.0)
    step = max(round(max(seen.valid.shape) / size_px), 1)
    small = Raster(seen.values[:, ::step, ::step], seen.valid[::step, ::step])
    return to_rgb8(small, layer.unit, range(len(stretch.bands)), stretch.ranges), shares


def block_under(
    layer: Layer,
    grid: Grid,
    sky: Sky,
    stretch: Stretch,
    window: Window,
    shape: tuple[int, int],
    stamp: str,
) -> tuple[Picture, bool]:
    """Return a window of an image under a sky, uint8 [H, W, 3], and whether it has gaps.

    With gaps the picture is [H, W, 4], transparent there. The whole tile is drawn once and
    remembered, at most 2048 px long: closer views of larger tiles are enlarged. `stamp` names the
    state of the files.
    """
    with _one_at_a_time:  # the blocks of one view come together: the first draws, the others wait
        whole = _whole(layer, grid, sky, stretch, stamp)
    times = coarser(max(grid.height, grid.width))
    edges = (window.x0, window.y0, window.x0 + window.w, window.y0 + window.h)
    left, top, right, bottom = (edge / times for edge in edges)
    box = (left, top, min(right, whole.shape[1]), min(bottom, whole.shape[0]))
    size = (shape[1], shape[0])
    cut = Image.fromarray(whole).resize(size, Image.Resampling.BILINEAR, box=box)
    picture = np.asarray(cut, np.uint8)
    gaps = bool((picture[..., 3] < 255).any())
    return (picture if gaps else np.ascontiguousarray(picture[..., :3])), gaps


@lru_cache(maxsize=KEPT_PICTURES)
def _whole(layer: Layer, grid: Grid, sky: Sky, stretch: Stretch, stamp: str) -> Picture:
    """Return the whole tile under a sky, uint8 [H, W, 4], transparent where the image has gaps."""
    seen, _ = _under(layer, grid, sky, stretch.bands)
    picture = to_rgb8(seen, layer.unit, range(len(stretch.bands)), stretch.ranges)
    return np.dstack([picture, np.where(seen.valid, 255, 0).astype(np.uint8)])


def _under(layer: Layer, grid: Grid, sky: Sky, bands: tuple[int, ...]) -> tuple[Raster, Clouds]:
    """Return bands of a whole image under a sky, as coarse as clouds are drawn, and the clouds."""
    times = coarser(max(grid.height, grid.width))
    shape = -(-grid.height // times), -(-grid.width // times)
    raster = read([layer.sources[band] for band in bands], grid, out_shape=shape)
    clouds = draw_over(grid, sky, shape, raster.valid)
    seen = under(
        raster.values,
        raster.valid,
        layer.unit,
        [layer.bands[band] for band in bands],
        clouds.opacity,
        clouds.shade,
        clouds.glow,
    )
    return Raster(seen, raster.valid), clouds
