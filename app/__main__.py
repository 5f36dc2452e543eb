"""The start command: `python -m app [flags]`. Flags and environment are in docs/settings.md."""

import argparse
import os
import socket
import sys

from app.demos import build_demos, never_built
from core.errors import CloudbrushError, SettingsError
from core.settings import Settings, load_settings
from core.store.engine import open_store


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the flags: one for each setting, and two of the command itself."""
    parser = argparse.ArgumentParser("python -m app", description="Start Cloudbrush.")
    for name, field in Settings.model_fields.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            help=field.description,
            action="append" if name in ("data_roots", "remote_roots") else "store",
        )
    parser.add_argument("--no-demo", action="store_true", help="Do not build the demo projects.")
    parser.add_argument("--open", action="store_true", help="Open a browser where there is one.")
    return parser.parse_args(arguments)


def settings_of(flags: argparse.Namespace) -> Settings:
    """Return the settings that flags and environment give together."""
    return load_settings(**{name: getattr(flags, name) for name in Settings.model_fields})


def check_port(settings: Settings) -> None:
    """Raise `SettingsError` where the port is taken or the address is not ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.address, settings.port))
        except OSError as error:
            raise SettingsError(
                f"address {settings.address} port {settings.port}",
                found=error.strerror or str(error),
                expected="a free port of this machine",
                todo="Stop the other program or choose another port with --port.",
            ) from error


def main(arguments: list[str]) -> int:
    """Start the app; returns an exit status, and prints errors for people."""
    flags = parse(arguments)
    try:
        settings = settings_of(flags)
        check_port(settings)
        store = open_store(settings)
        if not flags.no_demo and never_built(settings):
            print("Building the demo projects (about half a minute, once) ...", flush=True)
            build_demos(store, settings, lambda name: print(f"  {name}", flush=True))
    except CloudbrushError as error:
        print(f"Cloudbrush cannot start. {error}", file=sys.stderr)
        return 1
    from app.server import serve

    print(f"Cloudbrush: http://{settings.address}:{settings.port}", flush=True)
    print(f"Workspace:  {settings.workspace}   (stop with Ctrl+C)", flush=True)
    serve(settings, store, open_browser=flags.open and _has_display())
    return 0


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
