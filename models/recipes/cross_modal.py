"""Cross-modal pseudo supervision, "-style": an optical network teaches a SAR network.

Only the idea is published, in a title; the rest is our choice. The teacher looks at the
clearest dates of a tile; where it is unsure, as below a cloud, the label says so.
"""

import numpy as np

from models.losses.soft import divergence
from models.networks import SegmentationNetwork
from models.recipes.from_soft import FromSoft
from models.recipes.labelling import Floats, look, seen, softened
from models.recipes.run import Run
from models.sample import IGNORE, Sample
from models.train import Trained


def cross_modal(run: Run) -> Trained:
    """Return a SAR network taught by an optical one."""
    student = run.kept_config()
    teacher = run.teach(0, run.helper(run.settings["teacher"], "optical"), run.samples).network
    tiles = (*run.samples, *run.unlabelled)
    samples = [_taught(run, teacher, sample) for sample in run.one_by_one("Labels softly", tiles)]
    return run.teach(
        2,
        student,
        samples,
        objective=lambda network, balance, config: FromSoft(network, balance, divergence, config),
        kept=True,
    )


def _taught(run: Run, teacher: SegmentationNetwork, sample: Sample) -> Sample:
    """Return a sample whose soft label is the teacher's word, weighted by how sure it is."""
    views, dates = int(run.settings["label_views"]), run.settings["label_dates"]
    soft = look(run, [teacher], sample, views, dates)
    sure = soft.max(0) * seen(sample, ["optical"], dates)
    return softened(sample, _with_given(soft, sample, run.settings["given"]), sure)


def _with_given(soft: Floats, sample: Sample, share: float) -> Floats:
    given = (np.arange(len(soft))[:, None, None] == sample.label).astype(np.float32)
    part = np.where(sample.label == IGNORE, 0.0, share).astype(np.float32)
    return np.asarray((1 - part) * soft + part * given, np.float32)
