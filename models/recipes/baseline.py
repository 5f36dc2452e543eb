"""Recipes of one step: what the form says, and the baseline of OpenEarthMap-SAR."""

from dataclasses import replace

import numpy as np

from models.recipes.run import Run
from models.train import Trained
from models.zoo.losses import LossTerm


def plain(run: Run) -> Trained:
    """Return a network trained on the labels of now, with the settings of the run as they are."""
    return run.teach(0, run.config, run.samples, start=run.start, kept=True)


def oem_sar_baseline(run: Run) -> Trained:
    """Return a network trained as the organisers' baseline: SAR, cross entropy, crops as they are.

    Every class, every tile and every pixel that counts at all counts alike.
    """
    alike = [replace(s, weight=(s.weight > 0).astype(np.float32)) for s in run.samples]
    config = run.kept_config(losses=(LossTerm("ce"),))
    return run.teach(1, config, alike, start=run.start, kept=True)
