"""Start: seconds to build the demos, from the command to the first page, and from page to page.

`demo_build` is the whole first start of an installed machine; `first_page` is its second.
"""

import statistics
import tempfile
import time
from pathlib import Path

from app.server import WARM_UP_AFTER_S
from tests.live import chromium, live_app, new_page, settle, sign_in

ROUNDS = 3
PAGES = {name: name for name in ("Explore", "Export", "Compare", "Train", "New project")} | {
    "Home": "Cloudbrush"
}


def run() -> dict[str, dict[str, float | int | str]]:
    """Return `demo_build` once, `first_page` and `page_change` as medians."""
    first: list[float] = []
    change: list[float] = []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        workspace = Path(folder) / "workspace"
        before = time.perf_counter()
        with live_app(workspace):
            built = time.perf_counter() - before
        for round_ in range(ROUNDS):
            page = new_page(browser)
            before = time.perf_counter()
            with live_app(workspace) as app:
                page.goto(app.url)
                page.get_by_label("Your name").wait_for()
                first.append(time.perf_counter() - before)
                sign_in(page, app.url, f"Bench {round_}")
                time.sleep(WARM_UP_AFTER_S + 4)  # a person has looked at the first page by then
                for name, heading in PAGES.items():
                    before = time.perf_counter()
                    page.get_by_role("link", name=name, exact=True).click()
                    page.get_by_role("heading", level=1).filter(has_text=heading).wait_for()
                    change.append(time.perf_counter() - before)
                    settle(page)
            page.close()
    return {
        "demo_build": {"value": round(built, 1), "unit": "s", "n": 1},
        "first_page": {"value": round(statistics.median(first), 2), "unit": "s", "n": len(first)},
        "page_change": {
            "value": round(statistics.median(change), 3),
            "unit": "s",
            "n": len(change),
        },
    }
