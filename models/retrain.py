"""Retraining: from the label versions of now to a model that is kept, scored and compared.

The *control* is the same run on the labels as they came: only against it does a gain come from
corrections and not from more training.
"""

import dataclasses
import hashlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from core import catalogue, jobs, trained
from core.errors import JobError
from core.jobs import JobContext
from core.records import Acquisition, ModelRecord, Project
from core.store.engine import Store
from models import recipes
from models.evaluate import evaluate_labels, evaluate_model
from models.learnt import learnt_from, split_of
from models.plan import Plan, plan
from models.predict import predict_tiles
from models.registry import load_model, save_model
from models.request import RetrainRequest, request_of
from models.resume import Resume
from models.sample import Sample
from models.summary import main_reference, summary, validation_summary
from models.train import (
    Progress,
    TrainConfig,
    Trained,
    describe_device,
    pick_device,
)
from models.training_set import (
    PIECE_PX,
    Choice,
    TrainingSet,
    read_inputs,
    training_set,
)
from models.validation_set import ValidationTile, validation_tiles
from models.zoo.recipes import prediction_of, recipe_named, total_steps

WATCHED_TILES = 6  # validation tiles scored while training; all of them at the end
TRAINING_SHARE = 0.8  # of a job's progress


def retrain(context: JobContext) -> dict[str, Any]:
    """Do the `train` job: train, keep, score, predict; return what the page shows."""
    began = time.monotonic()
    store, project_id = context.store, context.job.project_id
    if project_id is None:
        raise JobError("train job", found="no project", expected="a project")
    project = catalogue.project(store, project_id)
    request = request_of(context.payload)
    context.report(0.0, "Reading labels and images")
    validation = validation_tiles(store, project)
    planned, found = plan(store, project, request, validation)
    run = _Run(context, project, planned, validation, arms=2 if request.control else 1)
    try:
        return _arms(run, request, found, began)
    finally:
        # A killed process does not get here: what it kept is there when it starts again. Nor is
        # anything deleted when another attempt has taken the job over and goes on from it.
        if jobs.beat(store, context.attempt):
            run.resume.forget()


def _arms(run: "_Run", request: RetrainRequest, found: TrainingSet, began: float) -> dict[str, Any]:
    store, project, planned = run.context.store, run.project, run.plan
    project_id = project.id
    name = request.name.strip() or f"Model {len(trained.models(store, project_id)) + 1}"
    after = run.arm(found, name)
    control = None
    if request.control:
        same_tiles = dataclasses.replace(planned.choice, corrected=False)
        uncorrected = training_set(store, project, same_tiles)
        control = run.arm(uncorrected, f"{after.name}, control")
    before = trained.promoted(store, project_id)
    run.finish(after, before)
    tiles = catalogue.tiles(store, project_id)
    reference = main_reference(validation_summary(store, tiles))
    return {
        "model_id": after.id,
        "control_id": control.id if control else None,
        "before_id": before.id if before else None,
        "reference": reference,
        "validation_tiles": len(run.validation),
        "tiles": len(found.versions),
        "corrected_px": found.corrected_px,
        "left_out": found.left_out,
        "notes": [*planned.notes, *run.notes],
        "scores": {
            record.name: summary(store, project, record, reference)
            for record in (before, control, after)
            if record is not None
        },
        "device": describe_device(run.device),
        "steps": request.steps,
        "seconds_per_step": run.seconds_per_step,
        "arm_seconds": run.arm_seconds,
        "seconds": time.monotonic() - began,
    }


class _Run:
    """The arms of one job, with one place for progress."""

    def __init__(
        self,
        context: JobContext,
        project: Project,
        planned: Plan,
        validation: Sequence[ValidationTile],
        arms: int,
    ) -> None:
        self.context, self.project, self.plan = context, project, planned
        self.validation, self.arms = validation, arms
        self.device = pick_device(context.settings.device)
        self.seconds_per_step = 0.0
        self.done = 0
        self.share = 0.0  # of the job that is done
        self.arm_seconds: dict[str, float] = {}
        self.notes: list[str] = []
        self.shown = 0  # last step of the arm that is on the curve from an earlier attempt
        self.resume = Resume(context)
        self.watched = watched_samples(context.store, project, planned, validation)

    def arm(self, found: TrainingSet, name: str) -> ModelRecord:
        """Train on one version of the labels; keep and score the model.

        An arm that an earlier attempt at the job ended is only scored again.
        """
        context, began = self.context, time.monotonic()
        record = self.resume.made(self.kind) or self._train(found, name)
        steps = total_steps(self.plan.recipe, self.plan.config.steps)
        self.seconds_per_step = record.card["seconds"] / steps
        share = (1 - TRAINING_SHARE) / self.arms
        base = (self.done + TRAINING_SHARE) / self.arms
        evaluate_model(
            context.store,
            context.settings,
            self.project,
            record,
            self.validation,
            report=lambda part, message: context.report(base + 0.6 * share * part, message),
            cancelled=context.cancelled,
        )
        self.done += 1
        self.arm_seconds[name] = time.monotonic() - began
        return record

    @property
    def kind(self) -> str:
        """Return which arm this is."""
        return "control" if self.done else "training"

    def _train(self, found: TrainingSet, name: str) -> ModelRecord:
        """Train one arm, from where an earlier attempt at the job was stopped; keep the model."""
        parent = self.plan.start
        self.shown = self.resume.last_step(self.kind)
        result = recipes.run(
            self.plan.recipe,
            self.plan.config,
            found.samples,
            self.watched,
            settings=self.plan.recipe_settings,
            unlabelled=found.unlabelled,
            start=load_model(parent).network if parent else None,
            report=self._training,
            say=lambda text: self.context.report(self.share, text),
            cancelled=self.context.cancelled,
            device=self.device,
            checkpoint=self.resume.checkpoint(self.kind),
        )
        self.notes += [f"{name}: {note}" for note in result.notes]
        as_they_came = self.kind == "control"
        choice = dataclasses.replace(self.plan.choice, corrected=not as_they_came)
        return self._keep(result, found, choice, name)

    def finish(self, after: ModelRecord, before: ModelRecord | None) -> None:
        """Score what the new model is compared with, and predict the tiles that people edit."""
        context = self.context
        context.report(0.93, "Scoring labels")
        evaluate_labels(context.store, self.project, cancelled=context.cancelled)
        if before is not None:
            evaluate_model(
                context.store,
                context.settings,
                self.project,
                before,
                self.validation,
                cancelled=context.cancelled,
            )
        predict_tiles(
            context.store,
            context.settings,
            after,
            [t for t in catalogue.tiles(context.store, self.project.id) if t.editable],
            every_date=False,
            report=lambda part, message: context.report(0.96 + 0.04 * part, message),
            cancelled=context.cancelled,
        )

    def _training(self, point: Progress) -> None:
        self.share = (self.done + TRAINING_SHARE * point.step / point.steps) / self.arms
        recipe = recipe_named(self.plan.recipe)
        doing = recipe.doing(self.plan.config.steps, point.step)
        if point.step <= self.shown:  # an earlier attempt has put it on the curve
            return
        self.context.report(
            self.share,
            doing or f"Epoch {point.epoch} of {point.epochs}",
            arm=self.kind,
            step=point.step,
            epoch=point.epoch,
            loss=point.loss,
            val_miou=point.val_miou,
            seconds_left=point.seconds_left,
            note=point.note,
        )

    def _keep(self, result: Trained, found: TrainingSet, choice: Choice, name: str) -> ModelRecord:
        """Save a model with everything that a reader of its card needs to trace it back."""
        parent, recipe = self.plan.start, recipe_named(self.plan.recipe)
        card = {
            **self.resume.card(self.kind),
            "config": dataclasses.asdict(result.config),
            "recipe": recipe.title,
            "recipe_settings": recipe.settle(self.plan.recipe_settings),
            **prediction_of(self.plan.recipe, self.plan.recipe_settings),
            "parent_id": parent.id if parent else None,
            "parent_sha256": parent.card["sha256"] if parent else None,
            "learnt_from": learnt_from(
                found, choice, self.project.classes.codes, alike=recipe.alike
            ),
            "split": split_of(self.plan.split, self.plan.watched, self.watched),
            "validation": {
                "tiles": [held.tile.id for held in self.validation],
                "sha256": _hash_of(self.validation),
                "reference": sorted({held.reference for held in self.validation}),
            },
            "history": [dataclasses.asdict(point) for point in result.history],
            "device": describe_device(result.device),
            "seconds": round(result.seconds, 1),
            "kept_step": result.step,
            "training_notes": list(result.notes),
        }
        return save_model(
            self.context.store,
            self.project.id,
            result.network,
            self.project.classes.codes,
            name,
            card,
            parent.id if parent else None,
        )


def watched_samples(
    store: Store, project: Project, planned: Plan, validation: Sequence[ValidationTile]
) -> list[Sample]:
    """Return some of the tiles that a run is watched on, as samples."""
    if planned.watched:
        return _some(training_set(store, project, planned.watched).samples)
    return _watched(store, project, planned.config, validation)


def _watched(
    store: Store, project: Project, config: TrainConfig, validation: Sequence[ValidationTile]
) -> list[Sample]:
    """Return some validation tiles as samples for the curve, evenly chosen, clearest date only."""
    samples = []
    for held in _some(validation):
        dates: list[Acquisition] = catalogue.acquisitions(store, held.tile.id)
        first = dates[0] if dates and "optical" in config.bands else None
        images = read_inputs(store, held.tile, tuple(config.bands), first)
        part = (slice(0, PIECE_PX), slice(0, PIECE_PX))
        label = project.classes.index_lut[held.labels[part]]
        inputs = {modality: [image[(..., *part)]] for modality, image in images.items()}
        samples.append(Sample(inputs, label, np.ones(label.shape, np.float32), held.tile.name))
    return samples


def _some(found: Sequence[Any]) -> list[Any]:
    """Return some of many, evenly chosen: scoring all at every epoch would take too long."""
    return list(found[:: max(1, len(found) // WATCHED_TILES)][:WATCHED_TILES])


def _hash_of(validation: Sequence[ValidationTile]) -> str:
    digest = hashlib.sha256()
    for held in validation:
        digest.update(f"{held.tile.name}:{held.reference}".encode())
        digest.update(held.labels.tobytes())
    return digest.hexdigest()
