"""A real app process and a real Chromium for browser tests, screenshots and benchmarks."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
START_LIMIT_S = 180.0
FAULTS: list[str] = []


@dataclass(frozen=True)
class LiveApp:
    """A running app: its address and its workspace."""

    url: str
    workspace: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def live_app(workspace: Path, *flags: str, port: int | None = None) -> Iterator[LiveApp]:
    """Run `python -m app` on a workspace until the block ends; the demo is built if it is new."""
    port = port or free_port()
    log = workspace.parent / f"{workspace.name}-server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "app", "--workspace", str(workspace), "--port", str(port)]
    with log.open("ab") as out:
        process = subprocess.Popen([*command, *flags], cwd=ROOT, stdout=out, stderr=out)
    try:
        wait_until_up(f"http://127.0.0.1:{port}", process, log)
        yield LiveApp(f"http://127.0.0.1:{port}", workspace, process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the app answers; fails with its log when it ends or takes too long."""
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"the app did not start:\n{log.read_text()[-4000:]}")


FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium: the named one, the system's, or Playwright's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=named_chromium(), args=FLAGS)
        yield browser
        browser.close()


def named_chromium() -> str | None:
    """Return the Chromium that was named, or the system's; None for Playwright's own."""
    return os.environ.get("CLOUDBRUSH_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


def new_page(browser: Browser, width: int = 1440, height: int = 900) -> Page:
    """Return a page that remembers what must not happen, for `assert_clean`."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.on("pageerror", lambda error: FAULTS.append(str(error)))
    page.on("request", lambda request: FAULTS.extend(_foreign(request.url)))
    FAULTS.clear()
    page.set_default_timeout(30_000)
    return page


def _foreign(url: str) -> list[str]:
    """Return a fault for a request that leaves this machine."""
    ours = urlsplit(url).scheme in ("data", "blob") or urlsplit(url).hostname == "127.0.0.1"
    return [] if ours else [f"request to {url}"]


def assert_clean() -> None:
    """Fail where a script threw an error or the browser asked another machine for something."""
    assert FAULTS == []


def sign_in(page: Page, url: str, name: str = "Ada Lovelace") -> None:
    """Open the app and say who is at the keyboard, as on a first start."""
    page.goto(url)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text(f"Signed in as {name}").wait_for()
    settle(page)


def settle(page: Page) -> None:
    """Wait until Streamlit has no script run in progress."""
    page.wait_for_function(
        "document.querySelector('[data-testid=\"stApp\"]')"
        "?.dataset.testScriptState === 'notRunning'"
    )
