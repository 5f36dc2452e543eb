"""What was lost on its way to the editor, without a page: it is asked for again by itself."""

from typing import Any

import pytest

from app.routes.assets import FOLDERS
from tests.editor.node import call

# A tile of one block at version 3, on a server that loses the first request for how it came.
SCENE = """async ({Scene}) => {
  const plain = setTimeout, asked = [];
  globalThis.setTimeout = (work) => plain(work);
  globalThis.ImageData = class { data = new Uint8Array(4); };
  globalThis.OffscreenCanvas = class { getContext() {} };
  const server = {bytes: async (path) => {
    asked.push(path);
    const original = path.endsWith('?version=0');
    if (original && asked.length < 3) throw new Error('lost');
    return {bytes: new Uint8Array(2 * 64).fill(original ? 7 : 5), version: 3};
  }};
  const manifest = {tile: {id: 1, height: 8, width: 8}, project: {name: 'P'}, layers: [],
    classes: [{code: 5, isVoid: false, colour: '#ffffff'}], voidCode: 0};
  const scene = new Scene({server, manifest, onChange() {}, onError() {}, onDirty() {}});
  scene.load({y0: 0, x0: 0, h: 8, w: 8});
  const rest = () => new Promise((resolve) => plain(resolve, 20));
  await rest();
  scene.painted();
  await rest();
  return {asked, original: scene.labels.at(2, 2).original, lacks: scene.lacks};
}"""


def test_the_labels_as_they_came_are_asked_for_again() -> None:
    found: dict[str, Any] = call("scene.js", SCENE)
    block = "/tile/1/labels/0/0"
    assert found["asked"] == [block, f"{block}?version=0", f"{block}?version=0"]
    assert (found["original"], found["lacks"]) == (7, False)


# Superpixels of one chunk, drawn as often as the editor asks for it; the first answer is lost.
SUPERPIXELS = """async ({Superpixels}) => {
  const plain = setTimeout, asked = [], said = [], later = [];
  globalThis.setTimeout = (work) => later.push(work);
  globalThis.ImageData = class { data = new Uint8Array(4 * 64); };
  globalThis.OffscreenCanvas = class { getContext() { return {putImageData() {}}; } };
  const element = {append() {}, remove() {}, dataset: {}, setAttribute() {}};
  globalThis.document = {createElement: () => ({...element})};
  let drawn = 0;
  const box = {y0: 0, x0: 0, h: 8, w: 8};
  const context = {drawImage: () => (drawn += 1)};
  const view = {overlays: [], transform: {scale: 1}, visible: () => box,
    draw: () => view.overlays[0].draw(context, {scale: 1, ratio: 1, x: 0, y: 0, visible: box})};
  const server = {get: async (path) => {
    asked.push(path);
    if (asked.length < 3) throw new Error('lost');
    return {status: 200, arrayBuffer: async () => new Uint16Array(64).fill(1).buffer};
  }};
  const panel = {panes: {element}, say: (text) => said.push(text)};
  const feature = new Superpixels({panel, view, server, showSettings() {}});
  feature.open({tile: {id: 1, height: 8, width: 8}});
  feature.toggle();
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => plain(resolve, 2));
    later.shift()?.();
  }
  return {asked: asked.length, drawn, said: said.length};
}"""


def test_outlines_of_superpixels_come_after_an_answer_was_lost() -> None:
    assert call("features/superpixels.js", SUPERPIXELS) == {"asked": 3, "drawn": 1, "said": 1}


# A version of one block after another one; the answer for the second version is lost once.
PAST = """async ({Past}) => {
  const plain = setTimeout, box = {y0: 0, x0: 0, h: 8, w: 8}, said = [], later = [], seen = [];
  globalThis.setTimeout = (work) => later.push(work);
  let lost = false;
  const server = {bytes: async (path) => {
    const version = Number(path.split('version=')[1]);
    if (version === 2 && !lost) {
      lost = true;
      throw new Error('lost');
    }
    return {bytes: new Uint8Array(128).fill(version)};
  }};
  const layer = {markDirty() {}, clear() {}}, tile = {id: 1, height: 8, width: 8};
  const panel = {say: (text) => said.push(text), hush() {}};
  const view = {visible: () => box, draw: () => past.pieces(box)};
  const scene = {labelBlocks: {}, server, label: layer, provenance: layer, tile};
  const past = new Past({view, panel}, scene);
  const look = async () => {
    await new Promise((resolve) => plain(resolve, 2));
    seen.push([past.labels.at(2, 2)?.label ?? null, past.settled]);
  };
  past.show(1);
  await look();
  past.show(2);
  await look();
  later.shift()();
  await look();
  return {seen, said};
}"""


def test_no_other_version_passes_for_one_that_was_lost() -> None:
    found = call("features/past.js", PAST)
    assert found["seen"] == [[1, True], [None, False], [2, True]]
    assert found["said"] == ["Version 2 could not be loaded: lost"]


# The cursor rests on a building, whose name the server does not give.
OBJECTS = """async ({Objects}, status) => {
  const pauses = [], said = [];
  globalThis.setTimeout = (work, ms) => pauses.push(ms) < 7 && queueMicrotask(work);
  let asked = 0;
  const server = {json: async () => {
    asked += 1;
    throw Object.assign(new Error('no names'), status ? {status} : {});
  }};
  const {Labels} = await import(LABELS);
  const labels = new Labels(8, 8);
  labels.setBlock(0, 0, {labels: new Uint8Array(64).fill(1), provenance: new Uint8Array(64)});
  const element = {querySelectorAll: () => []}, panel = {say: (text) => said.push(text)};
  const objects = new Objects({element, panel, server, settings: {tool: 'object'}});
  objects.onKnown(() => objects.at(2, 2));
  const classes = [{code: 1, isVoid: false, isClear: false}];
  objects.open({tile: {id: 1}, labels}, {classes, project: {kind: 'damage'}});
  objects.at(2, 2);
  for (let i = 0; i < 200; i++) await null;
  return {asked, said, pauses};
}"""


@pytest.mark.parametrize(
    ("status", "said", "pauses"),
    [
        (0, 0, [120, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]),
        (503, 1, [120, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]),
        (400, 1, [120]),
    ],
)
def test_names_of_buildings_are_not_asked_for_without_end(
    status: int, said: int, pauses: list[int]
) -> None:
    script = OBJECTS.replace("LABELS", f"'{(FOLDERS['editor'] / 'labels.js').as_uri()}'")
    found = call("features/objects.js", script, status)
    assert (found["said"], found["pauses"]) == (["no names"] * said, pauses)
