"""A server of our routes alone, in a process of its own that may be killed at any moment.

`python -m tests.app.edit_server WORKSPACE [page]` imports everything once, then forks a server for
each port that it reads from its input, and prints the server's process id. A fork starts in a tenth
of the time that an interpreter needs, so that fifty kills fit into a test.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from app.routes import routes
from core import catalogue
from core.settings import load_settings
from core.store.engine import open_store
from tests.editor.harness import Harness
from tests.live import free_port

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60.0


class Nursery:
    """Starts servers on one workspace, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.port = 0
        self.pid = 0

    def start(self) -> None:
        """Start a server on a free port and return when it answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.port = free_port()
        print(self.port, file=self.process.stdin, flush=True)
        self.pid = int(self.process.stdout.readline())
        wait_until_up(self.port)

    def kill(self) -> None:
        """Kill the server as a power cut would, wherever it is."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.pid = 0


@contextmanager
def nursery(workspace: Path, *, page: bool = False) -> Iterator[Nursery]:
    """Run the starting process until the block ends; its last server ends with it.

    With `page`, the servers also give the page of `tests.editor.harness`.
    """
    command = [sys.executable, "-m", "tests.app.edit_server", str(workspace), *["page"] * page]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    found = Nursery(process)
    try:
        yield found
    finally:
        if found.pid:
            found.kill()
        process.communicate(timeout=10)


def wait_until_up(port: int) -> None:
    """Return when a server answers on the port."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/nothing")
            connection.getresponse().read()
            return
        except (OSError, HTTPException):
            time.sleep(0.01)
        finally:
            connection.close()
    raise AssertionError(f"no server on port {port}")


def _serve(workspace: Path, port: int, *, page: bool) -> None:
    settings = load_settings(workspace=workspace, data_roots=(workspace.parent,))
    store = open_store(settings)
    if page:
        app = Harness(store, settings, catalogue.people(store)[0]).app()
    else:
        app = Starlette(routes=routes(store, settings))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", lifespan="off")


def main(workspace: Path, *, page: bool) -> None:
    """Fork a server for each port read, until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _serve(workspace, int(line), page=page)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), page="page" in sys.argv[2:])
