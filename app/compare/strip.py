"""One image with its maps, side by side: what was seen, what each model says, where they differ."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from app.routes.thumbnails import thumbnail
from app.session import Context
from app.theme import swatch
from core import catalogue, pyramid
from core.classes import ClassTable
from core.disagreement import SharedRow, apart_and_known, read_maps
from core.errors import CloudbrushError
from core.records import Acquisition, Layer, Modality, Project, Tile

SIDE_PX = 512
A_ROW = 6
SAME, DIFFERENT, NOTHING = (226, 226, 220), (179, 64, 46), (255, 255, 255)
IMAGES = (Modality.OPTICAL, Modality.SAR)

Picture = npt.NDArray[np.uint8]


def strip_ui(
    here: Context,
    project: Project,
    tile: Tile,
    date: Acquisition | None,
    row: SharedRow,
    names: Sequence[str],
) -> None:
    """Draw the images of a tile, its label, the maps of a row and where these differ."""
    try:
        maps = read_maps(row, tile.grid)
        shape = maps[0].shape[0], maps[0].shape[1]
        label = pyramid.small_labels(here.store, tile.id, shape)
        pictures = _images(here, tile, date)
    except CloudbrushError as error:
        st.warning(str(error))
        return
    lut = project.classes.rgb_lut
    pictures += [("Label of now", lut[label])]
    pictures += [(f"Map of {name}", lut[codes]) for name, codes in zip(names, maps, strict=True)]
    pictures += [("Where they differ", difference_picture(maps, project.classes))]
    image = f", {date.name}" if date else ""
    st.markdown(f"**{tile.name}**{image}")
    for start in range(0, len(pictures), A_ROW):
        part = pictures[start : start + A_ROW]
        for place, (caption, picture) in zip(st.columns(A_ROW), part, strict=False):
            place.image(picture, caption=caption, width="stretch", alt=f"{caption}, {tile.name}")
    present = np.unique(np.concatenate([codes.ravel() for codes in (label, *maps)]))
    held = [entry for entry in project.classes.entries if entry.code in present]
    st.html(" &nbsp; ".join(swatch(entry.colour, entry.name) for entry in held))


def _images(
    here: Context, tile: Tile, date: Acquisition | None
) -> list[tuple[str, Picture | bytes]]:
    """Return the optical image of a date and the SAR image, those that are there."""
    layers = [layer for layer in catalogue.layers(here.store, tile.id) if layer.modality in IMAGES]
    found: list[tuple[str, Picture | bytes]] = []
    for modality in IMAGES:
        fits = [layer for layer in layers if layer.modality is modality]
        layer = _of_date(fits, date)
        if layer is not None:
            title = "SAR image" if modality is Modality.SAR else "Optical image"
            found.append((title, thumbnail(here.store, tile, str(layer.id), SIDE_PX).content))
    return found


def _of_date(layers: Sequence[Layer], date: Acquisition | None) -> Layer | None:
    """Return the layer of a date, else one that belongs to every date, else the first."""
    wanted = date.id if date else None
    for acquisition in (wanted, None):
        for layer in layers:
            if layer.acquisition_id == acquisition:
                return layer
    return layers[0] if layers else None


def difference_picture(maps: Sequence[Picture], classes: ClassTable) -> Picture:
    """Return uint8 [H, W, 3]: red where maps differ, grey where they agree, else white."""
    apart, known = apart_and_known(maps, classes)
    picture = np.full((*apart.shape, 3), NOTHING, np.uint8)
    picture[known] = SAME
    picture[apart] = DIFFERENT
    return picture
