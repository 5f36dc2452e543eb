"""OpenEarthMap-SAR, the layout of DFC2025 Track 1.

The same stem is the same tile. Training labels are pseudo-labels. Validation and test tiles come
with SAR alone; archives of their own hold their labels, drawn by people, which become the truth
that validation is scored on.

The organisers' code for domain adaptation names lists in `uda_splits`, which were not handed out
with it: `train_pseudo_france_source.txt`, `test_real_france_target.txt`. Lists of such names, your
own too, become ways of splitting: from the domains of a source to those of a target.
"""

from core.classes import OPEN_EARTH_MAP_SAR
from core.found import Finding
from core.records import Modality, Split
from data.readers.spec import Files, ListFile, ReadWays, Spec, Way
from data.readers.spec_files import Listing, Match
from data.readers.spec_reader import SpecReader
from data.readers.spec_splits import lines, read_lists

UDA = (
    "uda_splits/{part:train|val|test}_{labels:pseudo|real}_{domains}"
    r"_{role:source|target}[_{version:v\d+}].txt"
)


def uda_ways(listing: Listing, findings: list[Finding]) -> ReadWays:
    """Return a way of splitting for each source that is trained on and each target held out.

    Source lists of training are trained on; the target's validation and test lists are held out,
    by labels that people drew where both kinds are there. Target lists of training are for methods
    that adapt to images without labels: their tiles are left out, so that no label of the target
    is trained on.
    """
    found = listing.of(UDA)
    held = {
        (match.names["domains"], match.names["part"]): match
        for match in sorted(found, key=lambda match: match.names["labels"])  # real last
        if match.names["role"] == "target" and match.names["part"] != "train"
    }
    made: ReadWays = {}
    for source in found:
        if (source.names["role"], source.names["part"]) != ("source", "train"):
            continue
        for target in sorted({domains for domains, _ in held}):
            parts = {part: held[target, part] for part in ("val", "test") if (target, part) in held}
            name = f"uda {_source_in_words(source)} to {target}"
            lists = [
                (ListFile(UDA, Split(part), lines), match.path)
                for part, match in {"train": source, **parts}.items()
            ]
            made[name] = read_lists(Way(name, (), "out"), lists, findings)
    return made


def _source_in_words(match: Match) -> str:
    names = match.names
    real = " (real labels)" if names["labels"] == "real" else ""
    return names["domains"] + (f" {names['version']}" if names.get("version") else "") + real


SPEC = Spec(
    key="oem_sar",
    title="OpenEarthMap-SAR (DFC2025 Track 1)",
    files=(
        Files(
            "{split}/rgb_images/{tile}.tif",
            Modality.OPTICAL,
            bands=("red", "green", "blue"),
            acquisition="clear",
        ),
        Files("{split}/sar_images/{tile}.tif", Modality.SAR, bands=("amplitude",), mark=True),
        Files("{split}/labels/{tile}.tif", Modality.LABEL),
    ),
    classes=OPEN_EARTH_MAP_SAR,
    preset="dfc25_t1",
    ways_there=uda_ways,
    tables=(UDA,),
    licence="SAR CC BY 4.0 (Umbra); IGN optical CC BY 2.0; NAIP and GSI under terms of their own",
    source="Zenodo 14622048 (train and val), 14950559 (test, labels of val and test)",
    page="open-earth-map-sar.md",
    opened_on="real files",
)
READER = SpecReader(SPEC)
