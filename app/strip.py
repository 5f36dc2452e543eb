"""Four small pictures of the same ground, which say without words what the app is for."""

from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from scipy import ndimage

from app.links import thumbnail, view_token
from app.session import Context
from app.theme import WARNING
from core import browse, catalogue, history
from core.browse import Wish
from core.classes import LabelArray
from core.errors import CloudbrushError
from core.raster import read_layer
from core.records import Acquisition, Modality, Project, Split, Tile
from core.tally import WHOLE_PX, tallies
from core.trained import promoted

SIZE_PX = 320
CLOUDY = 0.45
MOST_TILES = 200  # that may be shown; those that differ most
"""The cover that shows best what clouds do: much hidden, something left."""

_CSS = f"""<style>
.cb-strip {{ display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px;
  margin: .2rem 0 .6rem; max-width: 1040px; }}
.cb-strip figure {{ margin: 0; }}
.cb-strip div {{ position: relative; overflow: hidden; border-radius: 6px; aspect-ratio: 1;
  background: #e9e9e5; }}
.cb-strip img {{ width: 100%; height: 100%; object-fit: cover; display: block; }}
.cb-strip i {{ position: absolute; border: 3px solid #fff; border-radius: 50%;
  box-shadow: 0 0 0 2px {WARNING}, inset 0 0 0 2px {WARNING}; transform: translate(-50%, -50%); }}
.cb-strip figcaption {{ color: #6a7077; font-size: .92rem; padding-top: .35rem; }}
</style>"""


@dataclass(frozen=True)
class Mark:
    """A circle around an error, in shares of the tile's width and height."""

    x: float
    y: float
    radius: float


def strip_ui(here: Context, project: Project) -> bool:
    """Draw the strip; return whether the project has what it takes."""
    found = _example(here, project)
    if found is None:
        return False
    tile, date, dated_layer = found
    token = view_token(here, project.id)
    mark = _mark_on(here, project, tile)
    cover = f", {date.cover * 100:.0f} % under cloud" if date.cover is not None else ""
    circle = ""
    if mark is not None:
        style = f"left:{mark.x:.2%};top:{mark.y:.2%};width:{2 * mark.radius:.2%};"
        circle = f'<i style="{style}height:{2 * mark.radius:.2%}"></i>'
    pictures = (
        (str(dated_layer), f"Optical{cover}", ""),
        ("sar", "Radar (SAR), through the cloud", ""),
        ("label", "The label, with an error" if circle else "The label", circle),
        ("prediction", "What the model sees", circle),
    )
    cells = "".join(
        f'<figure><div><img src="{escape(thumbnail(tile.id, kind, token, SIZE_PX))}" alt="">'
        f"{extra}</div><figcaption>{escape(words)}</figcaption></figure>"
        for kind, words, extra in pictures
    )
    st.html(f'{_CSS}<div class="cb-strip">{cells}</div>')
    return True


def _example(here: Context, project: Project) -> tuple[Tile, Acquisition, int] | None:
    """Return a predicted tile with the most disagreement, its half-cloudy date and that layer."""
    shown = promoted(here.store, project.id)
    if shown is None:
        return None
    wish = Wish(split=Split.TRAIN, order="differ most")
    ids = browse.page(here.store, project.id, wish, shown, offset=0, limit=MOST_TILES)
    tiles = [tile for tile in catalogue.tiles_by_id(here.store, ids) if tile.editable]
    dates = catalogue.acquisitions_by_id(here.store, ids)
    counted = tallies(here.store, project, tiles, dates, shown)
    layers = catalogue.layers_by_id(here.store, ids, Modality.OPTICAL)
    best: tuple[float, Tile] | None = None
    for tile in tiles:
        share = counted[tile.id].disagreement if tile.id in counted else None
        varied = len(counted[tile.id].pixels) if share is not None else 0
        if share is not None and (best is None or varied + share > best[0]):
            best = varied + share, tile
    if best is None:
        return None
    tile = best[1]
    by_date = {layer.acquisition_id: layer.id for layer in layers.get(tile.id, [])}
    known = [date for date in dates.get(tile.id, []) if date.id in by_date]
    if not known:
        return None
    date = min(known, key=lambda date: abs((date.cover or 0.0) - CLOUDY))
    return tile, date, by_date[date.id]


def _mark_on(here: Context, project: Project, tile: Tile) -> Mark | None:
    """Return where the label is wrong, for tiles whose truth is known."""
    layers = catalogue.layers(here.store, tile.id, modality=Modality.TRUTH)
    if not layers or tile.grid.height * tile.grid.width > WHOLE_PX:
        return None
    try:
        truth = read_layer(layers[0], tile.grid).values[0]
        labels = history.current(here.store, tile.id).labels
    except CloudbrushError:
        return None
    known = project.classes.index_lut[truth] != 255
    return largest_error(np.where(known, labels, truth), truth)


def largest_error(labels: LabelArray, truth: LabelArray) -> Mark | None:
    """Return a circle around the largest patch that differs, both uint8 [H, W]; None if equal."""
    wrong = ndimage.binary_opening(labels != truth, iterations=2)
    patches, count = ndimage.label(wrong)
    if count == 0:
        return None
    sizes = np.bincount(patches.ravel())
    sizes[0] = 0
    rows, columns = np.nonzero(patches == int(sizes.argmax()))
    height, width = labels.shape
    reach = max(np.ptp(rows) / height, np.ptp(columns) / width)
    x, y = float(columns.mean()) / width, float(rows.mean()) / height
    radius = float(np.clip(reach * 0.6, 0.07, 0.3))
    inside = radius + 0.02, 0.98 - radius  # the whole circle is seen
    return Mark(float(np.clip(x, *inside)), float(np.clip(y, *inside)), radius)
