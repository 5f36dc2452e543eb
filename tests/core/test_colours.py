"""Class colours stay apart for people with a colour blindness.

Full dichromacy is simulated in linear RGB with the matrices of Machado, Oliveira and Fernandes
(2009), severity 1.0, and distances are CIEDE2000.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from core.classes import BRIGHT, OPEN_EARTH_MAP_SAR, ClassTable

# About 2 is just noticeable side by side and 10 is plain at a glance; 12 keeps a difference that is
# plain when a class lies over an image.
BAR = 12.0

SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def seen_lab(classes: ClassTable, sight: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    rgb = np.array([list(bytes.fromhex(entry.colour[1:])) for entry in classes.entries]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ sight.T, 0, 1)
    srgb = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return list(rgb2lab(srgb[None])[0])


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("classes", [OPEN_EARTH_MAP_SAR, BRIGHT], ids=lambda table: table.name)
def test_any_two_classes_differ_at_a_glance(classes: ClassTable, sight: str) -> None:
    colours = zip(classes.entries, seen_lab(classes, SIGHT[sight]), strict=True)
    near = [
        (float(deltaE_ciede2000(a, b)), one.name, other.name)  # type: ignore[no-untyped-call]
        for (one, a), (other, b) in combinations(list(colours), 2)
    ]
    assert min(near)[0] >= BAR, min(near)
