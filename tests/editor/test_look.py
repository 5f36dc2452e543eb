"""The panes look as they did when a person last looked: within what decoders may differ by."""

import numpy as np
import pytest
from PIL import Image

from tests.editor.conftest import Bench
from tests.editor.look import FOLDER, pictures

pytestmark = pytest.mark.browser

FAR = 24  # of 255, in any channel
MOST_FAR = 0.005  # of all pixels


def test_panes_look_as_they_were_seen_last(bench: Bench) -> None:
    for name, picture in pictures(bench.open()):
        reference = np.asarray(Image.open(FOLDER / f"{name}.png").convert("RGB"))
        assert picture.shape == reference.shape, name
        far = np.abs(picture.astype(int) - reference).max(axis=2) > FAR
        assert far.mean() <= MOST_FAR, f"{name}: {100 * far.mean():.2f} % differ"
