"""BRIGHT, and the layout of DFC2025 Track 2: optical before, SAR after, building damage.

Flat, or below `train/` and `val/` as in the contest. An id is `EVENT_NUMBER`, where EVENT may hold
underscores. All published lists are known; of the two cross-event protocols (zero-shot, one-shot)
each event's lists are made from them, as the benchmark's own code does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.classes import BRIGHT
from core.errors import DatasetError
from core.found import Finding
from core.records import Modality, Split
from data.readers.coco_instances import read_instances
from data.readers.spec import Facts, Files, ListFile, Lists, Names, Spec, Way
from data.readers.spec_files import Listing
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import lines

NOT_FREE = "its optical images may not be handed on; BRIGHT's tutorial says how to rebuild them"
OUTLINES = "target_instance_level/{tile}_instance_damage.json"
DAMAGE = {entry.code: entry.name.lower() for entry in BRIGHT.entries if entry.code}
STANDARD, FEW_SHOT = "standard_ML", "few_shot"


def event_of(tile: str) -> str:
    """Return the event of a tile id: all before the last underscore."""
    return tile.rsplit("_", 1)[0]


def _region(names: Names) -> str:
    return event_of(names["tile"])


def outlines(listing: Listing) -> Facts:
    """Return what the outlines of single buildings hold, by damage, and which files are broken."""
    findings: list[Finding] = []
    counted: Counter[int] = Counter()
    files = empty = 0
    for match in listing.of(OUTLINES):
        try:
            found = read_instances(match.path, tuple(DAMAGE))
        except DatasetError as error:
            findings.append(Finding("warning", str(match.path), f"outlines not counted: {error}"))
            continue
        counted += found.by_category
        empty += found.empty_boxes
        files += 1
    if files:
        words = ", ".join(f"{counted[code]} {name}" for code, name in DAMAGE.items())
        text = f"{counted.total()} buildings outlined in {files} files: {words}"
        text += f"; {empty} with an empty box not counted" if empty else ""
        findings.append(Finding("info", OUTLINES, text))
    return Facts(findings=findings)


def _list(pattern: str, split: Split, *also: str) -> ListFile:
    return ListFile(pattern, split, lines, also=also)


def cross_event(read: Mapping[str, Lists], names: Sequence[str]) -> dict[str, Lists]:
    """Return the zero-shot and one-shot splits of each event of the standard lists.

    Zero-shot: the event's tiles are the test; of the others, training and test tiles are trained
    on and validation tiles validate. One-shot moves the event's two few-shot tiles from the test to
    training and validation.
    """
    standard, few = read.get(STANDARD, {}), read.get(FEW_SHOT, {})
    made: dict[str, Lists] = {}
    for event in sorted({event_of(tile) for tile in standard}):
        zero = {
            tile: Split.TEST
            if event_of(tile) == event
            else (Split.VAL if split is Split.VAL else Split.TRAIN)
            for tile, split in standard.items()
        }
        made[f"zero-shot {event}"] = zero
        own = {tile: split for tile, split in few.items() if event_of(tile) == event}
        if own:
            made[f"one-shot {event}"] = zero | own
    return made


SPEC = Spec(
    key="bright",
    title="BRIGHT building damage (DFC2025 Track 2)",
    files=(
        Files(
            "[{split}/]pre-event/{tile}_pre_disaster.tif",
            Modality.OPTICAL,
            bands=("red", "green", "blue"),
            acquisition="pre-event",
            gaps=dict.fromkeys(
                ("ukraine-conflict", "myanmar-hurricane", "mexico-hurricane"), NOT_FREE
            ),
        ),
        Files(
            "[{split}/]post-event/{tile}_post_disaster.tif",
            Modality.SAR,
            bands=("amplitude",),
            name="post-event",
            mark=True,
        ),
        Files("[{split}/]target/{tile}_building_damage.tif", Modality.LABEL),
        Files(
            OUTLINES,
            None,
            why_out="outlines of single buildings, checked and counted; the map is corrected",
        ),
    ),
    classes=BRIGHT,
    preset="dfc25_t2",
    kind="damage",
    region=_region,
    facts=outlines,
    ways=(
        Way(
            STANDARD,
            (
                _list("standard_ML/train_set.txt", Split.TRAIN),
                _list("standard_ML/val_set.txt", Split.VAL),
                _list("standard_ML/test_set.txt", Split.TEST),
            ),
            rest="out",
        ),
        Way(
            "dfc25",
            (
                _list("dfc25/train_set.txt", Split.TRAIN, "train_setlevel.txt"),
                _list("dfc25/holdout_set.txt", Split.VAL, "holdout_setlevel.txt"),
                _list("dfc25/val_set.txt", Split.VAL, "val_setlevel.txt"),
                _list("dfc25/test_set.txt", Split.TEST),
            ),
            rest="out",
        ),
        Way(
            "cvprw26",
            (
                _list("splits/train_set.txt", Split.TRAIN),
                _list("splits/holdout_set.txt", Split.VAL),
                _list("splits/val_set.txt", Split.TEST),
            ),
            rest="out",
        ),
        Way(
            "cvprw26 with extra",
            (
                _list("splits/train_set_extra.txt", Split.TRAIN),
                _list("splits/holdout_set.txt", Split.VAL),
                _list("splits/val_set.txt", Split.TEST),
            ),
            rest="out",
        ),
        Way(
            "umcd",
            (
                _list("train_umcd.txt", Split.TRAIN),
                _list("evaluation_umcd.txt", Split.TEST),
            ),
            rest="out",
        ),
        Way(
            "umcd subset",
            (
                _list("train_umcd_subset.txt", Split.TRAIN),
                _list("evaluation_umcd_subset.txt", Split.TEST),
            ),
            rest="out",
        ),
        Way(
            FEW_SHOT,
            (
                _list("few_shot/train_set.txt", Split.TRAIN),
                _list("few_shot/val_set.txt", Split.VAL),
            ),
            rest=Split.TEST,
        ),
        Way(
            "lists beside the tiles",
            (
                _list("train_set.txt", Split.TRAIN),
                _list("holdout_set.txt", Split.VAL),
                _list("val_set.txt", Split.VAL),
                _list("test_set.txt", Split.TEST),
            ),
        ),
    ),
    more_ways=cross_event,
    licence="by event and kind: optical and labels mostly CC BY-NC 4.0, SAR and IGN CC BY 4.0",
    source="Zenodo 14619797; Hugging Face Kullervo/BRIGHT; lists in ChenHongruixuan/BRIGHT",
    page="bright.md",
)
READER = SpecReader(SPEC)
