"""What to do next in a project: one sensible step, from what has been corrected and trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.links import PageName
from core.records import Job, JobState, ModelRecord, Tile, TileState


@dataclass(frozen=True)
class NextStep:
    """The words on the button and where it leads."""

    words: str
    page: PageName
    tile_id: int | None = None


def next_step(
    tiles: Sequence[Tile],
    models: Sequence[ModelRecord],
    jobs: Sequence[Job],
    last_edit: datetime | None,
) -> NextStep:
    """Return the step: watch, correct, retrain, compare or export, whichever comes first."""
    busy = (JobState.QUEUED, JobState.RUNNING)
    if any(job.kind == "train" and job.state in busy for job in jobs):
        return NextStep("Watch the training", "train")
    work = [tile for tile in tiles if tile.editable]
    waiting = [tile for tile in work if tile.state in (TileState.NEW, TileState.OPENED)]
    corrected = sum(tile.version > 0 for tile in work)
    newest = max((model.created_at for model in models), default=None)
    if last_edit is None and waiting:
        return NextStep("Correct the first tile", "correct", waiting[0].id)
    if last_edit is not None and (newest is None or newest < last_edit):
        return NextStep(f"Retrain ({corrected:,} corrected)", "train")
    if last_edit is not None and len(models) > 1 and not waiting:
        return NextStep("Export the labels", "export")
    if last_edit is not None and len(models) > 1:
        return NextStep("See what it gained", "compare")
    if waiting:
        return NextStep("Correct the next tile", "correct", waiting[0].id)
    return NextStep("Look at the tiles", "explore")
