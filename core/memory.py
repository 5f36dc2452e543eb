"""What this process remembers of a database: a cache that may be dropped at any moment.

Everything remembered knows its version and is brought up to date from the log before it is used, so
it stays right when another process writes.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core import catalogue
from core.classes import ClassTable
from core.grid import Window
from core.original import Ground
from core.patch import Bytes
from core.store.engine import Store
from core.undo import Stacks

CACHED_BLOCKS = 128  # 100 MB
CACHED_STACKS = 256

BlockKey = tuple[int, int]
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Block:
    """One block of a tile at a version; read-only arrays, uint8 [h, w]."""

    window: Window
    version: int
    original: Bytes
    labels: Bytes
    provenance: Bytes


@dataclass
class Memory:
    """What this process remembers of one database."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    blocks: OrderedDict[tuple[int, datetime, BlockKey], Block] = field(default_factory=OrderedDict)
    stacks: OrderedDict[tuple[int, datetime, int], Stacks] = field(default_factory=OrderedDict)
    classes: dict[tuple[int, datetime], ClassTable] = field(default_factory=dict)
    grounds: OrderedDict[int, Ground] = field(default_factory=OrderedDict)

    def ground(self, tile_id: int) -> Ground | None:
        """Return a tile as the last edit here left it, which may have changed since."""
        with self.lock:
            return self.grounds.get(tile_id)

    def keep_ground(self, here: Ground) -> None:
        """Remember a tile."""
        with self.lock:
            _keep(self.grounds, here.tile_id, here, CACHED_STACKS)

    def block(self, here: Ground, key: BlockKey, version: int) -> Block | None:
        """Return the block remembered, unless it is newer than `version`."""
        with self.lock:
            found = self.blocks.get((here.tile_id, here.born, key))
            if found is None or found.version > version:
                return None
            self.blocks.move_to_end((here.tile_id, here.born, key))
            return found

    def keep_blocks(self, here: Ground, fresh: dict[BlockKey, Block]) -> None:
        """Remember blocks, unless newer ones are known."""
        with self.lock:
            for key, new in fresh.items():
                name = (here.tile_id, here.born, key)
                old = self.blocks.get(name)
                if old is None or old.version <= new.version:
                    _keep(self.blocks, name, new, CACHED_BLOCKS)

    def keep_untouched(self, here: Ground, after: int, touched: Collection[BlockKey]) -> None:
        """Take the blocks that an edit left as they are from its base to version `after`."""
        with self.lock:
            for name, old in self.blocks.items():
                mine = name[:2] == (here.tile_id, here.born) and name[2] not in touched
                if mine and old.version == here.version:
                    self.blocks[name] = replace(old, version=after)

    def stack(self, here: Ground, person_id: int) -> Stacks:
        """Return a person's stacks as remembered; empty ones at version 0 when there are none."""
        with self.lock:
            found = self.stacks.get((here.tile_id, here.born, person_id))
        return found if found is not None and found.version <= here.version else Stacks()

    def keep_stack(self, here: Ground, person_id: int, stacks: Stacks) -> None:
        """Remember a person's stacks."""
        with self.lock:
            _keep(self.stacks, (here.tile_id, here.born, person_id), stacks, CACHED_STACKS)

    def class_table(self, session: Session, here: Ground) -> ClassTable:
        """Return the tile's class table, which never changes after the import."""
        found = self.classes.get((here.project_id, here.born))
        if found is None:
            if len(self.classes) >= CACHED_STACKS:
                self.classes.clear()
            found = catalogue.project_in(session, here.project_id).classes
            self.classes[here.project_id, here.born] = found
        return found


def _keep(kept: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> None:
    """Put a value last, and drop the first where there are more than `most`."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


_memories: WeakKeyDictionary[Engine, Memory] = WeakKeyDictionary()
_memories_lock = threading.Lock()


def memory(store: Store) -> Memory:
    """Return what this process remembers of the store's database."""
    with _memories_lock:
        return _memories.setdefault(store.engine, Memory())


def forget(store: Store) -> None:
    """Drop everything remembered; the next read replays from the database."""
    with _memories_lock:
        _memories.pop(store.engine, None)
