"""Models in a real browser: a section stays open while it says what stands in it, and two models
that disagree stand side by side in the editor."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from core import catalogue
from core.found import FoundDataset
from core.ingest import import_dataset
from core.predictions import save_prediction
from core.records import Split
from core.scores import model_source
from core.settings import load_settings
from core.store.engine import open_store
from core.trained import add_model
from tests.live import assert_clean, live_app, new_page, settle, sign_in
from tests.models.conftest import CLASSES, SIZE, make_tile

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(tmp_path: Path, browser: Browser) -> Iterator[tuple[Page, str]]:
    """Return a signed-in page and the address of an app with one project and two models."""
    settings = load_settings(workspace=tmp_path / "workspace", data_roots=(tmp_path,))
    store = open_store(settings)
    tiles = tuple(make_tile(tmp_path, f"p{n}", Split.TRAIN, n, truth=False) for n in range(2))
    found = FoundDataset(
        "test", "tiny", "made here", tmp_path, "land_cover", CLASSES, "plain", tiles
    )
    project = import_dataset(store, found, "tiny", roots=settings.allowed_roots)
    for name, code in (("Ear", 1), ("Bat", 2)):
        card = {"network": "unet", "bands": {"sar": 1}, "sha256": "0"}
        path = store.workspace / "models" / f"{name}.safetensors"
        model = add_model(store, project.id, name, path, card)
        for tile in catalogue.tiles(store, project.id):
            codes = np.full((SIZE, SIZE), code, np.uint8)
            source = model_source(model.id)
            save_prediction(store, tile.id, source, codes, codes, model_id=model.id)
    store.close()
    flags = ("--no-demo", "--data-roots", str(tmp_path), "--device", "cpu")
    with live_app(settings.workspace, *flags) as app:
        page = new_page(browser)
        sign_in(page, app.url)
        yield page, app.url
        assert_clean()
        page.context.close()


@pytest.mark.soak
def test_models_are_chosen_and_compared(visit: tuple[Page, str]) -> None:
    page, url = visit
    page.goto(f"{url}/train?project=1")
    section = page.locator("summary").filter(has_text="Network")
    section.click()
    page.get_by_text("CloudLULC-Net-style", exact=True).click()
    expect(section).to_contain_text("CloudLULC-Net-style")
    size = page.get_by_text("Smallest", exact=False)
    expect(size.first).to_be_visible()  # the section stayed open although its title changed

    page.goto(f"{url}/compare?project=1&view=disagree")
    settle(page)
    heading = page.get_by_role("heading", name="give different classes to 100 % of the pixels")
    heading.wait_for()
    expect(page.locator('[data-testid="stImage"] img')).to_have_count(6)

    page.goto(f"{url}/correct?project=1&tile=1&model=m1&against=m1,m2")
    page.locator('.editor[data-painted="1"]').wait_for()
    captions = page.locator("[data-pane] .caption").all_inner_texts()
    assert sum("Prediction" in text for text in captions) == 2, captions
    assert any("Disagreement" in text for text in captions)
