"""Python and JavaScript agree to the pixel on stamps, lines, polygons, fills and run lengths."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser
from scipy import ndimage

from core.patch import encode_runs
from tests.editor.raster_engine import array, call_all, is_trimmed, whole
from tests.editor.raster_reference import (
    CASES,
    NEVER,
    box_mean,
    edges,
    encircle,
    fill,
    levels,
    make_cases,
    origin,
    polygon,
    tidied,
)

CASES_NOW = json.loads(CASES.read_text())
SHAPE = tuple(CASES_NOW["shape"])
RANDOM = 60
Points = list[tuple[float, float]]


@pytest.fixture(scope="module")
def run(request: pytest.FixtureRequest) -> Any:
    def each(fn: str, *arguments: list[Any]) -> list[Any]:
        browser: Browser | None = None
        try:
            return call_all([{"fn": fn, "args": args} for args in arguments], browser, "outline.js")
        except AssertionError as error:
            if "neither Node" not in str(error):
                raise
            browser = request.getfixturevalue("browser")
            return call_all([{"fn": fn, "args": args} for args in arguments], browser, "outline.js")

    return each


def bits(runs: list[int], shape: tuple[int, int]) -> Any:
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(shape)


def as_points(points: Any) -> list[dict[str, float]]:
    return [{"y": y, "x": x} for y, x in points]


def test_stored_cases_are_what_the_reference_makes() -> None:
    assert json.loads(json.dumps(make_cases())) == CASES_NOW


def test_stamps(run: Any) -> None:
    cases = CASES_NOW["stamps"]
    sides = [case["diameter"] for case in cases]
    found = run("lineMask", *[[[0, 0], [0, 0], d, d, d] for d in sides])
    for case, d, mask in zip(cases, sides, found, strict=True):
        np.testing.assert_array_equal(whole(mask, (d, d)), bits(case["runs"], (d, d)))


@pytest.mark.parametrize(("kind", "square"), [("runs", False), ("square", True)])
def test_lines(run: Any, kind: str, square: bool) -> None:
    calls = [
        [origin(c["start"], c["diameter"]), origin(c["end"], c["diameter"]), c["diameter"], *SHAPE]
        for c in CASES_NOW["lines"]
    ]
    found = run("lineMask", *[[*call, square] for call in calls])
    for case, mask in zip(CASES_NOW["lines"], found, strict=True):
        np.testing.assert_array_equal(whole(mask, SHAPE), bits(case[kind], SHAPE))


def test_fills(run: Any) -> None:
    values = [np.array(case["values"], np.uint8) for case in CASES_NOW["fills"]]
    calls = [
        [array(v), *v.shape, *case["seed"]]
        for v, case in zip(values, CASES_NOW["fills"], strict=True)
    ]
    for case, v, mask in zip(CASES_NOW["fills"], values, run("floodFill", *calls), strict=True):
        np.testing.assert_array_equal(whole(mask, v.shape), bits(case["runs"], v.shape))
        assert is_trimmed(mask)


def test_run_lengths_go_both_ways(run: Any) -> None:
    cases = CASES_NOW["runs"]
    given = [np.array(case["bits"], np.uint8) for case in cases]
    assert run("encodeRuns", *[[array(v)] for v in given]) == [case["runs"] for case in cases]
    decoded = run("decodeRuns", *[[case["runs"], len(case["bits"])] for case in cases])
    assert decoded == [case["bits"] for case in cases]


@pytest.mark.parametrize(("fn", "kind"), [("polygonMask", "runs"), ("encircleMask", "encircled")])
def test_polygons(run: Any, fn: str, kind: str) -> None:
    cases = CASES_NOW["polygons"]
    found = run(fn, *[[as_points(case["points"]), *SHAPE] for case in cases])
    for case, mask in zip(cases, found, strict=True):
        expected = bits(case[kind], SHAPE)
        np.testing.assert_array_equal(whole(mask, SHAPE), expected, err_msg=case["name"])
        assert is_trimmed(mask), case["name"]
        assert (mask is None) == (not expected.any()), case["name"]


def random_polygons(seed: int) -> list[Points]:
    """Return polygons whose corners fall on centres, on sides and anywhere, also outside."""
    generator = np.random.default_rng(seed)
    found = []
    for i in range(RANDOM):
        corners = generator.uniform(-30, 120, (int(generator.integers(3, 24)), 2))
        step = (0, 2, 16)[i % 3]
        corners = np.round(corners * step) / step if step else corners
        found.append([(float(y), float(x)) for y, x in corners])
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_random_polygons(run: Any, seed: int) -> None:
    shapes = random_polygons(seed)
    found = run("polygonMask", *[[as_points(points), *SHAPE] for points in shapes])
    for points, mask in zip(shapes, found, strict=True):
        np.testing.assert_array_equal(whole(mask, SHAPE), polygon(points, SHAPE))
    closed = run("encircleMask", *[[as_points(points), *SHAPE] for points in shapes])
    for points, mask in zip(shapes, closed, strict=True):
        np.testing.assert_array_equal(whole(mask, SHAPE), encircle(points, SHAPE))


def test_polygons_that_share_a_side_share_no_pixel_and_leave_none_out(run: Any) -> None:
    generator = np.random.default_rng(3)
    calls = []
    for _ in range(RANDOM):
        # A raster cut in two by a crooked line from top to bottom.
        cut = [(y, float(generator.uniform(5, 85))) for y in (-5.0, 9.5, 20.0, 43.25, 75.0)]
        calls.append([as_points([*cut, (75.0, -9.0), (-5.0, -9.0)]), *SHAPE])
        calls.append([as_points([*cut, (75.0, 99.0), (-5.0, 99.0)]), *SHAPE])
    found = [whole(mask, SHAPE) for mask in run("polygonMask", *calls)]
    for left, right in zip(found[::2], found[1::2], strict=True):
        assert (left ^ right).all()


def test_masks_with_masks(run: Any) -> None:
    shapes = random_polygons(4)
    masks = run("polygonMask", *[[as_points(points), *SHAPE] for points in shapes])
    pairs = [[a, b] for a, b in pairwise(masks)]
    for (a, b), both in zip(pairs, run("unite", *pairs), strict=True):
        np.testing.assert_array_equal(whole(both, SHAPE), whole(a, SHAPE) | whole(b, SHAPE))
    for (a, b), rest in zip(pairs, run("subtract", *pairs), strict=True):
        np.testing.assert_array_equal(whole(rest, SHAPE), whole(a, SHAPE) & ~whole(b, SHAPE))
        assert is_trimmed(rest)


def test_components_of_a_predicate(run: Any) -> None:
    generator = np.random.default_rng(6)
    rasters = [(generator.random((23, 31)) < 0.6).astype(np.uint8) for _ in range(RANDOM)]
    seeds = [(int(generator.integers(23)), int(generator.integers(31))) for _ in rasters]
    calls = [[array(v), *v.shape, *at] for v, at in zip(rasters, seeds, strict=True)]
    for v, at, mask in zip(rasters, seeds, run("component", *calls), strict=True):
        expected = fill(v, *at) if v[at] else np.zeros(v.shape, bool)
        np.testing.assert_array_equal(whole(mask, v.shape), expected)


def test_ids_have_edges_boxes_and_masks(run: Any) -> None:
    generator = np.random.default_rng(7)
    coarse = generator.integers(0, 2, (40, 50))
    ids = ndimage.label(coarse)[0].astype(np.uint16)
    count = int(ids.max()) + 1
    (lines,) = run("edges", [array(ids), *ids.shape])
    np.testing.assert_array_equal(whole(lines, ids.shape), edges(ids))
    (boxes,) = run("idBoxes", [array(ids), *ids.shape, count])
    box_array = {"kind": "Uint16Array", "data": boxes}
    masks = run("idMask", *[[array(ids), 50, box_array, i] for i in range(count + 2)])
    for i, mask in enumerate(masks):
        np.testing.assert_array_equal(whole(mask, ids.shape), ids == i)
        assert is_trimmed(mask)


def test_the_line_around_a_region(run: Any) -> None:
    generator = np.random.default_rng(10)
    rasters = [
        ndimage.label(generator.random((17, 19)) < share)[0]
        for share in np.linspace(0.4, 1.0, RANDOM)
    ]
    regions = [np.asarray(ids == ids.max(), np.uint8) for ids in rasters]
    masks = [{"y0": 3, "x0": 5, "h": 17, "w": 19, "runs": bit_runs(region)} for region in regions]
    paths = run("outerPath", *[[mask] for mask in masks])
    inside = run("polygonMask", *[[path, 40, 40] for path in paths])
    for region, path, mask in zip(regions, paths, inside, strict=True):
        # Holes lie inside the line; diagonal neighbours of the region may close one.
        filled = ndimage.binary_fill_holes(region, np.ones((3, 3)))
        np.testing.assert_array_equal(whole(mask, (40, 40))[3:20, 5:24], filled)
        ends = zip(path, path[1:] + path[:1], strict=True)
        assert all((a["x"] == b["x"]) != (a["y"] == b["y"]) for a, b in ends)
    assert run("outerPath", [{"y0": 0, "x0": 0, "h": 2, "w": 2, "runs": [4]}]) == [[]]


def bit_runs(values: Any) -> list[int]:
    return [int(run) for run in encode_runs(values.astype(np.bool_))]


def random_images(seed: int) -> list[tuple[Any, Any, tuple[int, int]]]:
    """Return small images of few values, so that floods run far; with gaps."""
    generator = np.random.default_rng(seed)
    found = []
    for i in range(RANDOM // 3):
        h, w = (int(n) for n in generator.integers(1, 24, 2))
        steps = generator.integers(0, 1 + 5 * (i % 4 + 1), (1 + i % 3, h, w))
        values = np.minimum(255, steps * (1 if i % 2 else 13)).astype(np.uint8)
        valid = generator.random((h, w)) > 0.1
        found.append((values, valid, (int(generator.integers(h)), int(generator.integers(w)))))
    return found


def test_floods_by_tolerance(run: Any) -> None:
    images = random_images(8)
    calls = [
        [array(values), array(valid.astype(np.uint8)), *values.shape, *seed]
        for values, valid, seed in images
    ]
    found = run("wandLevels", *calls)
    for (values, valid, seed), answer in zip(images, found, strict=True):
        expected = levels(values, valid, *seed)
        np.testing.assert_array_equal(np.reshape(answer, valid.shape), expected)
    cuts = [
        [{"kind": "Uint8Array", "data": answer}, *valid.shape, 20]
        for (_, valid, _), answer in zip(images, found, strict=True)
    ]
    masks = run("withinTolerance", *cuts)
    for (_, valid, _), answer, mask in zip(images, found, masks, strict=True):
        np.testing.assert_array_equal(
            whole(mask, valid.shape), np.reshape(answer, valid.shape) <= 20
        )


@pytest.mark.parametrize("share", [0.5, 0.7, 0.85])
def test_floods_are_tidied(share: float) -> None:
    generator = np.random.default_rng(int(share * 100))
    calls: list[dict[str, Any]] = []
    expected = []
    while len(calls) < RANDOM:
        h, w = (int(n) for n in generator.integers(1, 24, 2))
        found = generator.random((h, w)) < share
        found[: h // 2, : w // 3] = True
        row, col = int(generator.integers(h)), int(generator.integers(w))
        mask = fill(found.astype(np.uint8), row, col)
        if not found[row, col]:
            continue
        beyond = ~found & (generator.random((h, w)) < 0.1)
        levels = np.where(mask, 0, np.where(beyond, NEVER, 9)).astype(np.uint8)
        box = {"y0": 0, "x0": 0, "h": h, "w": w, "runs": [int(run) for run in encode_runs(mask)]}
        calls.append({"fn": "tidied", "args": [box, array(levels), w, row, col]})
        expected.append(tidied(mask, beyond, row, col))
    for answer, wanted in zip(call_all(calls, None, "tidy.js"), expected, strict=True):
        np.testing.assert_array_equal(whole(answer, wanted.shape), wanted)


def test_means_around_pixels(run: Any) -> None:
    planes = [values[0] for values, _, _ in random_images(9)]
    calls = [[array(v), *v.shape, i % 4] for i, v in enumerate(planes)]
    for i, (v, answer) in enumerate(zip(planes, run("boxMean", *calls), strict=True)):
        np.testing.assert_array_equal(np.reshape(answer, v.shape), box_mean(v, i % 4))
