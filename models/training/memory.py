"""Whether an error means that memory ran out, on a GPU or on the CPU, and what to tell people."""

import torch

from core.errors import CloudbrushError

WORDS = ("can't allocate memory", "not enough memory", "out of memory")
"""What torch's allocator of main memory says, in its own words; it raises a plain RuntimeError."""


def ran_out(error: BaseException) -> bool:
    """Return whether memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in WORDS)


def no_smaller(crop_px: int) -> CloudbrushError:
    """Return the error for a single crop that does not fit."""
    return CloudbrushError(
        "memory",
        found=f"too little for one crop of {crop_px} x {crop_px} pixels",
        expected="room for at least one",
        todo="Use smaller crops or a smaller network.",
    )


def no_step() -> CloudbrushError:
    """Return the error for weights that cannot be moved."""
    return CloudbrushError(
        "memory",
        found="too little for the weights, their gradients and what the optimiser remembers",
        expected="room for all of them",
        todo="Use a smaller network, the optimiser sgd, or no average of weights. Smaller crops or "
        "batches do not help.",
    )


def words_of_scores(window_px: int, step: int) -> str:
    """Return what people are told: by what windows watched tiles are scored from now."""
    return (
        f"Memory ran out while scoring at step {step}: watched tiles are now scored by windows of "
        f"{window_px} px."
    )


def words_of(batch: int, parts: int, steps: int) -> str:
    """Return what people are told: in how many parts a batch is learnt from now."""
    crops = -(-batch // parts)
    return (
        f"Memory ran out at step {steps}: a batch of {batch} now passes in {parts} parts of up to "
        f"{crops} crops. A step learns from as many crops as before."
    )
