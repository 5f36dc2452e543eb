"""What was lost on its way to the editor, without a page: it is asked for again by itself."""

from typing import Any

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
