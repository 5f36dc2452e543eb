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

# Serves for real, then asks the running server for the options that it holds.
PRINT_OPTIONS_IN_FORCE = """
import json, sys, threading, time
from streamlit import config, runtime
from app.server import serve, streamlit_options
from core.settings import load_settings
from core.store.engine import open_store

settings = load_settings(workspace=sys.argv[1], port=sys.argv[2])

def report():
    while not runtime.exists():
        time.sleep(0.05)
    print(json.dumps({name: config.get_option(name) for name in streamlit_options(settings)}))
    sys.stdout.flush()
    import os
    os._exit(0)

threading.Thread(target=report, daemon=True).start()
serve(settings, open_store(settings))
"""


def test_the_config_file_is_in_force(tmp_path: Path) -> None:
    port = free_port()
    done = subprocess.run(
        [sys.executable, "-c", PRINT_OPTIONS_IN_FORCE, str(tmp_path / "w"), str(port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    in_force = json.loads(done.stdout.strip().splitlines()[-1])
    wanted = streamlit_options(load_settings(workspace=tmp_path / "w", port=port))
    assert in_force == wanted
    assert wanted["runner.postScriptGC"] is False
    assert wanted["server.address"] == "127.0.0.1"


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
