"""How long a run will take, from the last run of the same network here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.records import Job, ModelRecord
from models.request import RetrainRequest

OWN = ("unet", "two_branch")
CPU_SECONDS_PER_STEP = 0.4  # of the small networks, two cores with bf16, before a first run
OVERHEAD_SECONDS = 20.0  # starting, reading, scoring and predicting on the land-cover demo
DEFAULT = RetrainRequest()


@dataclass(frozen=True)
class Pace:
    """Seconds per step of default batch and crop, and the rest of a run; where they are from."""

    per_step: float
    overhead: float
    source: str


def pace(
    network: str,
    options: Mapping[str, Any],
    past: Sequence[Job],
    models: Mapping[int, ModelRecord],
) -> Pace | None:
    """Return how fast a network runs here; None where that cannot be known.

    `options` are settled. `past` are finished trainings, the newest first; `models` by id. A run
    with the same options goes before one with others, and before a first run only our small
    networks have a guess.
    """
    same = [job for job in past if _of(job, models, network)]
    alike = [job for job in same if _options(job, models) == _plain(options)]
    for job in [*alike, *same]:
        found = measured(job)
        if found:
            return Pace(*found, "from the last run" if job in alike else "from one of another size")
    if network in OWN:
        return Pace(CPU_SECONDS_PER_STEP, OVERHEAD_SECONDS, "not measured here yet")
    return None


def measured(job: Job) -> tuple[float, float] | None:
    """Return seconds per step of default size, and the rest, of a finished run."""
    result, asked = job.result, job.payload
    if not result.get("seconds_per_step"):
        return None
    arms = 2 if asked.get("control") else 1
    size = _size(asked.get("batch", DEFAULT.batch), asked.get("crop_px", DEFAULT.crop_px))
    trained = result["seconds_per_step"] * result["steps"] * arms
    return result["seconds_per_step"] / size, max(result["seconds"] - trained, 0.0) / arms


def seconds(found: Pace, request: RetrainRequest, steps: int) -> float:
    """Return how long a request takes; `steps` are those of all networks of its recipe."""
    arms = 2 if request.control else 1
    passes = steps * request.accumulate
    per_step = found.per_step * _size(request.batch, request.crop_px)
    return arms * (per_step * passes + found.overhead)


def in_words(spent: float) -> str:
    """Return a time span for people: seconds below two minutes, else minutes or hours."""
    if spent < 100:
        return f"{max(5, round(spent / 5) * 5)} s"
    if spent < 5400:
        return f"{round(spent / 60)} min"
    return f"{spent / 3600:.1f} h"


def _size(batch: int, crop_px: int) -> float:
    return float(batch * crop_px**2 / (DEFAULT.batch * DEFAULT.crop_px**2))


def _of(job: Job, models: Mapping[int, ModelRecord], network: str) -> bool:
    record = models.get(int(job.result.get("model_id", -1)))
    return record is not None and record.network == network


def _options(job: Job, models: Mapping[int, ModelRecord]) -> dict[str, Any]:
    record = models.get(int(job.result.get("model_id", -1)))
    return _plain(record.card.get("options", {})) if record else {}


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as JSON gives them back."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()}
