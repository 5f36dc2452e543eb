"""Picture files: what another decoder reads from them."""

import io

import numpy as np
import pytest
from PIL import Image

from app.routes.pictures import png


@pytest.mark.parametrize("channels", [None, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (5, 1), (37, 64)])
def test_a_png_holds_every_pixel(channels: int | None, height: int, width: int) -> None:
    shape = (height, width) if channels is None else (height, width, channels)
    picture = np.random.default_rng(4).integers(0, 256, shape).astype(np.uint8)
    with Image.open(io.BytesIO(png(picture))) as image:
        image.load()
        assert image.format == "PNG"
        assert image.mode == {None: "L", 3: "RGB", 4: "RGBA"}[channels]
        np.testing.assert_array_equal(np.asarray(image), picture)


def test_a_png_of_a_view_into_a_larger_array() -> None:
    whole = np.arange(40 * 30 * 4, dtype=np.uint8).reshape(40, 30, 4)
    for part in (whole[::2, 3:20], whole[5:9, ::-1], whole[..., 0], whole[..., :3]):
        with Image.open(io.BytesIO(png(part))) as image:
            np.testing.assert_array_equal(np.asarray(image), part)
