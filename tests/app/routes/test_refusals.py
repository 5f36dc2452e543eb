"""Bodies that are refused: each by its field, in a few words, and nothing is saved."""

import json
from typing import Any

import pytest

from app.routes.bodies import MAX_BODY_BYTES
from tests.app.client import Client
from tests.app.routes.conftest import edits, stroke
from tests.scene import Scene

BAD_BODIES: dict[str, tuple[int, str, Any]] = {
    "no JSON": (400, "JSON", b"{"),
    "no text": (400, "JSON", b"\xff\xfe\x00"),
    "empty": (400, "JSON", b""),
    "no object": (422, "field body", b"[1]"),
    "deep": (400, "JSON", b'{"mask":' + b"[" * 100_000),
    "NaN": (422, "field started_at", json.dumps(stroke(started_at=float("nan")))),
    "huge number": (422, "field mask.0", stroke(mask=[2**200, 1])),
    "endless number": (400, "JSON", b'{"seq": ' + b"9" * 5000 + b"}"),
    "huge seq": (422, "field seq", stroke(seq=2**53)),
    "infinite time": (422, "field started_at", json.dumps(stroke(started_at=float("inf")))),
    "late time": (422, "field ended_at", stroke(ended_at=1e300)),
    "unknown field": (422, "field admin", stroke(admin=True)),
    "no client": (422, "field client_id", stroke(client_id=None)),
    "odd client": (422, "field client_id", stroke(client_id="<script>")),
    "long client": (422, "field client_id", stroke(client_id="x" * 65)),
    "unknown tool": (422, "field tool", stroke(tool="erase")),
    "import": (422, "field tool", stroke(tool="import")),
    "unknown class": (422, "field to_class", stroke(to_class=99)),
    "class as text": (422, "field to_class", stroke(to_class="8")),
    "no class": (422, "field to_class", stroke(to_class=None)),
    "class 256": (422, "field to_class", stroke(to_class=256)),
    "unknown source": (422, "field from_classes", stroke(from_classes=[99])),
    "box outside": (422, "field box", stroke(box=[580, 500, 30, 40])),
    "negative box": (422, "field box.0", stroke(box=[-1, 0, 30, 40])),
    "empty box": (422, "field box", stroke(box=[0, 0, 0, 40], mask=[0])),
    "box of three": (422, "field box", stroke(box=[0, 0, 30])),
    "box of halves": (422, "field box.3", stroke(box=[0, 0, 30, 40.5])),
    "no box": (422, "fields box and mask", stroke(box=None)),
    "no mask": (422, "fields box and mask", stroke(mask=None)),
    "short mask": (422, "field mask", stroke(mask=[0, 1199])),
    "long mask": (422, "field mask", stroke(mask=[0, 1201])),
    "negative run": (422, "field mask.0", stroke(mask=[-1, 1201])),
    "mask of text": (422, "field mask.0", stroke(mask=["x"] * 200_000)),
    "mask of lists": (422, "field mask.0", stroke(mask=[[1200]])),
    "base of the future": (422, "field base_version", stroke(base_version=5)),
    "long reason": (422, "field reason", stroke(reason="x" * 201)),
    "many panes": (422, "field panes_shown", stroke(panes_shown=["x"] * 33)),
    "force as text": (422, "field force", stroke(force="yes")),
    "unknown effect": (422, "field effect", stroke(effect="erase")),
    "effect of an undo": (422, "field effect", stroke(tool="undo", effect="class")),
    "no values": (422, "field values", stroke(effect="values")),
    "few values": (422, "field values", stroke(effect="values", values="CAg=")),
    "unknown values": (
        422,
        "field values",
        stroke(effect="values", box=[0, 0, 1, 1], mask=[0, 1], values="Yw=="),
    ),
    "values of other letters": (422, "field values", stroke(effect="values", values="§")),
    "half a prediction": (422, "field prediction", stroke(prediction=0.5)),
    "odd group": (422, "field group_id", stroke(group_id="a b")),
    "odd restriction": (422, "field restrict", stroke(restrict="cloudy,night")),
    "restriction twice": (422, "field restrict", stroke(restrict="cloudy,clear")),
    "unknown class in a restriction": (422, "field restrict", stroke(restrict="from:99")),
    "long restriction": (422, "field restrict", stroke(restrict="a" * 201)),
    "odd reverses": (422, "field reverses.seq", stroke(reverses={"client_id": "a", "seq": -1})),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_stroke_is_refused_by_its_field(ada: Client, scene: Scene, name: str) -> None:
    status, field, body = BAD_BODIES[name]
    content = body.encode() if isinstance(body, str) else body
    reply = ada.post(f"/tile/{scene.tile}/edits", content)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert field in reply.json()["error"]
    assert len(reply.body) < 1000
    assert edits(scene) == 0


@pytest.mark.parametrize("announced", [True, False])
def test_an_oversized_body_is_refused(ada: Client, scene: Scene, announced: bool) -> None:
    headers = {} if announced else {"content-length": ""}
    reply = ada.post(f"/tile/{scene.tile}/edits", b"x" * (MAX_BODY_BYTES + 1), headers)
    assert reply.status == 413
    assert "8 MiB" in reply.json()["error"]


@pytest.mark.parametrize("state", ["new", "frozen", "", 1, None])
def test_an_unknown_state_is_refused(ada: Client, scene: Scene, state: Any) -> None:
    reply = ada.post(f"/tile/{scene.tile}/state", {"state": state})
    assert (reply.status, "field state" in reply.json()["error"]) == (422, True)
