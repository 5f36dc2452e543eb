"""What each process of the tests of `torchrun` does: train a network whose crops do not meet.

Batch norm sees the crops of its own process only, on a CPU; without it the processes must agree
with one process to rounding.
"""

import sys
from pathlib import Path

import torch

from models.train_distributed import run_folder
from tests.models.test_training import WithoutBatchNorm

if __name__ == "__main__":
    torch.set_num_threads(1)
    run_folder(Path(sys.argv[1]), objective=WithoutBatchNorm)
