"""What a training job keeps so that it goes on after its process was killed.

Each arm of a job has a checkpoint below `checkpoints/job-N` of the workspace. An arm that had ended
is known by its model, whose card names the job: it is not trained again. The folder goes when the
job ends by itself; what a killed job left is cleared by the next one.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from core import jobs, trained
from core.errors import NotFound
from core.jobs import ACTIVE, JobContext
from core.records import ModelRecord
from models.train import Checkpoint

FOLDER = "checkpoints"
SECONDS = 30.0  # between two writes; a killed job loses about so much work


class Resume:
    """The files of one job, and the models that it has already made."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.folder = context.store.folder(FOLDER) / f"job-{context.job.id}"
        self._clear_ended(self.folder.parent)

    def checkpoint(self, arm: str) -> Checkpoint:
        """Return where an arm, "training" or "control", is kept while it goes on."""
        return Checkpoint(self.folder / f"{arm}.safetensors", seconds=SECONDS)

    def card(self, arm: str) -> dict[str, str | int]:
        """Return what the card of an arm's model says of where it came from."""
        return {"job_id": self.context.job.id, "arm": arm}

    def made(self, arm: str) -> ModelRecord | None:
        """Return the model of an arm that an earlier attempt at this job ended."""
        project_id = self.context.job.project_id
        if project_id is None:
            return None
        wanted = self.card(arm)
        for record in trained.models(self.context.store, project_id):
            if all(record.card.get(key) == value for key, value in wanted.items()):
                return record
        return None

    def last_step(self, arm: str) -> int:
        """Return the last step of an arm that is on the job's curve already; 0 for none."""
        points = jobs.events(self.context.store, self.context.job.id)
        return max((p["step"] for p in points if p.get("arm") == arm), default=0)

    def forget(self) -> None:
        """Delete the files of this job."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _clear_ended(self, folder: Path) -> None:
        """Delete what jobs left that will not go on."""
        for left in folder.glob("job-*"):
            number = left.name.removeprefix("job-")
            if left == self.folder or not number.isdecimal():
                continue
            with suppress(NotFound):
                if jobs.job(self.context.store, int(number)).state in ACTIVE:
                    continue
            shutil.rmtree(left, ignore_errors=True)
