"""What is done to a map after the network: so far the vote of its buildings."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from core.object_vote import ObjectVote, object_vote, severity_of

Bytes = npt.NDArray[np.uint8]
Add = Callable[[Bytes, Bytes, Bytes | None], None]
"""Takes the next rows: codes and confidence uint8 [h, W], probabilities uint8 [K, h, W] or None."""


@contextmanager
def voting(vote: ObjectVote | None, codes: Sequence[int], add: Add) -> Iterator[Add]:
    """Give what takes a map by rows and hands it to `add` after its buildings have voted.

    `codes` are the class codes of the map. A building may reach from the first row to the last, so
    with a vote the rows wait in memory until the block ends, 6 bytes a pixel; without one they go
    straight on. Confidence and probabilities stay those of the network. Nothing is handed on when
    the block ends with an error.
    """
    if vote is None:
        yield add
        return
    held: list[tuple[Bytes, Bytes, Bytes | None]] = []
    yield lambda *rows: held.append(rows)
    if not held:
        return
    voted = object_vote(np.concatenate([rows[0] for rows in held]), severity_of(codes), vote)
    y0 = 0
    for found, confidence, probabilities in held:
        add(voted[y0 : y0 + len(found)], confidence, probabilities)
        y0 += len(found)
