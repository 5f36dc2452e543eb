"""A small land-cover demo on disk, built once."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.demo.landcover import Size, build_files

SMALL = Size(regions=2, rows=1, columns=2, tile_px=128)
SEED = 3


@pytest.fixture(scope="package")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a demo of 2 regions x 2 tiles of 128 pixels, without labels."""
    root = tmp_path_factory.mktemp("land-cover")
    build_files(root, SEED, SMALL)
    return root


@pytest.fixture(scope="package")
def manifest(small_demo: Path) -> dict[str, Any]:
    """Return the manifest of the small demo."""
    found: dict[str, Any] = json.loads((small_demo / "manifest.json").read_text())
    return found
