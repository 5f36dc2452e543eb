"""Simulated clouds previewed in the editor: by a key, of a cover and seed, ended by Escape."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from core import catalogue
from core.store.tables import AcquisitionRow
from tests.editor.conftest import Bench
from tests.editor.wall import Wall

pytestmark = pytest.mark.browser

WHITE = """(e) => {
  const {canvas} = e.view.panes[0].context, {data} = e.view.panes[0].context
    .getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i];
  return sum / (data.length / 4);
}"""


def clear(bench: Bench) -> None:
    """Let the image of May be a clear one."""
    with bench.scene.store.write() as session:
        row = update(AcquisitionRow).where(AcquisitionRow.id == bench.scene.acquisitions["train"])
        session.execute(row.values(thin=0.0, thick=0.0, shadow=0.0))


def test_clouds_are_previewed_and_ended_by_escape(bench: Bench) -> None:
    clear(bench)
    wall = Wall(bench.open(), {})
    desk, page = wall.desk, wall.desk.page
    wall.settle()
    plain = desk.editor(WHITE)
    desk.press("Shift+K")
    wall.settle()
    half = desk.editor(WHITE)
    expect(wall.caption(0)).to_contain_text("under simulated clouds, 50 %, seed 0")
    assert "clouds 50/0" in " ".join(desk.editor("(e) => e.display.panesShown()"))
    page.get_by_label("Cloud cover").select_option("100")
    wall.settle()
    assert plain + 2 < half < desk.editor(WHITE) - 2
    page.get_by_role("button", name="Other clouds").click()
    expect(wall.caption(0)).to_contain_text("100 %, seed 1")
    desk.press("Escape")
    wall.settle()
    expect(page.locator(".sky")).to_be_hidden()
    assert desk.editor(WHITE) == plain
    tile = bench.scene.tiles["train"]
    assert len(catalogue.acquisitions(bench.scene.store, tile)) == 1


def test_a_cloudy_image_takes_none_and_the_strip_says_so(bench: Bench) -> None:
    desk = bench.open()
    desk.press("Shift+K")
    expect(desk.page.locator(".sky-words")).to_contain_text("No pane shows a clear optical image")
    expect(desk.page.locator('[data-slot="0"] .caption')).not_to_contain_text("simulated")
