"""Asking for predictions, without a page: how often, when again, and where the answer goes."""

from typing import Any

import pytest

from tests.editor.node import call

# A server that does in turn what `answers` says (fails with a status, loses it at 0, answers at
# null), with timers that fire at once and tell what they were set to.
PLAY = """async ({Predictions}, answers) => {
  const told = [], pauses = [], paths = [], signals = [], limits = [];
  globalThis.setTimeout = (work, ms) => { pauses.push(ms); queueMicrotask(work); };
  AbortSignal.timeout = (ms) => { limits.push(ms); return null; };
  const server = {json: async (path) => {
    paths.push(path);
    const status = answers.shift();
    if (status === null) return {id: 9};
    throw Object.assign(new Error('failed'), status ? {status} : {});
  }};
  const model = {key: 'm4', id: 4, usesOptical: true, predictions: {}};
  const ask = () => predictions.ask([model], 3);
  const onFail = ({message}) => told.push(message);
  const predictions = new Predictions({server, onChange() {}, onFail, onAgain: ask});
  predictions.open({tile: {id: 1}, closed: false});
  await ask();
  await ask();
  for (let i = 0; i < 100; i++) await null;
  // A manifest that the server had written before the map was there.
  const later = {models: [{...model, predictions: {'2': 5}}]};
  predictions.enter(later);
  const made = later.models[0].predictions, note = predictions.notes.get('m4');
  return {told, pauses, paths, limits, made, note};
}"""


def play(*answers: int | None) -> Any:
    """Return what becomes of a prediction that the server answers so."""
    return call("predictions.js", PLAY, list(answers))


def test_a_prediction_is_asked_for_once_and_may_take_minutes() -> None:
    found = play(None)
    assert found["paths"] == ["/tile/1/predict/4?acquisition=3"]
    assert not found["told"]
    assert min(found["limits"]) >= 10 * 60_000


def test_a_lost_prediction_is_asked_for_again_after_longer_and_longer() -> None:
    found = play(0, 503, 500, None)
    assert found["pauses"] == [5_000, 10_000, 20_000]
    assert found["made"] == {"2": 5, "3": 9}
    assert found["told"] == ["failed"]


@pytest.mark.parametrize("status", [400, 404])
def test_a_refused_prediction_is_not_asked_for_again(status: int) -> None:
    found = play(status)
    assert (len(found["paths"]), found["pauses"], found["note"]) == (1, [], "not available")


def test_the_answer_goes_into_the_manifest_of_now() -> None:
    assert play(None)["made"] == {"2": 5, "3": 9}


# Another model is chosen: its map is asked for, and the page sends its manifest anew meanwhile.
CHOSEN_MEANWHILE = """async ({Display}) => {
  let answer;
  const shown = [], server = {json: () => new Promise((resolve) => (answer = resolve))};
  const display = new Display({view: {}, panel: {}, settings: {}, server});
  display.show = () => shown.push(display.manifest.models[0].predictions);
  const manifest = () => ({tile: {id: 1}, layers: [], project: {kind: 'land_cover', id: 1},
    models: [{key: 'm4', id: 4, usesOptical: false, predictions: {}}],
    chosen: {model: 'm4', acquisition: null}});
  const scene = {tile: {id: 1}, predictionId: null, nudges: new Map(), closed: false};
  Object.assign(display, {kind: 'land_cover', project: 1});
  display.open(scene, manifest());
  display.predict();
  display.open(scene, manifest());
  answer({id: 9});
  await new Promise((resolve) => setTimeout(resolve, 2));
  return shown.at(-1);
}"""


def test_a_map_made_while_the_page_ran_anew_is_shown() -> None:
    assert call("display.js", CHOSEN_MEANWHILE) == {"": 9}
