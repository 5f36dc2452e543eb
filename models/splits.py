"""Which training tiles a run is watched on, and does not learn from. Needs no torch.

The *watched* tiles give the curve of a run, and decide which weights are kept and when to stop
where a person asks for that. They are the project's validation tiles, or a part of the training
tiles: tiles by chance, whole regions or whole events, so that what is watched is new ground. Scores
of a model are always those of the validation tiles.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from core.errors import CloudbrushError
from core.records import Tile

Split = Literal["project", "random", "region", "event"]

GROUPS: dict[str, Callable[[Tile], str]] = {
    "random": lambda tile: str(tile.id),
    "region": lambda tile: tile.region,
    "event": lambda tile: tile.region,  # what a region is called in projects about damage
}


def held_out(
    tiles: Sequence[Tile], split: Split, share: float, groups: Sequence[str], seed: int
) -> list[Tile]:
    """Return the tiles that are watched, none for the split of the project.

    `groups` names regions or events; where it is empty they are drawn by the seed until they hold
    at least `share` of the tiles. Raises `CloudbrushError` when nothing is left to learn from, or a
    name is not among the tiles.
    """
    if split == "project":
        return []
    group_of = GROUPS[split]
    there = list(dict.fromkeys(sorted(group_of(tile) for tile in tiles)))
    unknown = [name for name in groups if name not in there]
    if unknown:
        raise CloudbrushError(
            f"split by {split}", found=unknown[0][:80], expected=f"of {', '.join(there)[:200]}"
        )
    chosen = set(groups) if groups and split != "random" else set()
    if not chosen:
        order = np.random.default_rng([seed, len(there)]).permutation(len(there))
        wanted = share * len(tiles)
        for place in order:
            if sum(group_of(tile) in chosen for tile in tiles) >= wanted:
                break
            chosen.add(there[place])
    held = [tile for tile in tiles if group_of(tile) in chosen]
    if len(held) == len(tiles):
        raise CloudbrushError(
            f"split by {split}",
            found=f"all {len(tiles)} tiles watched and none to learn from",
            expected="tiles of both kinds",
            todo="Hold out less, or split by chance.",
        )
    return held
