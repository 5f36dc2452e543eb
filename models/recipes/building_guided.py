"""Buildings first, then damage, from soft labels: the winner of DFC2025 track 2.

Buildings are learnt from the image before, once from labels and once from the soft labels of that
first network. A damage network labels all tiles softly, and the building-guided network learns
from these: from the label where it is sure itself, from the probabilities where it is not. Source:
arXiv 2505.04941; steps in `models.zoo.recipes`.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from torch import Tensor

from models.losses.soft import entropy_split
from models.networks import SegmentationNetwork
from models.recipes.from_soft import FromSoft
from models.recipes.labelling import Floats, look, seen, softened
from models.recipes.run import Run
from models.sample import IGNORE, Sample
from models.train import MakeObjective, Trained
from models.training.config import TrainConfig
from models.zoo.augment import Augment
from models.zoo.losses import LossTerm

BLUR = Augment("blur", {"chance": 0.5, "low": 0.01, "high": 1.0})


def building_guided(run: Run) -> Trained:
    """Return the building-guided damage network."""
    encoder = run.settings["encoder"]
    tiles = (*run.samples, *run.unlabelled)
    buildings = _buildings(run, tiles)
    augments = run.augments(Augment("mosaic"), BLUR)
    both = run.helper("uabcd", "optical", "sar", losses=(LossTerm("ce"),), augments=augments)
    first = run.teach(2, replace(both, options={"encoder": encoder}), run.samples).network
    taught = [_softly(run, first, tile) for tile in run.one_by_one("Labels damage", tiles)]
    kept = run.kept_config(augments=run.augments())
    objective = _from_soft(run, "damage_entropy", buildings)
    return run.teach(4, kept, taught, objective=objective, kept=True)


def _buildings(run: Run, tiles: Sequence[Sample]) -> SegmentationNetwork:
    """Return the building network of steps 0 and 1."""
    config = replace(
        run.helper(
            "building_fpn", "optical", losses=(LossTerm("ce"),), augments=run.augments(BLUR)
        ),
        classes=2,
        options={"encoder": run.settings["encoder"]},
    )
    labelled = [_as_buildings(sample) for sample in run.samples]
    first = run.teach(0, config, labelled).network
    looked_at = run.one_by_one("Labels buildings", tiles)
    taught = [_softly(run, first, _as_buildings(tile)) for tile in looked_at]
    plain = replace(config, augments=run.augments())
    return run.teach(1, plain, taught, objective=_from_soft(run, "building_entropy", None)).network


def _from_soft(run: Run, threshold: str, buildings: SegmentationNetwork | None) -> MakeObjective:
    """Return what makes the objective of soft labels; it hands `buildings` to the network."""
    split = partial(entropy_split, threshold=run.settings[threshold], alpha=run.settings["alpha"])

    def objective(network: SegmentationNetwork, balance: Tensor, config: TrainConfig) -> FromSoft:
        if buildings is not None:
            # Only the guided network has this room for a building network.
            network.take_buildings(buildings)  # type: ignore[operator]
        return FromSoft(network, balance, split, config)

    return objective


def _softly(run: Run, network: SegmentationNetwork, sample: Sample) -> Sample:
    soft: Floats = look(run, [network], sample, int(run.settings["views"]))
    return softened(sample, soft, seen(sample, tuple(network.spec.bands)).astype(np.float32))


def _as_buildings(sample: Sample) -> Sample:
    """Return a sample whose label is 1 for any class but the first, which is background."""
    label = np.where(sample.label == IGNORE, IGNORE, sample.label > 0).astype(np.uint8)
    return replace(sample, label=label)
