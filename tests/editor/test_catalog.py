"""Views as plain data: what they resolve to, what is remembered of them, and the scale bar."""

from typing import Any

import pytest

from tests.editor.node import call

LAYERS: list[dict[str, Any]] = [
    {"id": 1, "modality": "optical", "name": "s2", "acquisition": 11},
    {"id": 2, "modality": "optical", "name": "s2", "acquisition": 12},
    {"id": 3, "modality": "sar", "name": "s1", "acquisition": None, "calibrated": True},
]
BANDS = {1: ["red", "nir"], 2: ["red", "nir"], 3: ["VV", "VH"]}


def manifest(**changes: Any) -> dict[str, Any]:
    layers = [
        {"calibrated": False, "bands": BANDS[layer["id"]], "nudge": {"y": 0, "x": 0}} | layer
        for layer in LAYERS
    ]
    found: dict[str, Any] = {
        "project": {"kind": "land_cover"},
        "layers": layers,
        "acquisitions": [
            {"id": 11, "name": "May", "label": "May", "hasCloud": True},
            {"id": 12, "name": "June", "label": "June", "hasCloud": False},
        ],
        "models": [
            {"key": "m1", "name": "One", "usesOptical": True, "predictions": {"11": 5, "12": 6}},
            {"key": "m2", "name": "Two", "usesOptical": False, "predictions": {"": 7}},
        ],
        "chosen": {"acquisition": 11, "model": "m1"},
    }
    return found | changes


def resolved(view: dict[str, Any], told: dict[str, Any], **settings: str) -> dict[str, Any]:
    usual = {"underlay": "optical", "contrast": "auto"} | settings
    empty: dict[str, Any] = {
        "id": "x",
        "rendering": {},
        "overlays": [],
        "blend": None,
        "model": None,
    }
    found: dict[str, Any] = call(
        "views/catalog.js",
        """(catalog, [view, told, settings]) => {
          const found = catalog.resolve(view, told, settings);
          return {...found, log: catalog.logName(found)};
        }""",
        [empty | view, told, usual],
    )
    return found


def test_an_image_follows_the_chosen_date_unless_it_has_its_own() -> None:
    assert resolved({"base": {"modality": "optical"}}, manifest())["layer"]["id"] == 1
    june = manifest(chosen={"acquisition": 12, "model": "m1"})
    assert resolved({"base": {"modality": "optical"}}, june)["layer"]["id"] == 2
    dated = {"base": {"modality": "optical", "date": "June"}}
    assert resolved(dated, manifest())["layer"]["id"] == 2
    gone = resolved({"base": {"modality": "optical", "date": "July"}}, manifest())
    assert gone["layer"] is None and gone["missing"]


def test_a_model_of_the_view_goes_before_the_chosen_one() -> None:
    view = {"base": "under", "overlays": ["prediction"]}
    assert resolved(view, manifest())["predictionId"] == 5
    assert resolved(view | {"model": "m2"}, manifest())["predictionId"] == 7


def test_only_what_fits_the_layer_is_asked_of_the_server() -> None:
    view = {"base": {"modality": "optical"}, "rendering": {"filter": "lee", "bands": [1, 2, 9]}}
    assert resolved(view, manifest(), contrast="fixed")["rendering"] == {"stretch": "auto"}
    sar = {"base": {"modality": "sar"}, "rendering": {"filter": "lee", "bands": [2]}}
    assert resolved(sar, manifest(), contrast="fixed")["rendering"] == {
        "stretch": "fixed",
        "bands": [2],
        "filter": "lee",
    }
    both = {"base": {"modality": "sar"}, "rendering": {"expr": "VV - VH", "bands": [1]}}
    assert resolved(both, manifest())["rendering"] == {"stretch": "auto", "expr": "VV - VH"}


@pytest.mark.parametrize(
    ("view", "name"),
    [
        ({"base": {"modality": "sar"}, "rendering": {"bands": [2]}}, "sar VH"),
        ({"base": "under", "overlays": ["label"]}, "label + optical/11"),
        ({"base": None, "overlays": ["confidence"]}, "confidence/5"),
        ({"base": {"modality": "sar"}, "rendering": {"expr": "V" * 300}}, "sar " + "V" * 76),
    ],
)
def test_the_log_name_says_what_is_shown_and_stays_short(view: dict[str, Any], name: str) -> None:
    assert resolved(view, manifest())["log"] == name


def event(pre: dict[str, Any], post: dict[str, Any]) -> dict[str, Any]:
    shared = {"calibrated": False, "bands": ["r", "g", "b"], "nudge": {"y": 0, "x": 0}}
    return manifest(
        project={"kind": "damage"},
        layers=[shared | {"id": 1} | pre, shared | {"id": 2} | post],
        acquisitions=[
            {"id": 11, "name": "pre-event", "label": "pre-event", "hasCloud": False},
            {"id": 12, "name": "post_event", "label": "post", "hasCloud": False},
        ],
    )


def items(told: dict[str, Any]) -> dict[str, Any]:
    script = """(catalog, m) => Object.fromEntries(catalog.menu(m)
      .flatMap(({items}) => items).map(({view, missing}) => [view.id, missing ?? null]))"""
    found: dict[str, Any] = call("views/catalog.js", script, told)
    return found


def test_a_difference_needs_two_images_of_one_kind() -> None:
    before = {"modality": "optical", "name": "optical", "acquisition": 11}
    after = {"modality": "optical", "name": "optical", "acquisition": 12}
    told = event(before, after)
    assert items(told)["difference"] is None
    view = {"base": {"event": "post"}, "rendering": {"minus": {"event": "pre"}}}
    found = resolved(view, told)
    assert (found["layer"]["id"], found["rendering"]["minus"]) == (2, 1)
    radar = {"modality": "sar", "name": "post-event", "acquisition": None}
    assert "sensors" in items(event(before, radar))["difference"]
    assert "difference" not in items(manifest())


def test_every_item_of_the_menu_survives_storage_and_the_round_of_views_ends() -> None:
    script = """(catalog, m) => {
      const views = catalog.menu(m).flatMap(({items}) => items.map(({view}) => view));
      const seen = [];
      for (let view = views[0]; !seen.includes(view.id); view = catalog.nextView(view, m))
        seen.push(view.id);
      const text = (view) => JSON.stringify(view);
      return [views.map((view) => text(catalog.cleanView(view)) === text(view)), seen];
    }"""
    same, seen = call("views/catalog.js", script, manifest())
    assert all(same)
    assert len(seen) > 5


@pytest.mark.parametrize(
    "view",
    [
        None,
        [],
        "label",
        {"id": "x"},
        {"id": "x", "base": None},
        {"id": "", "base": "under", "overlays": ["label"]},
        {"id": "x", "base": {"modality": 3}},
        {"id": "x", "base": {"event": "never"}},
        {"id": "x" * 200, "base": "under"},
    ],
)
def test_what_is_no_view_is_dropped(view: object) -> None:
    assert call("views/catalog.js", "(catalog, v) => catalog.cleanView(v)", view) is None


def test_a_view_from_storage_keeps_what_is_right_with_it() -> None:
    given = {
        "id": "sar",
        "base": {"modality": "sar", "name": 7, "evil": "x"},
        "rendering": {"bands": [1, 2], "stretch": "wild", "filter": "toString", "expr": "x" * 500},
        "overlays": ["cloud", "label", "label", "nothing"],
        "blend": 7,
        "model": {},
        "more": 1,
    }
    assert call("views/catalog.js", "(catalog, v) => catalog.cleanView(v)", given) == {
        "id": "sar",
        "base": {"modality": "sar"},
        "rendering": {},
        "overlays": ["label", "cloud"],
        "blend": None,
        "model": None,
    }


def test_each_project_has_its_own_layout_and_a_new_one_begins_with_the_last_of_its_kind() -> None:
    script = """(layouts) => {
      const usual = layouts.restore(null, 'land_cover', 1);
      let kept = layouts.remember(null, 'land_cover', {...usual, layout: '1+2'}, 1);
      kept = layouts.remember(kept, 'land_cover', {...usual, layout: '2c'}, 2);
      return [1, 2, 3].map((id) => layouts.restore(kept, 'land_cover', id).layout);
    }"""
    assert call("views/layouts.js", script) == ["1+2", "2c", "2c"]


def test_stepping_back_through_layouts_undoes_stepping_on() -> None:
    script = """({LAYOUTS, nextLayout}) => LAYOUTS.map(({id}) => [
      id, nextLayout(nextLayout(id).id, -1).id, nextLayout(nextLayout(id, -1).id).id])"""
    found = call("views/layouts.js", script)
    assert len({id_ for id_, *_ in found}) == 8
    assert all(one == two == three for one, two, three in found)


def test_layouts_are_remembered_for_each_kind_of_project() -> None:
    script = """(layouts) => {
      const land = layouts.restore(null, 'land_cover');
      const kept = layouts.remember(null, 'land_cover', {...land, layout: '1+2'});
      const both = layouts.remember(kept, 'damage', layouts.restore(kept, 'damage'));
      const again = JSON.parse(JSON.stringify(both));
      const ids = (kind) => {
        const {layout, panes} = layouts.restore(again, kind);
        return [layout, panes[layout].map(({id}) => id)];
      };
      return [ids('land_cover'), ids('damage'), ids('another')];
    }"""
    assert call("views/layouts.js", script) == [
        ["1+2", ["label", "optical", "sar"]],
        ["2x2", ["pre", "post", "label", "prediction"]],
        ["2x2", ["optical", "sar", "label", "prediction"]],
    ]


def test_maps_of_two_models_stand_side_by_side_without_being_remembered() -> None:
    script = """(layouts) => {
      const kept = layouts.restore(null, 'land_cover', 1);
      const {layout, panes} = layouts.sideBySide(kept, 'land_cover', ['m1', 'm2']);
      return [layout, panes[layout].map(({id}) => id), panes[layout].map(({model}) => model),
        kept.layout, panes['2x2'].length];
    }"""
    layout, ids, of, before, others = call("views/layouts.js", script)
    assert (layout, before, others) == ("2x3", "2x2", 4)
    assert ids == ["optical", "sar", "disagreement", "label", "prediction:m1", "prediction:m2"]
    assert of == [None, None, "m1", None, "m1", "m2"]


@pytest.mark.parametrize(
    ("layers", "ids"),
    [
        (("optical", "sar"), ["optical", "sar", "label", "prediction"]),
        (("optical", "height"), ["optical", "height:of height", "label", "prediction"]),
        (("optical",), ["optical", "provenance", "label", "prediction"]),
        (("optical", "optical"), ["optical", "optical:June", "label", "prediction"]),
        (("sar",), ["provenance", "sar", "label", "prediction"]),
    ],
)
def test_a_pane_without_its_kind_of_image_shows_another(
    layers: tuple[str, ...], ids: list[str]
) -> None:
    told = manifest()
    told["layers"] = [
        {
            "id": i,
            "modality": kind,
            "name": f"of {kind}",
            "acquisition": 11 + i if kind == "optical" else None,
        }
        for i, kind in enumerate(layers)
    ]
    script = """(layouts, manifest) => {
      const {layout, panes} = layouts.fitted(layouts.restore(null, 'land_cover'), manifest);
      return panes[layout].map(({id}) => id);
    }"""
    assert call("views/layouts.js", script, told) == ids


def test_every_layout_names_each_of_its_panes() -> None:
    script = """(layouts) => layouts.LAYOUTS.map((layout) => {
      const {areas, names} = layouts.gridOf(layout);
      return [layout.panes, names.length, names.every((name) => areas.includes(name)),
        layouts.restore(null, 'land_cover').panes[layout.id].length];
    })"""
    for panes, names, placed, views in call("views/layouts.js", script):
        assert panes == names == views and placed
        assert 1 <= panes <= 6


def test_there_is_a_layout_for_every_number_of_panes() -> None:
    found = call("views/layouts.js", "({LAYOUTS}) => LAYOUTS.map(({panes}) => panes)")
    assert set(found) == {1, 2, 3, 4, 5, 6}
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("width", "scale", "metres", "text"),
    [
        (10.0, 1.0, 1000, "1 km"),
        (0.5, 1.0, 50, "50 m"),
        (0.3, 4.0, 5, "5 m"),
        (30.0, 0.1, 20_000, "20 km"),
        (0.01, 8.0, 0.1, "10 cm"),
    ],
)
def test_the_scale_bar_is_a_round_length_that_fits(
    width: float, scale: float, metres: float, text: str
) -> None:
    script = "(scale, [w, s]) => scale.scaleBar({width: w, height: 1, north: 0}, s)"
    bar = call("views/scale.js", script, [width, scale])
    assert bar["metres"] == pytest.approx(metres)
    assert bar["text"] == text
    assert bar["length"] == pytest.approx(metres / width * scale)
    assert 40 < bar["length"] <= 120.001


def test_without_a_size_there_is_no_bar() -> None:
    assert call("views/scale.js", "(scale) => scale.scaleBar(null, 1)") is None
