"""The start command: options in force, errors for people, one port for everything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from app.server import CONFIG_FILE, streamlit_options
from core.settings import load_settings
from tests.live import ROOT, free_port, live_app

# Serves for real, and looks at itself while it does; LOOK is what it looks at.
SERVE = """
import json, os, socket, sys, threading, time
from streamlit import config, runtime
from app.server import serve, streamlit_options
from core.settings import load_settings
from core.store.engine import open_store

settings = load_settings(workspace=sys.argv[1], port=sys.argv[2])

def report():
    while not runtime.exists():
        time.sleep(0.05)
    LOOK
    sys.stdout.flush()
    os._exit(0)

threading.Thread(target=report, daemon=True).start()
serve(settings, open_store(settings))
"""
OPTIONS_IN_FORCE = """
    print(json.dumps({name: config.get_option(name) for name in streamlit_options(settings)}))
"""
# Whether the server's end of a connection sends at once.
NO_DELAY = """
    client = socket.create_connection(("127.0.0.1", settings.port))
    client.sendall(b"GET /_stcore/health HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n")
    client.recv(4096)
    for fd in os.listdir("/dev/fd"):
        try:
            end = socket.socket(fileno=os.dup(int(fd)))
            if end.getpeername() == client.getsockname():
                print("no delay:", end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
        except OSError:
            continue
"""


def seen_by(look: str, folder: Path, port: int) -> list[str]:
    """Return the lines that a server prints of itself."""
    done = subprocess.run(
        [sys.executable, "-c", SERVE.replace("    LOOK\n", look), str(folder / "w"), str(port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout.strip().splitlines()


def test_the_config_file_is_in_force(tmp_path: Path) -> None:
    port = free_port()
    in_force = json.loads(seen_by(OPTIONS_IN_FORCE, tmp_path, port)[-1])
    wanted = streamlit_options(load_settings(workspace=tmp_path / "w", port=port))
    assert in_force == wanted
    assert wanted["runner.postScriptGC"] is False
    assert wanted["server.address"] == "127.0.0.1"


def test_small_answers_leave_at_once(tmp_path: Path) -> None:
    """Without it the body of an answer waits for the browser's word on its head: 40 ms each."""
    assert "no delay: True" in seen_by(NO_DELAY, tmp_path, free_port())


def test_every_option_of_the_file_is_handed_over() -> None:
    options = streamlit_options(load_settings())
    assert CONFIG_FILE.name == "streamlit_config.toml"
    assert {"theme.primaryColor", "theme.sidebar.backgroundColor", "server.headless"} <= set(
        options
    )


def test_a_taken_port_is_an_error_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with live_app(tmp_path / "first", "--no-demo") as app:
        port = app.url.rsplit(":", 1)[1]
        status = main(["--no-demo", "--workspace", str(tmp_path / "second"), "--port", port])
    assert status == 1
    assert f"port {port}" in capsys.readouterr().err


def test_a_bad_flag_is_an_error_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "none"]) == 1
    assert "setting port" in capsys.readouterr().err
