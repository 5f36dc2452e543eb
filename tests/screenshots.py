"""`python -m tests.screenshots`: makes the pictures of README and docs from the demo projects.

It builds a fresh workspace, corrects six tiles as a patient labeler would, retrains once and
photographs each page. `python -m tests.screenshots WORKSPACE` uses a workspace that exists.
"""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from core import catalogue, jobs, trained
from core.export.labels import export_labels
from core.records import JobState
from core.settings import Settings, load_settings
from core.store.engine import Store, open_store
from models.request import RetrainRequest
from tests.bench.train import chosen, paint_true, wait_for
from tests.live import ROOT, LiveApp, assert_clean, chromium, live_app, new_page, settle, sign_in
from tests.strip import strip

IMAGES = ROOT / "docs" / "images"
WIDTH, HEIGHT = 1440, 900
TALL = {
    "compare": 1240,
    "compare-many": 1240,
    "compare-disagree": 1240,
    "compare-damage": 1240,
    "train": 1000,
}
IMAGERY = ("correct", "damage", "keys", "home", "explore", "compare-disagree")
"""Pictures that are mostly imagery: as JPEG they are a fifth as large."""

LAND_COVER, DAMAGE = 1, 2
CORRECTED_TILE = "coastal-city_01"
DRAWN = """() => !document.querySelector('[data-testid="stSkeleton"]') &&
  [...document.querySelectorAll('[data-testid="stPlotlyChart"]')]
    .every((chart) => chart.querySelector('.main-svg'))"""
DRAWN_MS = 60_000


def main(workspace: Path) -> None:
    """Make every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    settings = load_settings(workspace=workspace)
    with live_app(workspace) as app, chromium() as browser:
        store = open_store(settings)
        page = new_page(browser, WIDTH, HEIGHT)
        sign_in(page, app.url)
        if not jobs.jobs(store, LAND_COVER, kind="train"):
            work(store, settings, app, page)
        photograph(store, app, page)
        strip(store, app, page)
        assert_clean()
        store.close()


def work(store: Store, settings: Settings, app: LiveApp, page: Page) -> None:
    """Correct, retrain, promote and export, and photograph the training while it runs."""
    project = catalogue.project(store, LAND_COVER)
    person = catalogue.ensure_person(store, "Ada Lovelace")
    for tile in chosen(store, project):
        paint_true(store, app.url, project, person, tile)
    request = RetrainRequest(name="Retrained")
    job = jobs.submit(store, settings, "train", request.payload(), project.id, person.id)
    page.goto(f"{app.url}/train?project={LAND_COVER}")
    page.get_by_role("button", name="Cancel").wait_for()
    page.get_by_text("Epoch 4").wait_for(timeout=240_000)
    page.wait_for_function(DRAWN, timeout=DRAWN_MS)
    page.wait_for_timeout(1_000)
    shoot(page, "training")
    done = wait_for(store, job)
    assert done.state is JobState.DONE, done.message
    trained.promote(store, project.id, done.result["model_id"], person.id)
    export_labels(store, project.id, "land-cover-corrected", person=person.name)


def photograph(store: Store, app: LiveApp, page: Page) -> None:
    """Open each page as a visitor would and take its picture."""
    tile = next(t for t in catalogue.tiles(store, LAND_COVER) if t.name == CORRECTED_TILE)
    building = next(t for t in catalogue.tiles(store, DAMAGE) if t.editable)
    for name, address in {
        "home": "",
        "new-project": "new",
        "explore": f"explore?project={LAND_COVER}",
        "train": f"train?project={LAND_COVER}",
        "compare": f"compare?project={LAND_COVER}",
        "compare-many": f"compare?project={LAND_COVER}&view=many",
        "compare-disagree": f"compare?project={LAND_COVER}&view=disagree",
        "compare-damage": f"compare?project={DAMAGE}",
        "export": f"export?project={LAND_COVER}",
    }.items():
        page.goto(f"{app.url}/{address}")
        if name == "new-project":
            choose_folder(page, app.workspace / "demo" / "building-damage")
        settle(page)
        page.set_viewport_size({"width": WIDTH, "height": TALL.get(name, HEIGHT)})
        page.wait_for_timeout(1_500)
        page.wait_for_function(DRAWN, timeout=DRAWN_MS)
        page.wait_for_timeout(2_000)
        shoot(page, name)
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    for name, project, shown in (("correct", LAND_COVER, tile), ("damage", DAMAGE, building)):
        page.goto(f"{app.url}/correct?project={project}&tile={shown.id}")
        page.locator(f'.editor[data-painted="{shown.id}"]').wait_for()
        page.wait_for_timeout(2_000)
        box = page.locator('[data-pane="label"]').bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(500)
        shoot(page, name)
    page.keyboard.press("?")
    page.wait_for_timeout(500)
    shoot(page, "keys")


def choose_folder(page: Page, folder: Path) -> None:
    """Have the page look at a folder, and wait for what it finds."""
    box = page.get_by_role("textbox", name="Folder")
    box.fill(str(folder))
    box.press("Enter")
    page.get_by_role("button", name=re.compile("^Import")).wait_for(timeout=DRAWN_MS)


def shoot(page: Page, name: str) -> None:
    """Write one picture."""
    path = IMAGES / f"{name}.{'jpg' if name in IMAGERY else 'png'}"
    if path.suffix == ".jpg":
        page.screenshot(path=path, type="jpeg", quality=88)
    else:
        page.screenshot(path=path)
    print(path.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory(prefix="cloudbrush-") as folder:
            main(Path(folder) / "workspace")
