"""Commands on many pixels: recode, islands, holes, accept the model; in a tile or a project.

A command is first looked at (`preview`) and then applied; both work from the labels of now, tile by
tile and, on tiles larger than a patch can hold, window by window. Every tile takes all its rows at
once or none, and all rows of a command are one step for its person.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from core import catalogue, regions
from core.bulk_tile import EFFECTS, Command, Limits, Progress, TileCommand
from core.errors import CloudbrushError, NotEditable
from core.ground import ground as lengths
from core.group import Prepared, append_prepared, taken
from core.log import Busy, Maker, Saved
from core.patch import Patch
from core.records import Grid, Tile
from core.store.engine import Store
from core.stroke import Tool
from core.undo import plain_name

Scope = Literal["tile", "project"]


@dataclass(frozen=True)
class Change:
    """Pixels and area in square metres (None without a metric pixel size) of one change."""

    from_class: int
    to_class: int
    pixels: int
    area_m2: float | None


@dataclass(frozen=True)
class Preview:
    """What a command would change now. `regions` counts connected changes of one kind.

    `skipped` lists (tile, why) of tiles that the command cannot work on. `patches` is filled for a
    single tile only.
    """

    pixels: int
    regions: int
    tiles: int
    area_m2: float | None
    changes: tuple[Change, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True)
class Applied:
    """What a command did.

    `saved` is the answer of the tile that was open, `on` a tile where undo finds the command; each
    None where there is none.
    """

    pixels: int
    tiles: int
    on: int | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    saved: Saved | None = None


@dataclass
class _Tally:
    """Sums of a preview."""

    regions: int = 0
    tiles: int = 0
    pixels: dict[tuple[int, int], int] = field(default_factory=dict)
    area: dict[tuple[int, int], float] = field(default_factory=dict)
    without_lengths: bool = False

    def add(self, tile: Tile, patches: Sequence[Patch]) -> None:
        self.tiles += bool(patches)
        size = pixel_area_m2(tile.grid)
        self.without_lengths |= size is None and bool(patches)
        for patch in patches:
            self.regions += _regions_of(patch)
            for pair, count in regions.count_changes(patch.old_values, patch.new_values).items():
                self.pixels[pair] = self.pixels.get(pair, 0) + count
                self.area[pair] = self.area.get(pair, 0.0) + count * (size or 0.0)

    def preview(self, skipped: Sequence[tuple[str, str]], patches: tuple[Patch, ...]) -> Preview:
        order = sorted(self.pixels, key=lambda pair: (-self.pixels[pair], pair))
        changes = tuple(
            Change(*pair, self.pixels[pair], None if self.without_lengths else self.area[pair])
            for pair in order
        )
        total = None if self.without_lengths or not changes else sum(self.area.values())
        pixels = sum(self.pixels.values())
        return Preview(pixels, self.regions, self.tiles, total, changes, tuple(skipped), patches)


def _regions_of(patch: Patch) -> int:
    old = np.zeros((patch.box.h, patch.box.w), np.uint8)
    new = old.copy()
    old[patch.mask], new[patch.mask] = patch.old_values, patch.new_values
    return regions.count_regions(old, new)


def pixel_area_m2(grid: Grid) -> float | None:
    """Return the area of a pixel in square metres, None where the grid has no lengths."""
    found = lengths(grid)
    return found.width_m * found.height_m if found is not None else None


def scope_tiles(store: Store, tile: Tile, scope: Literal["tile", "project"]) -> list[Tile]:
    """Return the open tile alone, or it first and then the other editable tiles of its project.

    Raises `NotEditable` when the open tile alone is meant and takes no edits.
    """
    if scope == "tile":
        if not tile.editable:
            found = "a validation, test or frozen tile"
            raise NotEditable(f"tile {tile.name}", found=found, expected="a training tile")
        return [tile]
    found_tiles = [t for t in catalogue.tiles(store, tile.project_id) if t.editable]
    return sorted(found_tiles, key=lambda t: (t.id != tile.id, t.name))


def preview(
    store: Store, tiles: Sequence[Tile], open_id: int, command: Command, limits: Limits
) -> Generator[Progress | Preview, None, None]:
    """Yield progress and, last, what the command would change; see `scope_tiles`.

    Raises `CloudbrushError` of the open tile when it is alone; tiles of a project that cannot be
    read are skipped and named.
    """
    tally, skipped = _Tally(), list[tuple[str, str]]()
    kept: tuple[Patch, ...] = ()
    alone = len(tiles) == 1
    for number, tile in enumerate(tiles):
        try:
            worker = TileCommand(store, tile, command, limits, is_open=tile.id == open_id)
            for step in worker.run():
                if isinstance(step, Prepared):
                    kept = step.patches
                elif alone:
                    yield step
        except CloudbrushError as error:
            if alone:
                raise
            skipped.append((tile.name, str(error)))
            continue
        tally.add(tile, kept)
        if not alone:
            yield Progress(number + 1, len(tiles))
    yield tally.preview(skipped, kept if alone else ())


def apply(
    store: Store,
    tiles: Sequence[Tile],
    open_id: int,
    command: Command,
    limits: Limits,
    maker: Maker,
) -> Generator[Progress | Applied, None, None]:
    """Yield progress after each tile and, last, what the command did.

    Stopped between two tiles, or killed, it leaves whole tiles that are one step for undo; run
    again with the same `maker.group_id` it goes on with the tiles that are missing.
    """
    maker = _described(maker, command, limits)
    skipped: list[tuple[str, str]] = []
    pixels = done = 0
    answer: Saved | None = None
    on: int | None = None
    for number, tile in enumerate(tiles):
        try:
            saved = _on_tile(store, tile, command, limits, maker, is_open=tile.id == open_id)
        except CloudbrushError as error:
            if len(tiles) == 1:
                raise
            skipped.append((tile.name, str(error)))
            continue
        changed = _pixels(saved, maker)
        pixels += changed
        done += bool(changed)
        on = tile.id if changed and on is None else on
        answer = saved if tile.id == open_id else answer
        yield Progress(number + 1, len(tiles))
    yield Applied(pixels, done, on, tuple(skipped), answer)


def _on_tile(
    store: Store, tile: Tile, command: Command, limits: Limits, maker: Maker, *, is_open: bool
) -> Saved:
    """Apply a command to one tile, unless the tile has taken it already."""
    if not is_open:
        maker = replace(maker, base_version=tile.version)
    before = taken(store, tile.id, maker)
    if before is not None:
        return before
    prepared = Prepared((), tile.version)
    for step in TileCommand(store, tile, command, limits, is_open=is_open).run():
        if isinstance(step, Prepared):
            prepared = step
    saved = append_prepared(store, tile.id, maker, prepared)
    if saved is None:
        raise Busy(f"tile {tile.name}", found="many people saving at once", todo="Try again.")
    return saved


def _described(maker: Maker, command: Command, limits: Limits) -> Maker:
    """Return the maker with what the edit log keeps of a command."""
    return replace(
        maker,
        tool=Tool(command.kind).value,
        effect=EFFECTS[command.kind].value,
        from_classes=command.from_classes,
        to_class=command.to_class,
        restrict=limits.text,
        reason=command.reason,
    )


def _pixels(saved: Saved, maker: Maker) -> int:
    """Return how many pixels the command changed on the tile of this answer."""
    name = plain_name(maker.group_id or "", 0)
    own = [edit for edit in (saved.edit, *saved.others) if edit is not None]
    return sum(edit.patch.pixels for edit in own if (edit.client_id, edit.seq) == name)
