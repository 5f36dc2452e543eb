"""Reference pictures of the panes: what labels, patterns and previews look like, pixel by pixel.

`python -m tests.editor.look` paints them anew into `tests/editor/look/`. Look at each before it is
kept: the test holds the editor to them.
"""

import base64
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Browser

from core import catalogue
from core.settings import load_settings
from core.store.engine import open_store
from tests.editor.conftest import Bench, Desk
from tests.editor.harness import Harness
from tests.live import chromium
from tests.scene import make_scene

FOLDER = Path(__file__).parent / "look"
SCALE = 6

Picture = npt.NDArray[np.uint8]

# Whole pixels of the tile in every pane, so that nothing is smoothed.
PLACE = """(e, scale) => {
  e.view.transform = {scale, x: 0, y: 0};
  e.view.fitted = false;
  e.view.draw();
}"""
HATCH = """(e) => e.preview.set('look', [{style: 'hatch', colour: '#ffd166',
  mask: {y0: 20, x0: 6, h: 18, w: 22, data: new Uint8Array(18 * 22).fill(1)}}])"""
PIXELS = "(e, id) => e.view.pane(id).canvas.toDataURL('image/png').split(',')[1]"


def pictures(desk: Desk) -> Iterator[tuple[str, Picture]]:
    """Yield name and picture of each state, painting as it goes."""
    desk.editor(PLACE, SCALE)
    yield "optical_clouds", shot(desk, "optical")
    desk.press("D")
    yield "label_alone", shot(desk, "label")
    desk.press("Shift+D")
    yield "label_class_patterns", shot(desk, "label")
    desk.press("Shift+D", "4")
    desk.editor("(e) => e.setDiameter(9)")
    desk.stroke((14, 12), (30, 34))
    desk.expect_state("saved, version 1")
    desk.hover(50, 40)
    desk.press("W")
    desk.expect_state("saved, version 2")
    desk.hover(26, 44)
    desk.press("U")
    desk.expect_state("saved, version 3")
    desk.press("Shift+P")
    yield "label_provenance", shot(desk, "label")
    desk.press("Shift+P")
    desk.editor(HATCH)
    yield "label_preview", shot(desk, "label")


def shot(desk: Desk, pane: str) -> Picture:
    """Return the pixels of a pane's canvas, uint8 [H, W, 3], nothing of its furniture."""
    desk.page.mouse.move(2, 2)
    desk.settle()
    content = base64.b64decode(desk.editor(PIXELS, pane))
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"))


def main() -> None:
    """Write every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        for title, picture in _pictures_of_a_new_scene(Path(name), browser):
            Image.fromarray(picture).save(FOLDER / f"{title}.png", optimize=True)


def _pictures_of_a_new_scene(folder: Path, browser: Browser) -> Iterator[tuple[str, Picture]]:
    settings = load_settings(workspace=folder / "workspace", data_roots=(folder,))
    store = open_store(settings)
    scene = make_scene(store, folder / "scene", height=96, width=80)
    harness = Harness(store, settings, catalogue.people(store)[0]).start()
    yield from pictures(Bench(harness, scene, browser, []).open())
    harness.stop()
    store.close()


if __name__ == "__main__":
    main()
