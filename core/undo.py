"""Undo and redo stacks of one person on one tile, worked out from the rows of the edit log.

Undo takes the person's newest edit that is not reversed; its row points at that edit. Redo points
at the undo. A new edit closes the redo. An edit keeps the identity of its first stroke (its
*root*) however often it is undone and redone.

Rows of one command (a *group*) are one step, on a tile and on all tiles of the command. Rows that
the server adds for a command are named after it: the tab's id, a mark and the command's number,
and a number of their own. `plain_name` gives the command's name back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from core.errors import BadPatch
from core.stroke import Tool

MARK = "~"  # in no name that a browser may give itself
MAX_NAME = 64


def group_name(client_id: str, seq: int) -> str:
    """Return the group of a command, which is also the client id of its rows.

    Raises `BadPatch` when the client id is too long to be extended.
    """
    name = f"{client_id}{MARK}{seq}"
    if len(name) > MAX_NAME:
        found, expected = f"{len(client_id)} letters", f"at most {MAX_NAME - len(str(seq)) - 1}"
        raise BadPatch("field client_id", found=found, expected=expected)
    return name


def plain_name(client_id: str, seq: int) -> tuple[str, int]:
    """Return (client_id, seq) of the stroke or command that a row belongs to."""
    tab, mark, number = client_id.rpartition(MARK)
    return (tab, int(number)) if mark and number.isdecimal() else (client_id, seq)


@dataclass(frozen=True)
class LogRow:
    """What the stacks need to know of a row."""

    id: int
    version: int
    client_id: str
    seq: int
    tool: str
    reverses: int | None
    group_id: str | None = None

    @property
    def name(self) -> tuple[str, int]:
        """Return (client_id, seq) of the stroke or command that the row belongs to."""
        return plain_name(self.client_id, self.seq)


@dataclass(frozen=True)
class Step:
    """One entry of a stack: the rows that stand now, oldest first, and what they go back to.

    There are several rows only where one command needed several on a tile.
    """

    rows: tuple[LogRow, ...]
    root: LogRow

    @property
    def row(self) -> LogRow:
        """Return the newest row that stands."""
        return self.rows[-1]

    @property
    def group(self) -> str | None:
        """Return the group that the step belongs to, or None for a stroke of its own."""
        return self.root.group_id

    def is_named(self, name: tuple[str, int]) -> bool:
        """Return whether (client_id, seq) names this entry, by its row or by its root."""
        return name in (self.row.name, self.root.name)


@dataclass(frozen=True)
class Stacks:
    """What a person can undo and redo, newest last, after the rows up to `version`.

    `closed` holds undone groups that a later edit closed here: they come back with the group when
    it is redone from another of its tiles.
    """

    version: int = 0
    undo: list[Step] = field(default_factory=list)
    redo: list[Step] = field(default_factory=list)
    closed: list[Step] = field(default_factory=list)

    def after(self, rows: Iterable[LogRow], version: int) -> "Stacks":
        """Return the stacks after further rows of the person, in order of version."""
        undo, redo, closed = list(self.undo), list(self.redo), list(self.closed)
        for row in rows:
            if row.tool == Tool.UNDO:
                _put(redo, row, _take([undo], row.reverses))
            elif row.tool == Tool.REDO:
                _put(undo, row, _take([redo, closed], row.reverses))
            else:
                _add(undo, row)
                closed += [step for step in redo if step.group is not None]
                redo.clear()
        return Stacks(version, undo, redo, closed)

    def target(self, tool: Tool, name: tuple[str, int] | None) -> Step | None:
        """Return the step to reverse: the one named, or the newest; None when there is none."""
        steps = self.undo if tool is Tool.UNDO else self.redo
        for step in reversed(steps):
            if name is None or step.is_named(name):
                return step
        return None

    def of_group(self, tool: Tool, group: str) -> Step | None:
        """Return the step of a group that undo or redo would reverse; None when there is none."""
        steps = self.undo if tool is Tool.UNDO else [*self.closed, *self.redo]
        return next((step for step in reversed(steps) if step.group == group), None)


def _add(undo: list[Step], row: LogRow) -> None:
    """Add a new edit: to the step of its group where there is one, else as a step of its own."""
    if row.group_id is not None:
        for index in range(len(undo) - 1, -1, -1):
            if undo[index].group == row.group_id:
                undo[index] = replace(undo[index], rows=(*undo[index].rows, row))
                return
    undo.append(Step((row,), row))


def _put(steps: list[Step], row: LogRow, root: LogRow) -> None:
    """Add a row that reverses another: to the step that goes back to the same edit, if any."""
    if root.group_id is not None:
        for index in range(len(steps) - 1, -1, -1):
            if steps[index].group == root.group_id:
                steps[index] = replace(steps[index], rows=(*steps[index].rows, row))
                return
    steps.append(Step((row,), root))


def _take(stacks: list[list[Step]], row_id: int | None) -> LogRow:
    """Take a row out of the step that holds it and return the step's root."""
    for steps in stacks:
        for index in range(len(steps) - 1, -1, -1):
            step = steps[index]
            if all(row.id != row_id for row in step.rows):
                continue
            left = tuple(row for row in step.rows if row.id != row_id)
            if left:
                steps[index] = replace(step, rows=left)
            else:
                del steps[index]
            return step.root
    raise BadPatch("edit log", found=f"a reversal of row {row_id}", expected="a row that stands")
