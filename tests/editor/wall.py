"""A desk with panes that can be read, over images of many bands."""

from dataclasses import dataclass
from typing import Any

from tests.editor.conftest import Desk

LEFT, RIGHT = (60, 20), (60, 60)  # pixels of the halves, below the cloud of the first rows


@dataclass
class Wall:
    """A desk with panes that can be read."""

    desk: Desk
    ids: dict[str, int]

    def settle(self) -> None:
        """Wait until everything has come and has been drawn."""
        self.desk.settle()

    def colour(self, slot: int, pixel: tuple[int, int]) -> list[int]:
        """Return red, green and blue of a tile pixel in a pane."""
        self.settle()
        found: list[int] = self.desk.editor(
            """(e, [slot, row, col]) => {
              const pane = e.view.panes[slot], {scale, x, y} = e.view.transform, r = e.view.ratio;
              const at = (tile, from) => Math.round(((tile + 0.5) * scale + from) * r);
              const place = [at(col, x + pane.dx), at(row, y + pane.dy)];
              return [...pane.context.getImageData(...place, 1, 1).data].slice(0, 3);
            }""",
            [slot, *pixel],
        )
        return found

    def choose(self, slot: int, label: str) -> None:
        """Choose a view from the menu of a pane."""
        page = self.desk.page
        page.locator(f'[data-slot="{slot}"] .caption').click()
        page.locator(".view-item", has_text=label).first.click()
        if page.locator(".view-menu").is_visible():
            page.keyboard.press("Escape")

    def option(self, slot: int, name: str, value: str) -> None:
        """Set an option in the menu of a pane."""
        page = self.desk.page
        page.locator(f'[data-slot="{slot}"] .caption').click()
        page.locator(f'.view-menu [data-option="{name}"]').select_option(value)
        page.keyboard.press("Escape")

    def layout(self, name: str) -> None:
        self.desk.editor("(e, name) => e.display.setLayout(name)", name)
        self.settle()

    def over(self, slot: int, pixel: tuple[int, int] = LEFT) -> None:
        """Rest the mouse on a tile pixel of a pane."""
        x, y = self.place(slot, pixel)
        self.desk.page.mouse.move(x, y)

    def place(self, slot: int, pixel: tuple[int, int]) -> tuple[float, float]:
        box = self.desk.page.locator(f'[data-slot="{slot}"]').bounding_box()
        assert box is not None
        t = self.desk.editor(
            """(e, slot) => {
              const {dx, dy} = e.view.panes[slot];
              return {...e.view.transform, dx, dy};
            }""",
            slot,
        )
        row, col = pixel
        return (
            box["x"] + (col + 0.5) * t["scale"] + t["x"] + t["dx"],
            box["y"] + (row + 0.5) * t["scale"] + t["y"] + t["dy"],
        )

    def caption(self, slot: int) -> Any:
        return self.desk.page.locator(f'[data-slot="{slot}"] .caption')


def near(found: list[int], wanted: list[int], by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))
