"""Training: one visible loop over plain arrays.

Needs torch and numpy only, so it also runs on a bare machine with a GPU. It knows nothing of jobs
or pages: progress goes to a callback, and another callback is asked at every step whether to stop.

    trained = train(TrainConfig(classes=8, bands={"optical": 3, "sar": 1}), samples, val)
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.errors import Cancelled, CloudbrushError
from core.metrics import confusion, iou, mean
from models.networks import SegmentationNetwork, build
from models.objective import Objective, supervised
from models.sample import IGNORE, Sample, draw_batch, draw_chances, normalisation
from models.training.config import TrainConfig

__all__ = [
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
class Progress:
    """A point on the curves. `loss` is the mean since the last point."""

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    val_miou: float | None
    seconds_left: float


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came about. `matrix` is of the validation samples, or None."""

    network: SegmentationNetwork
    config: TrainConfig
    history: list[Progress]
    matrix: npt.NDArray[np.int64] | None
    device: str
    seconds: float
    names: tuple[str, ...] = field(default=())  # of the samples trained on


MakeObjective = Callable[[SegmentationNetwork, Tensor, TrainConfig], Objective]
"""Makes what is minimised from the network (on its device), the class weights float32 [K] and the
settings of a run."""


def _silent(_: Progress) -> None:
    return None


def _never() -> bool:
    return False


def train(
    config: TrainConfig,
    samples: Sequence[Sample],
    val: Sequence[Sample] = (),
    *,
    objective: MakeObjective = supervised,
    start: SegmentationNetwork | None = None,
    report: Callable[[Progress], None] = _silent,
    cancelled: Callable[[], bool] = _never,
    device: str = "cpu",
) -> Trained:
    """Return a network trained on `samples`, from `start` or from scratch.

    `objective` makes what is minimised; the default is the losses of the settings on the labels as
    given. A start keeps its normalisation. The same arguments give the same weights on one machine
    and thread count. Raises `Cancelled` when asked to stop and `CloudbrushError` when there is
    nothing to learn from.
    """
    _check_samples(config, [*samples, *val])
    if not any(((s.label != IGNORE) & (s.weight > 0)).any() for s in samples):
        raise CloudbrushError(
            "training set",
            found=f"{len(samples)} tiles without a labelled pixel that counts",
            expected="at least one",
            todo="Label some pixels, or give more provenances a weight above 0.",
        )
    began = time.monotonic()
    with _seeded(config.seed):
        network = _initial(config, samples, start).on(device)
    rng = np.random.default_rng(config.seed)
    balance = torch.from_numpy(class_weights(config, samples)).to(device)
    aim = objective(network, balance, config).to(device)
    chances = draw_chances(samples, config.favour_people)
    optimiser = _optimiser(config, aim, started=start is not None)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, config))
    half = config.mixed_precision and mixed_precision_helps(device)
    epochs = math.ceil(config.steps / config.validate_every)
    report_every = max(1, min(10, config.validate_every // 4))
    history: list[Progress] = []
    losses: list[float] = []
    matrix: npt.NDArray[np.int64] | None = None

    for step in range(1, config.steps + 1):
        if cancelled():
            raise Cancelled("training", found=f"a request to stop at step {step}")
        aim.train()
        batch = draw_batch(
            samples,
            aim.modalities,
            config.crop_px,
            config.batch,
            rng,
            flip=config.flip,
            chances=chances,
            augments=config.augments,
        )
        inputs = {m: _to(device, values) for m, values in batch.inputs.items()}
        label, weight = _to(device, batch.label), _to(device, batch.weight)
        more = {name: _to(device, array) for name, array in aim.further(rng).items()}
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            loss = aim(inputs, label, weight, more)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(aim.trained.parameters(), 5.0)
        optimiser.step()
        aim.after_step(step)
        schedule.step()
        losses.append(loss.item())

        last_of_epoch = step % config.validate_every == 0 or step == config.steps
        if val and last_of_epoch:
            matrix = validate(network, val, device=device, half=half, cancelled=cancelled)
        if last_of_epoch or step % report_every == 0:
            point = Progress(
                step=step,
                steps=config.steps,
                epoch=math.ceil(step / config.validate_every),
                epochs=epochs,
                loss=float(np.mean(losses)),
                val_miou=_score(matrix) if last_of_epoch else None,
                seconds_left=(time.monotonic() - began) / step * (config.steps - step),
            )
            if not math.isfinite(point.loss):
                raise CloudbrushError(
                    "training loss",
                    found=str(point.loss),
                    expected="a number",
                    todo="Use a lower learning rate.",
                )
            history.append(point)
            report(point)
            losses.clear()

    network.eval()
    names = tuple(sample.name for sample in samples)
    seconds = time.monotonic() - began
    return Trained(network.cpu(), config, history, matrix, device, seconds, names)


@torch.inference_mode()
def validate(
    network: SegmentationNetwork,
    val: Sequence[Sample],
    *,
    device: str = "cpu",
    half: bool = False,
    cancelled: Callable[[], bool] = _never,
) -> npt.NDArray[np.int64]:
    """Return the confusion matrix over `val`, int64 [K+1, K+1].

    Of each modality the first image counts.
    """
    network.eval()
    classes = network.spec.classes
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    for sample in val:
        if cancelled():
            raise Cancelled("validation", found="a request to stop")
        inputs = {
            m: _to(device, np.asarray(sample.inputs[m][0], np.float32)[None])
            for m in network.spec.bands
        }
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=half):
            found = network(inputs)[0].argmax(0).cpu().numpy().astype(np.uint8)
        matrix += confusion(sample.label, found, classes)
    return matrix


def _score(matrix: npt.NDArray[np.int64] | None) -> float | None:
    """Return the mean IoU of the classes in the reference; None where there is nothing to score."""
    value = math.nan if matrix is None else float(mean(iou(matrix)))
    return value if math.isfinite(value) else None


def class_weights(config: TrainConfig, samples: Sequence[Sample]) -> npt.NDArray[np.float32]:
    """Return float32 [K]: inverse frequency to the power of `class_balance`, at most 10.

    Frequencies count pixels by their weight; the weights average 1 over those pixels.
    """
    counts = np.zeros(config.classes)
    for sample in samples:
        counted = sample.label != IGNORE
        counts += np.bincount(
            sample.label[counted], sample.weight[counted], minlength=config.classes
        )
    share = counts / max(counts.sum(), 1e-9)
    raw = np.where(share > 0, np.maximum(share, 1e-6) ** -config.class_balance, 0.0)
    mean = float((raw * share).sum())
    return np.minimum(raw / (mean or 1.0), 10.0).astype(np.float32)


def pick_device(wanted: str = "auto") -> str:
    """Return "cuda" or "cpu". Raises `CloudbrushError` when a GPU is wanted and none is found."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CloudbrushError(
            "setting device",
            found="cuda but no GPU",
            expected="a GPU that torch finds",
            todo="Use device auto or cpu.",
        )
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def mixed_precision_helps(device: str) -> bool:
    """Return whether bfloat16 is fast here; on a CPU it takes the right instructions."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def describe_device(device: str) -> str:
    """Return the device in words for people: "CPU, 2 cores, bf16" or the GPU's name."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    half = ", bf16" if mixed_precision_helps(device) else ""
    cores = torch.get_num_threads()
    return f"CPU, {cores} {'core' if cores == 1 else 'cores'}{half}"


def _check_samples(config: TrainConfig, samples: Sequence[Sample]) -> None:
    for sample in samples:
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


def compatible(config: TrainConfig, network: SegmentationNetwork) -> bool:
    """Return whether training may start from the weights of `network`."""
    spec = network.spec
    return (spec.name, spec.bands, spec.classes) == (
        config.network,
        config.bands,
        config.classes,
    ) and all(spec.options.get(key) == value for key, value in config.options.items())


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


def _optimiser(config: TrainConfig, aim: Objective, *, started: bool) -> torch.optim.AdamW:
    """Return AdamW. The last layer of a trained start learns faster.

    Adam moves a weight by about the learning rate a step, so in a short run the logit of a class
    that the start has never seen cannot climb from where training without it has pushed it.
    """
    head = aim.network.head_parameters()
    body = [p for p in aim.trained.parameters() if all(p is not other for other in head)]
    faster = config.head_rate if started else 1.0
    groups = [
        {"params": body, "lr": config.learning_rate},
        {"params": head, "lr": config.learning_rate * faster},
    ]
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay)


def _rate(step: int, config: TrainConfig) -> float:
    warm = max(1, round(config.steps * config.warm_up))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, config.steps - warm)))


def _to(device: str, values: npt.NDArray[np.generic]) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    if tensor.ndim == 4:
        return tensor.to(device, memory_format=torch.channels_last)
    return tensor.to(device)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the block and give the caller's random state back."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
