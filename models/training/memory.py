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


def words_of(batch: int, parts: int, steps: int) -> str:
    """Return what people are told: in how many parts a batch is learnt from now."""
    crops = -(-batch // parts)
    return (
        f"Memory ran out at step {steps}: a batch of {batch} now passes in {parts} parts of up to "
        f"{crops} crops. A step learns from as many crops as before."
    )
