"""The memory of a page without that of the tools that watch it.

A browser that is driven keeps the answers of every request for its driver, up to 100 MB in the
process of the page. So the browser here is one of its own: it is driven, left alone, and then
measured. Pages must be made in its first context: the others end with the driver.
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.live import FLAGS, named_chromium

LEAVES_ALONE_S = 20.0


@dataclass(frozen=True)
class Apart:
    """A Chromium that goes on when nobody drives it."""

    address: str

    @contextmanager
    def driven(self) -> Iterator[Browser]:
        """Drive it within the block."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(self.address)
            yield browser
            browser.close()

    def page_process(self, browser: Browser, page: Page) -> int:
        """Return the process of a page, its garbage collected: the largest of the renderers."""
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        session.detach()
        whole = browser.new_browser_cdp_session()
        processes = whole.send("SystemInfo.getProcessInfo")["processInfo"]
        whole.detach()
        found = [int(entry["id"]) for entry in processes if entry["type"] == "renderer"]
        return max(found, key=private_mb)


@contextmanager
def apart() -> Iterator[Apart]:
    """Run a headless Chromium that is not tied to what drives it."""
    with sync_playwright() as playwright:
        program = named_chromium() or playwright.chromium.executable_path
    with tempfile.TemporaryDirectory() as profile:
        process = subprocess.Popen(
            [
                program,
                "--headless",
                *FLAGS,
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Apart(_address(process))
        finally:
            process.terminate()
            process.wait(20)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"ws://\S+", line)
        if found:
            return found[0]
    raise AssertionError("Chromium said no address to drive it by")


def settled_mb(pid: int) -> float:
    """Return the private megabytes of a process that has been left alone for a while."""
    time.sleep(LEAVES_ALONE_S)
    return private_mb(pid)


def private_mb(pid: int) -> float:
    """Return the megabytes that a process shares with no other: heap, pixels, everything."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("Private_")]
    return sum(kilobytes) / 1024
