"""Undo and redo stacks of one person on one tile, worked out from the rows of the edit log.

Undo takes the person's newest edit that is not reversed; its row points at that edit. Redo points
at the undo. A new edit closes the redo. An edit keeps the identity of its first stroke (its
*root*) however often it is undone and redone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.errors import BadPatch
from core.stroke import Tool


@dataclass(frozen=True)
class LogRow:
    """What the stacks need to know of a row."""

    id: int
    version: int
    client_id: str
    seq: int
    tool: str
    reverses: int | None


@dataclass(frozen=True)
class Step:
    """One entry of a stack: the row that stands now, and the stroke that it goes back to."""

    row: LogRow
    root: LogRow

    def is_named(self, name: tuple[str, int]) -> bool:
        """Return whether (client_id, seq) names this entry, by its row or by its root."""
        return name in ((self.row.client_id, self.row.seq), (self.root.client_id, self.root.seq))


@dataclass(frozen=True)
class Stacks:
    """What a person can undo and redo, newest last, after the rows up to `version`."""

    version: int = 0
    undo: list[Step] = field(default_factory=list)
    redo: list[Step] = field(default_factory=list)

    def after(self, rows: Iterable[LogRow], version: int) -> "Stacks":
        """Return the stacks after further rows of the person, in order of version."""
        undo, redo = list(self.undo), list(self.redo)
        for row in rows:
            if row.tool == Tool.UNDO:
                redo.append(Step(row, _take(undo, row.reverses)))
            elif row.tool == Tool.REDO:
                undo.append(Step(row, _take(redo, row.reverses)))
            else:
                undo.append(Step(row, row))
                redo.clear()
        return Stacks(version, undo, redo)

    def target(self, tool: Tool, name: tuple[str, int] | None) -> LogRow | None:
        """Return the row to reverse: the one named, or the newest; None when there is none."""
        steps = self.undo if tool is Tool.UNDO else self.redo
        for step in reversed(steps):
            if name is None or step.is_named(name):
                return step.row
        return None


def _take(steps: list[Step], row_id: int | None) -> LogRow:
    for index in range(len(steps) - 1, -1, -1):
        if steps[index].row.id == row_id:
            return steps.pop(index).root
    raise BadPatch("edit log", found=f"a reversal of row {row_id}", expected="a row that stands")
