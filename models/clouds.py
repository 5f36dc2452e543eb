"""Clouds of a project: levels where none came with the data, and simulated acquisitions.

Jobs of the worker, and a command:

    python -m models.clouds measure   agreement with the real masks in the real data, as JSON
    python -m models.clouds train     trains the detector anew and writes its weights and card
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from core import catalogue
from core.clouds.cover import (
    DETECTOR_SOURCE,
    DIFFERENCE_SOURCE,
    GIVEN_SOURCES,
    S2CLOUDLESS_SOURCE,
)
from core.clouds.images import (
    Levels,
    Light,
    levels_by_difference,
    optical_layers,
    read_light,
    simulate,
    to_tile,
    worked_shape,
)
from core.clouds.levels import clear_base, clear_image, save_levels, says_clear, take_as_clear
from core.clouds.simulator import Sky
from core.errors import Cancelled, CloudbrushError, JobError
from core.jobs import JobContext, check_payload
from core.records import Acquisition, Modality, Tile
from core.settings import load_settings
from core.store.engine import Store
from models import cloud_s2cloudless

Method = Literal["auto", "difference", "detector", "s2cloudless"]
METHODS: tuple[Method, ...] = ("auto", "difference", "detector", "s2cloudless")
MOST_REASONS = 5


@dataclass(frozen=True)
class Outcome:
    """What a run over many tiles did: how many images, by what, and what was left out and why."""

    done: dict[str, int]
    left_out: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as the result of a job."""
        return {
            "done": self.done,
            "left_out": len(self.left_out),
            "reasons": list(self.left_out[:MOST_REASONS]),
        }


def unknown_dates(
    store: Store, project_id: int, *, again: bool = False
) -> list[tuple[Tile, Acquisition]]:
    """Return the real images whose cloud levels nobody gave: those without any, by tile name.

    Images that are clear by their name have nothing to be found. `again` takes those with levels of
    our own methods as well.
    """
    masks = catalogue.project_layers(store, project_id, Modality.CLOUD)
    dates = catalogue.project_acquisitions(store, project_id)
    found = []
    for tile in catalogue.tiles(store, project_id):
        masked = {layer.acquisition_id for layer in masks.get(tile.id, [])}
        for date in dates.get(tile.id, []):
            ours = date.cloud_source is not None and date.cloud_source not in GIVEN_SOURCES
            fresh = date.cloud_source is None and date.id not in masked
            wanted = fresh or (again and ours)
            if wanted and date.simulated is None and not says_clear(date):
                found.append((tile, date))
    return found


def take_named_as_clear(store: Store, project_id: int) -> int:
    """Keep that images are clear where nothing but their name says so; return how many."""
    masks = catalogue.project_layers(store, project_id, Modality.CLOUD)
    taken = 0
    for tile_id, dates in catalogue.project_acquisitions(store, project_id).items():
        masked = {layer.acquisition_id for layer in masks.get(tile_id, [])}
        for date in dates:
            if date.cloud_source is None and date.id not in masked and says_clear(date):
                take_as_clear(store, date.id)
                taken += 1
    return taken


def find_levels(store: Store, tile: Tile, date: Acquisition, method: Method = "auto") -> str:
    """Find and keep the cloud levels of one image; return the source.

    "auto" compares with a clear image of the tile where there is one and detects otherwise. Raises
    `CloudbrushError` where the method does not fit, or levels came with the data.
    """
    clear = clear_image(catalogue.acquisitions(store, tile.id), date)
    if method == "difference" and clear is None:
        raise CloudbrushError(
            f"image {date.name} of {tile.name}",
            found="no clear image of the tile",
            expected="one of little cover, or one named clear",
        )
    if clear is not None and method in ("auto", "difference"):
        levels = levels_by_difference(store, tile, date, clear)
        save_levels(store, tile, date, levels, DIFFERENCE_SOURCE, f"difference to {clear.name}")
        return DIFFERENCE_SOURCE
    source = S2CLOUDLESS_SOURCE if method == "s2cloudless" else DETECTOR_SOURCE
    layers = optical_layers(store, tile, date)
    found = _detected(read_light(layers, tile, worked_shape(tile.grid)), source)
    save_levels(store, tile, date, to_tile(found, tile.grid), source, source)
    return source


def _detected(image: Light, source: str) -> Levels:
    if source == S2CLOUDLESS_SOURCE:
        return cloud_s2cloudless.detect(image)
    from models.cloud_detector import detect  # torch takes seconds; the others do without

    return detect(image)


def find_all(
    store: Store,
    work: Sequence[tuple[Tile, Acquisition]],
    method: Method,
    context: JobContext | None = None,
) -> Outcome:
    """Find the cloud levels of many images; those that cannot be used are left out and named."""
    done: dict[str, int] = {}
    left_out = []
    for number, (tile, date) in enumerate(work):
        _step(context, number / len(work), f"Clouds of {tile.name}, {date.name}")
        try:
            source = find_levels(store, tile, date, method)
            done[source] = done.get(source, 0) + 1
        except CloudbrushError as error:
            left_out.append(str(error))
    return Outcome(done, tuple(left_out))


def simulated_name(sky: Sky) -> str:
    """Return what a simulated image is called."""
    return f"simulated {sky.cover * 100:g} %, seed {sky.seed}"


def simulate_all(
    store: Store,
    tiles: Sequence[Tile],
    covers: Sequence[float],
    sky: Sky,
    context: JobContext | None = None,
) -> Outcome:
    """Add images of these covers to each tile that has a clear one.

    Each tile gets clouds of its own, by the seed and its id. Images that are there already, drawn
    from the same sky, are left alone.
    """
    done: dict[str, int] = {}
    left_out = []
    for number, tile in enumerate(tiles):
        try:
            for place, cover in enumerate(covers):
                share = (number + place / len(covers)) / len(tiles)
                _step(context, share, f"Clouds over {tile.name}, {cover * 100:g} %")
                made = _simulate_one(store, tile, replace(sky, cover=cover))
                word = "made" if made else "already there"
                done[word] = done.get(word, 0) + 1
        except Cancelled:
            raise
        except CloudbrushError as error:
            left_out.append(str(error))
    return Outcome(done, tuple(left_out))


def tile_sky(sky: Sky, tile: Tile) -> Sky:
    """Return the sky over one tile of a project: neighbours do not share their clouds."""
    return replace(sky, seed=(sky.seed * 1_000_003 + tile.id) % 2**31)


def _simulate_one(store: Store, tile: Tile, sky: Sky) -> bool:
    """Add one image; return False where it is there already."""
    dates = catalogue.acquisitions(store, tile.id)
    base = clear_base(dates)
    if base is None:
        raise CloudbrushError(
            f"tile {tile.name}",
            found="no clear image",
            expected="an image without clouds to draw them on",
            todo="Find the cloud levels first where they are not known.",
        )
    own = tile_sky(sky, tile)
    wanted = own.to_json() | {"of": base.name}
    if any(date.simulated == wanted for date in dates):
        return False
    names = {date.name for date in dates}
    name, times = simulated_name(sky), 1
    while name in names:
        times += 1
        name = f"{simulated_name(sky)} ({times})"
    simulate(store, tile, base, own, name)
    take_as_clear(store, base.id)
    return True


def _step(context: JobContext | None, share: float, message: str) -> None:
    if context is None:
        return
    if context.cancelled():
        raise Cancelled("clouds", found="a request to stop")
    context.report(share, message)


def find_task(context: JobContext) -> dict[str, Any]:
    """Find cloud levels of the project's images; `method` and `again` as in the functions above."""
    project_id = _project_of(context)
    method = context.payload.get("method", "auto")
    if method not in METHODS:
        raise JobError("clouds job", found=repr(method)[:40], expected=", ".join(METHODS))
    named = take_named_as_clear(context.store, project_id)
    work = unknown_dates(context.store, project_id, again=bool(context.payload.get("again")))
    outcome = find_all(context.store, work, method, context)
    done = {"clear by name": named} if named else {}
    return replace(outcome, done=done | outcome.done).to_json()


def simulate_task(context: JobContext) -> dict[str, Any]:
    """Simulate clouds of `covers` from the settings `sky`, over `tile_ids` or all tiles."""
    check_payload("simulate_clouds", context.payload, "covers", "sky")
    tiles = catalogue.tiles(context.store, _project_of(context))
    wanted = context.payload.get("tile_ids")
    chosen = tiles if wanted is None else [tile for tile in tiles if tile.id in wanted]
    covers = [float(cover) for cover in context.payload["covers"]]
    sky = Sky.from_json(context.payload["sky"])
    return simulate_all(context.store, chosen, covers, sky, context).to_json()


def _project_of(context: JobContext) -> int:
    if context.job.project_id is None:
        raise JobError(f"{context.job.kind} job", found="no project", expected="a project")
    return context.job.project_id


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Clouds: measure the methods, train the detector.")
    parser.add_argument("what", choices=("measure", "train"))
    parser.add_argument("--real-data", type=Path, help="folder of real rasters to measure on")
    parser.add_argument("--steps", type=int, help="batches to train for")
    flags = parser.parse_args()
    if flags.what == "train":
        from models.cloud_detector import train_detector

        steps = {} if flags.steps is None else {"steps": flags.steps}
        print(json.dumps(train_detector(**steps), indent=1))
        return
    from models.cloud_measure import measure

    folder = flags.real_data or load_settings().real_data
    if folder is None:
        parser.error("name the folder of real rasters: --real-data, or the setting real_data")
    print(json.dumps(measure(folder), indent=1))


if __name__ == "__main__":
    main()
