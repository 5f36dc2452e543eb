"""What holds for every declared dataset: its page, its rules, and that it is known by its files."""

import re
from pathlib import Path

import numpy as np
import pytest

from core.classes import ClassTable
from core.errors import DatasetError
from core.presets import PRESETS
from core.records import Modality, Split
from data.readers import READERS, recognised
from data.readers.spec import Files, ListFile, Spec, Way, filled
from data.readers.spec_files import compiled, walk
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import columns, first_column, lines, overlaps, stem, table
from tests.fixtures import (
    bigearthnet,
    bright,
    cloudlulc,
    cloudsen12,
    dfc2020,
    gamus,
    kuro_siwo,
    landcover_ai,
    m3leo,
    oam_tcd,
    oem_sar,
    open_earth_map,
    quakeset,
    sen1floods11,
    sen4agrinet,
    so2sat,
    spacenet6,
)
from tests.fixtures.base import ground, image, write, write_list

ROOT = Path(__file__).resolve().parents[3]
SPECS = [reader.spec for reader in READERS if isinstance(reader, SpecReader)]


def rows_of(page: Path) -> dict[str, str]:
    """Return the rows of the table of datasets by the page that they point at."""
    found = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        link = re.search(r"\]\((?:docs/datasets/)?([\w-]+\.md)", line)
        if link and line.startswith("|"):
            found[link[1]] = line
    return found


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_every_dataset_has_its_page_and_says_what_it_was_opened_on(spec: Spec) -> None:
    text = (ROOT / "docs/datasets" / spec.page).read_text(encoding="utf-8")
    for heading in ("## Source and terms", "## Layout", "## Classes", "## Traps"):
        assert heading in text, f"{spec.page} lacks {heading}"
    for page in (ROOT / "README.md", ROOT / "docs/datasets/README.md"):
        assert spec.opened_on in rows_of(page)[spec.page]
    assert spec.preset in PRESETS
    assert spec.licence
    assert spec.source


def test_keys_and_titles_are_told_apart() -> None:
    for names in ([reader.key for reader in READERS], [reader.title for reader in READERS]):
        assert len(set(names)) == len(names)


@pytest.mark.long
def test_each_layout_is_known_by_its_files_alone(tmp_path: Path) -> None:
    """No declaration claims the files of another; in a mixed folder all are offered."""
    makers = {
        "bright": lambda root: bright.make(root, ("a-flood_00000001",)),
        "cloudlulc": cloudlulc.make,
        "dfc2020": dfc2020.make_contest,
        "sen12ms": dfc2020.make_sen12ms,
        "oem_sar": oem_sar.make,
        "bigearthnet": bigearthnet.make,
        "cloudsen12": cloudsen12.make,
        "gamus": gamus.make,
        "kuro_siwo": kuro_siwo.make,
        "landcover_ai": landcover_ai.make,
        "m3leo": m3leo.make,
        "oam_tcd": oam_tcd.make,
        "open_earth_map": open_earth_map.make,
        "quakeset": quakeset.make,
        "sen1floods11": sen1floods11.make,
        "sen4agrinet": sen4agrinet.make,
        "so2sat": so2sat.make,
        "spacenet6": spacenet6.make,
    }
    declared = {spec.key for spec in SPECS} - {"bigearthnet_lists"}  # the same files as the map
    assert declared == set(makers)
    for key, make in makers.items():
        make(tmp_path / key)
        found = {reader.key for reader, _ in recognised(tmp_path / key)}
        assert found & declared == {key}
    assert declared <= {reader.key for reader, _ in recognised(tmp_path)}


# The engine, on a dataset of this test's own.

TABLE = ClassTable("toy", SPECS[0].classes.entries, 0)  # type: ignore[union-attr]


def toy(**given: object) -> SpecReader:
    """Return a reader of a toy dataset in which what is given differs."""
    plain: dict[str, object] = {
        "key": "toy",
        "title": "Toy",
        "files": (
            Files(
                "s2/{tile}_{date:\\d{8}}_{band:B\\d\\d}.tif",
                Modality.OPTICAL,
                bands=("B04", "B02"),
                acquisition="{date}",
                date="{date}",
            ),
            Files("[{split}/]label/{tile}.tif", Modality.LABEL, mark=True, codes={9: 0}),
        ),
        "classes": TABLE,
        "preset": "plain",
        "licence": "",
        "source": "",
        "page": "",
        "region": "{tile}",
    }
    return SpecReader(Spec(**(plain | given)))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for tile in ("a", "b"):
        for date in ("20240315", "20240402"):
            for band in ("B02", "B04"):
                write(tmp_path / f"s2/{tile}_{date}_{band}.tif", ground(1, 8, (1, 2), 2))
        write(tmp_path / f"label/{tile}.tif", ground(1, 8, (1, 2), 2))
    return tmp_path


def test_single_bands_are_stacked_in_declared_order_by_date(folder: Path) -> None:
    first, *_ = toy().find(folder).tiles
    optical = [la for la in first.layers if la.modality is Modality.OPTICAL]
    assert [la.date for la in optical] == ["2024-03-15", "2024-04-02"]
    assert [path.stem for path, _ in optical[0].sources] == ["a_20240315_B04", "a_20240315_B02"]
    assert first.layers[-1].code_map == {9: 0}
    assert first.region == "a"


def test_a_way_of_splitting_decides_what_becomes_of_the_rest(folder: Path) -> None:
    write_list(folder / "train.txt", ["a.tif"])
    lists = (ListFile("train.txt", Split.TRAIN, lines),)

    def splits(rest: object) -> dict[str, Split]:
        way = Way("lists", lists, rest=rest)  # type: ignore[arg-type]
        return {tile.name: tile.split for tile in toy(ways=(way,)).find(folder).tiles}

    assert splits("out") == {"a": Split.TRAIN}
    assert splits("folder") == {"a": Split.TRAIN, "b": Split.TRAIN}
    assert splits(Split.TEST) == {"a": Split.TRAIN, "b": Split.TEST}


def test_a_list_never_moves_a_held_out_folder_into_training(folder: Path) -> None:
    write(folder / "test/label/c.tif", ground(1, 8, (1, 2), 2))
    write_list(folder / "train.txt", ["a", "c"])
    ways = (Way("lists", (ListFile("train.txt", Split.TRAIN, lines),)),)
    found = toy(ways=ways).find(folder)
    (held,) = [tile for tile in found.tiles if tile.name == "c"]
    assert held.split is Split.TEST
    assert held.layers[0].modality is Modality.TRUTH
    assert toy(ways=ways).find(folder, "folders").way == "folders"


def test_words_of_tables_that_are_no_split_are_reported(folder: Path) -> None:
    (folder / "splits.csv").write_text("name;part\na.tif;training\nb.tif;someday\n")
    way = Way("table", (ListFile("splits.csv", None, columns("name", "part")),))
    found = toy(ways=(way,)).find(folder)
    assert any("found split 'someday'" in f.message for f in found.findings)
    (folder / "splits.csv").write_text("name,part\na.tif,training\nb.tif,valid\n")
    assert [tile.split for tile in toy(ways=(way,)).find(folder).tiles] == [Split.TRAIN, Split.VAL]


def test_many_findings_of_one_kind_become_one(folder: Path) -> None:
    for number in range(9):
        write(folder / f"copy/label/{'ab'[number % 2]}.tif", ground(1, 8, (1, 2), 2))
        write(folder / f"copy{number}/label/a.tif", ground(1, 8, (1, 2), 2))
    found = toy().find(folder)
    twice = [f for f in found.findings if "already" in f.message]
    assert 2 <= len(twice) <= 11


def test_lists_are_read_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfa.tif\r\n\r\n  sub/b.TIF \nc")
    assert [name for name, _ in lines(path)] == ["a", "b", "c"]
    path.write_text("x/a.tif,1\nb,2\n")
    assert [name for name, _ in first_column(path)] == ["a", "b"]
    assert stem("S2A_MSIL2A_20170613.SAFE_0_1") == "S2A_MSIL2A_20170613.SAFE_0_1"
    path.write_text("name\tsplit\na\ttrain\n")
    assert table(path) == [{"name": "a", "split": "train"}]
    with pytest.raises(DatasetError, match="expected a column tile"):
        list(columns("tile", "split")(path))
    assert overlaps({"x": ["a", "b"], "y": ["b"], "z": ["c"]}) == {("x", "y"): {"b"}}


@pytest.mark.parametrize(
    ("pattern", "path", "names"),
    [
        ("a/{tile}.tif", "deep/er/a/x.tif", {"tile": "x"}),
        ("a/[p_]{tile}.tif", "a/p_x.tif", {"tile": "x"}),
        ("{t}/{t}_{n:\\d+}.tif", "ab/ab_12.tif", {"t": "ab", "n": "12"}),
        ("{t}/{t}_{n:\\d+}.tif", "ab/cd_12.tif", None),
        ("{split}/{tile}.tif", "holdout/x.tif", {"split": "holdout", "tile": "x"}),
        ("{split}/{tile}.tif", "somewhere/x.tif", None),
        ("{d:\\d{4}}*.tif", "2024-any.tif", {"d": "2024"}),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, path: str, names: dict[str, str] | None) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    found = walk(tmp_path, [pattern], (".tif",))
    assert [match.names for match in found.of(pattern)] == ([names] if names else [])
    assert sum(found.others.values()) == (names is None)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(DatasetError, match="pattern"):
        compiled("a/{tile:(}.tif")
    assert filled("{a}-{b}", {"a": "1"}) == "1-"


def test_lists_are_not_read_through_links_that_lead_out(folder: Path) -> None:
    secret = write_list(folder.parent / "secret.txt", ["a", "b"])
    (folder / "train.txt").symlink_to(secret)
    found = walk(folder, ["train.txt"], ())
    assert not found.of("train.txt")
    write_list(folder / "lists.txt", ["a"])
    (folder / "val.txt").symlink_to(folder / "lists.txt")
    assert walk(folder, ["val.txt"], ()).of("val.txt")


def test_fixtures_can_be_learnt() -> None:
    """The mean of each class on one tile names most pixels of another."""
    codes = range(1, 9)
    tiles = [ground(seed, 64, codes) for seed in (1, 2)]
    seen, new = (image(seed, labels, 3, 1, 255) for seed, labels in enumerate(tiles))
    means = np.array([seen[:, tiles[0] == code].mean(1) for code in codes])
    nearest = np.abs(new[None] - means[:, :, None, None]).sum(1).argmin(0) + 1
    assert (nearest == tiles[1]).mean() > 0.9


def test_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    assert list(recognised(tmp_path)) == []
