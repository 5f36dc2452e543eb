"""Training: one visible loop over plain arrays.

Needs torch and numpy only, so it also runs on a bare machine with a GPU. It knows nothing of jobs
or pages: progress goes to a callback, and another callback is asked at every step whether to stop.
What the loop is made of is in `models.training`.

    trained = train(TrainConfig(classes=8, bands={"optical": 3, "sar": 1}), samples, val)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.errors import Cancelled, CloudbrushError
from models.networks import SegmentationNetwork, build
from models.objective import Objective, supervised
from models.sample import IGNORE, Sample, normalisation
from models.training import memory
from models.training.checkpoint import Checkpoint, fingerprint
from models.training.config import TrainConfig, check_config
from models.training.curve import Curve, Progress
from models.training.learner import Learner
from models.training.ranks import Ranks, here
from models.training.scoring import class_weights, never
from models.training.speed import describe_device, mixed_precision_helps, pick_device
from models.training.validation import validate

__all__ = [
    "Checkpoint",
    "MakeObjective",
    "Progress",
    "TrainConfig",
    "Trained",
    "class_weights",
    "compatible",
    "describe_device",
    "mixed_precision_helps",
    "pick_device",
    "train",
    "validate",
]


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came about. `matrix` is of the validation samples, or None.

    `step` is the one whose weights were kept; `notes` say what went otherwise than asked for.
    """

    network: SegmentationNetwork
    config: TrainConfig
    history: list[Progress]
    matrix: npt.NDArray[np.int64] | None
    device: str
    seconds: float
    names: tuple[str, ...] = field(default=())  # of the samples trained on
    step: int = 0
    notes: tuple[str, ...] = ()


MakeObjective = Callable[[SegmentationNetwork, Tensor, TrainConfig], Objective]
"""Makes what is minimised from the network (on its device), the class weights float32 [K] and the
settings of a run."""


def silent(_: Progress) -> None:
    """Report nothing."""


def train(
    config: TrainConfig,
    samples: Sequence[Sample],
    val: Sequence[Sample] = (),
    *,
    objective: MakeObjective = supervised,
    start: SegmentationNetwork | None = None,
    report: Callable[[Progress], None] = silent,
    cancelled: Callable[[], bool] = never,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Return a network trained on `samples`, from `start` or from scratch.

    `objective` makes what is minimised; the default is the losses of the settings on the labels as
    given. A start keeps its normalisation. The same arguments give the same weights on one machine
    and thread count, also where the run was stopped and goes on from its `checkpoint`; the points
    before that are reported again. In a process that `torchrun` started, the others take part.
    Raises `Cancelled` when asked to stop and `CloudbrushError` when there is nothing to learn from
    or a setting is wrong.
    """
    _check(config, samples, val)
    ranks = here()
    with _seeded(config.seed, device):
        learner = _learner(config, samples, objective, start, device, ranks)
        curve = Curve(config)
        run = fingerprint(config, samples, start, type(learner.aim).__qualname__)
        if checkpoint and checkpoint.load(run, learner, curve):
            learner.notes.append(f"Went on from step {curve.step} after an interruption.")
            for point in curve.history if ranks.first else ():
                report(point)
        while curve.step < config.steps and not curve.tired:
            step = curve.step + 1
            if ranks.any(cancelled(), device):
                raise Cancelled("training", found=f"a request to stop at step {step}")
            curve.took(step, learner.learn(step))
            if val and config.ends_epoch(step):
                curve.scored(_score(learner, val, step, cancelled), learner.kept)
            if curve.due():
                point = curve.point(ranks.add(curve.read_losses()).tolist(), learner.notes)
                if ranks.first:
                    report(point)
            if checkpoint and ranks.any(checkpoint.due(), device):
                checkpoint.save(run, learner, curve)
        return _kept(learner, curve)


def compatible(config: TrainConfig, network: SegmentationNetwork) -> bool:
    """Return whether training may start from the weights of `network`."""
    spec = network.spec
    return (spec.name, spec.bands, spec.classes) == (
        config.network,
        config.bands,
        config.classes,
    ) and all(spec.options.get(key) == value for key, value in config.options.items())


def _learner(
    config: TrainConfig,
    samples: Sequence[Sample],
    objective: MakeObjective,
    start: SegmentationNetwork | None,
    device: str,
    ranks: Ranks,
) -> Learner:
    """Return what learns: the same weights on every process, then random numbers of its own."""
    network = _initial(config, samples, start)
    if ranks.count > 1 and torch.device(device).type == "cuda":
        # torch has no types here
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    balance = torch.from_numpy(class_weights(config, samples)).to(device)
    aim = objective(network.on(device), balance, config).to(device)
    if ranks.rank:
        torch.manual_seed(config.seed + ranks.rank)
    return Learner(config, samples, aim, started=start is not None, device=device, ranks=ranks)


def _score(
    learner: Learner, val: Sequence[Sample], step: int, cancelled: Callable[[], bool]
) -> npt.NDArray[np.int64]:
    """Return the confusion matrix of the watched samples, each process scoring its part.

    Where memory runs out, they are scored by smaller windows.
    """
    ranks, device = learner.ranks, learner.device
    ranks.share_buffers(learner.kept)
    part = val[ranks.rank :: ranks.count]
    alone = cancelled if ranks.count == 1 else never  # the others would wait for this process
    matrix: npt.NDArray[np.int64] | None = None
    while matrix is None:
        try:
            matrix = validate(
                learner.kept,
                part,
                device=device,
                half=learner.half,
                cancelled=alone,
                most_px=learner.scored_px or None,
            )
        except (MemoryError, RuntimeError) as error:
            if not memory.ran_out(error):
                raise
        if matrix is None:  # outside, where the error no longer holds what did not fit
            learner.score_smaller(max(max(sample.label.shape) for sample in part), step)
    return ranks.add(torch.from_numpy(matrix).to(device)).cpu().numpy()


def _kept(learner: Learner, curve: Curve) -> Trained:
    """Return the run with the network that the settings keep, on the CPU."""
    network = learner.kept
    if learner.average:
        network.requires_grad_(True)
    learner.ranks.share_buffers(network)
    step = curve.step
    if curve.config.keep == "best" and curve.best:
        network.load_state_dict(curve.best)
        step = curve.best_step
    if curve.tired:
        learner.notes.append(
            f"Stopped at step {curve.step}: no better score since step {curve.best_step}."
        )
    return Trained(
        network.eval().cpu(),
        curve.config,
        curve.history,
        curve.matrix,
        learner.device,
        curve.elapsed,
        tuple(sample.name for sample in learner.samples),
        step,
        tuple(learner.notes),
    )


def _check(config: TrainConfig, samples: Sequence[Sample], val: Sequence[Sample]) -> None:
    check_config(config)
    for sample in (*samples, *val):
        _check_sample(config, sample)
    if not any(((s.label != IGNORE) & (s.weight > 0)).any() for s in samples):
        raise CloudbrushError(
            "training set",
            found=f"{len(samples)} tiles without a labelled pixel that counts",
            expected="at least one",
            todo="Label some pixels, or give more provenances a weight above 0.",
        )
    for name, asked in (("keep", config.keep == "best"), ("patience", config.patience > 0)):
        if asked and not val:
            raise CloudbrushError(
                f"setting {name}",
                found=f"{getattr(config, name)!r} and no watched samples",
                expected="samples to score",
                todo="Give samples that are not learnt from, or leave the setting out.",
            )


def _check_sample(config: TrainConfig, sample: Sample) -> None:
    shapes = {m: {image.shape[0] for image in images} for m, images in sample.inputs.items()}
    wanted = {m: {count} for m, count in config.bands.items()}
    if {m: shapes.get(m) for m in wanted} != wanted:
        raise CloudbrushError(
            f"sample {sample.name}", found=f"bands {shapes}", expected=f"{config.bands}"
        )
    highest = sample.label[sample.label != IGNORE].max(initial=0)
    if highest >= config.classes:
        raise CloudbrushError(
            f"sample {sample.name}",
            found=f"class index {highest}",
            expected=f"0 to {config.classes - 1}, or {IGNORE} for void",
        )


def _initial(
    config: TrainConfig, samples: Sequence[Sample], start: SegmentationNetwork | None
) -> SegmentationNetwork:
    options = config.options
    if start is not None:
        if not compatible(config, start):
            raise CloudbrushError(
                "start of training", found=f"{start.spec}", expected=f"the network of {config}"
            )
        options = start.spec.options
    network = build(config.network, config.bands, config.classes, options)
    if start is not None:
        network.load_state_dict(start.state_dict())
        return network
    for modality in config.bands:
        mean, std = normalisation(samples, modality)
        network.set_normalisation(modality, torch.from_numpy(mean), torch.from_numpy(std))
    return network


@contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch inside the block and give the caller's random state back."""
    gpus = [torch.cuda.current_device()] if torch.device(device).type == "cuda" else []
    with torch.random.fork_rng(gpus):
        torch.manual_seed(seed)
        yield
