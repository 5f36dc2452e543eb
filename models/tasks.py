"""What a worker can do, by name.

Networks are imported by the tasks that use them: torch takes seconds and hundreds of megabytes.
"""

from collections.abc import Callable, Sequence
from typing import Any

from core import catalogue, trained
from core.errors import JobError
from core.jobs import JobContext, Task, check_payload
from core.object_vote import of_card
from core.records import ModelRecord, Tile
from core.scan_job import scan
from data.importing import import_tiles
from data.taking_over import take_over_task
from models.card_text import onnx_path
from models.clouds import find_task, simulate_task


def train(context: JobContext) -> dict[str, Any]:
    """Retrain a network as the payload says."""
    from models.retrain import retrain

    return retrain(context)


def export(context: JobContext) -> dict[str, Any]:
    """Write the files of an export."""
    from models.export_task import export_files

    return export_files(context)


def predict(context: JobContext) -> dict[str, Any]:
    """Make the maps of `model_id` on `tile_ids` (all tiles when missing), for every date.

    With `probabilities` in the payload those of all classes are kept beside each map.
    """
    from models.predict import predict_tiles

    check_payload("predict", context.payload, "model_id")
    record = trained.model(context.store, int(context.payload["model_id"]))
    tiles = _tiles(context, record)
    made = predict_tiles(
        context.store,
        context.settings,
        record,
        tiles,
        every_date=bool(context.payload.get("every_date", True)),
        probabilities=bool(context.payload.get("probabilities", False)),
        report=context.report,
        cancelled=context.cancelled,
    )
    return {"model_id": record.id, "maps": made, "tiles": len(tiles)}


def onnx(context: JobContext) -> dict[str, Any]:
    """Write `model_id` as an ONNX file beside its weights; return what sizes it takes."""
    from models.onnx_export import export_onnx
    from models.registry import load_model

    check_payload("onnx", context.payload, "model_id")
    record = trained.model(context.store, int(context.payload["model_id"]))
    context.report(0.1, f"Writing {record.name} as ONNX")
    made = export_onnx(load_model(record), onnx_path(record))
    return {"model_id": record.id, "opset": made.opset, "sizes": made.words}


def weights(context: JobContext) -> dict[str, Any]:
    """Add a model whose weights come from a file of others, as the payload says."""
    from models.from_file import add_task

    return add_task(context)


def views(context: JobContext) -> dict[str, Any]:
    """Keep a copy of `model_id` whose maps are the mean of `views` views, and score it."""
    from models.registry import with_views

    check_payload("views", context.payload, "model_id", "views")
    record = trained.model(context.store, int(context.payload["model_id"]))
    made = with_views(context.store, record, int(context.payload["views"]))
    return {"model_id": made.id, **_evaluate(context, [made])}


def vote(context: JobContext) -> dict[str, Any]:
    """Keep a copy of `model_id` whose buildings vote as `post` says, or no longer; score it."""
    from models.registry import with_vote

    check_payload("vote", context.payload, "model_id", "post")
    record = trained.model(context.store, int(context.payload["model_id"]))
    made = with_vote(context.store, record, of_card(context.payload["post"]))
    return {"model_id": made.id, **_evaluate(context, [made])}


def evaluate(context: JobContext) -> dict[str, Any]:
    """Score `model_ids` (all models when missing) and the labels on the validation tiles of now.

    With `test` in the payload, on tiles of the test split too.
    """
    records = trained.models(context.store, _project_id(context))
    wanted = context.payload.get("model_ids")
    if wanted is not None:
        records = [record for record in records if record.id in wanted]
    return _evaluate(context, records)


def _project_id(context: JobContext) -> int:
    if context.job.project_id is None:
        raise JobError(f"{context.job.kind} job", found="no project", expected="a project")
    return context.job.project_id


def _evaluate(context: JobContext, records: Sequence[ModelRecord]) -> dict[str, Any]:
    """Score models and labels, with progress and stops of the job."""
    from models.evaluate import evaluate_labels, evaluate_model, forget_frozen_scores
    from models.validation_set import validation_tiles

    project_id = _project_id(context)
    project = catalogue.project(context.store, project_id)
    forget_frozen_scores(context.store, project_id)
    validation = validation_tiles(
        context.store, project, test=bool(context.payload.get("test", False))
    )
    steps = len(records) + 1
    matrices = evaluate_labels(
        context.store, project, report=_step(context, 0, steps), cancelled=context.cancelled
    )
    for number, record in enumerate(records, 1):
        matrices += evaluate_model(
            context.store,
            context.settings,
            project,
            record,
            validation,
            report=_step(context, number, steps),
            cancelled=context.cancelled,
        )
    return {"models": len(records), "matrices": matrices}


def _step(context: JobContext, number: int, steps: int) -> Callable[[float, str], None]:
    """Return what reports the progress of one of several steps of a job."""

    def report(share: float, message: str) -> None:
        context.report((number + share) / steps, message)

    return report


def _tiles(context: JobContext, record: ModelRecord) -> Sequence[Tile]:
    tiles = catalogue.tiles(context.store, record.project_id)
    wanted = context.payload.get("tile_ids")
    return tiles if wanted is None else [tile for tile in tiles if tile.id in wanted]


TASKS: dict[str, Task] = {
    "train": train,
    "predict": predict,
    "evaluate": evaluate,
    "onnx": onnx,
    "weights": weights,
    "views": views,
    "vote": vote,
    "export": export,
    "import": import_tiles,
    "take_over": take_over_task,
    "scan": scan,
    "clouds": find_task,
    "simulate_clouds": simulate_task,
}
