"""Several processes that train one network, one on each GPU, started by `torchrun`.

Every process draws the same crops from the same seed and learns from its own part; gradients are
added before each step, so that all take the same one. That is what torch's DistributedDataParallel
does as well; here the sum is one visible call after the last pass of a step, which any objective
can live with, also one that uses parts of its network in some steps only.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is. Alone, every method gives back what it was given."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Return whether this process reports and writes files."""
        return self.rank == 0

    def mine(self, number: int) -> bool:
        """Return whether this process learns from batch `number` of a step."""
        return number % self.count == self.rank

    def any(self, flag: bool, device: str = "cpu") -> bool:
        """Return whether any process says so; all must ask."""
        if self.count == 1:
            return flag
        said = torch.tensor([float(flag)], device=device)
        dist.all_reduce(said, dist.ReduceOp.MAX)
        return bool(said.item())

    def add(self, values: Tensor) -> Tensor:
        """Return the sum over all processes."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Give every process the sum of all gradients, in one message."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        whole = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(whole)
        parts = torch.split(whole, [g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))

    def share_buffers(self, module: nn.Module) -> None:
        """Give every process the first one's running statistics."""
        if self.count > 1:
            for buffer in module.buffers():
                dist.broadcast(buffer, 0)

    def gather(self, values: Tensor, device: str = "cpu") -> list[Tensor]:
        """Return what every process has, in the order of ranks and on the CPU; of one shape."""
        if self.count == 1:
            return [values]
        mine = values.to(device)
        found = [torch.empty_like(mine) for _ in range(self.count)]
        dist.all_gather(found, mine)
        return [each.cpu() for each in found]


def here() -> Ranks:
    """Return the ranks of this process: those of `torch.distributed`, where that was started."""
    if dist.is_available() and dist.is_initialized():
        return Ranks(dist.get_rank(), dist.get_world_size())
    return Ranks()
