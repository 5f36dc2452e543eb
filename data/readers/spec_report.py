"""What a person should know of a folder before importing it: gaps, leaks, files left out."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from core.found import Finding, FoundTile
from core.records import Split
from data.readers.base import some
from data.readers.spec import Files, Lists, Spec, Way
from data.readers.spec_files import Listing
from data.readers.spec_splits import leaks_between

MERGED = 5  # findings of one text that are listed apart


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings; where many say the same, one stands for all in its folder."""
    alike: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        folder, _, _ = finding.where.rpartition("/")
        alike[finding.level, finding.message, folder].append(finding)
    kept: list[Finding] = []
    for (_, message, folder), same in alike.items():
        if len(same) <= MERGED:
            kept += same
        else:
            names = some(Path(finding.where).name for finding in same)
            kept.append(replace(same[0], where=folder, message=f"{message} ({names})"))
    return kept


def report_lists(
    root: Path,
    chosen: str,
    ways: Mapping[str, tuple[Way, Lists]],
    names: Collection[str],
    findings: list[Finding],
) -> None:
    """Report listed tiles without files, and leaks to the other ways of splitting."""
    lists = ways[chosen][1]
    others = [name for name in ways if name != chosen]
    if others:
        text = f"split by {chosen}; the lists also allow {some(others, 8)}"
        findings.append(Finding("info", str(root), text))
    absent = [name for name in lists if name not in names]
    if absent:
        text = f"{len(absent)} of {len(lists)} listed tiles have no file here: {some(absent)}"
        findings.append(Finding("warning", chosen, text))
    read = {name: found for name, (way, found) in ways.items() if way.lists}
    for other, counts in leaks_between(chosen, lists, read):
        held = ", ".join(f"{count} in {split}" for split, count in counts.items())
        text = f"leak: test tiles of {other} under {chosen}: {held}; never mix the two"
        findings.append(Finding("info", other, text))


def report(
    spec: Spec,
    listing: Listing,
    tiles: Sequence[FoundTile],
    present: Mapping[int, set[str]],
    findings: list[Finding],
) -> None:
    """Report missing partners, rasters of no pattern, and that nothing is held out."""
    for number, kind in enumerate(spec.files):
        if kind.modality and kind.wanted:
            _report_missing(kind, present[number], tiles, findings)
    for folder, count in sorted(listing.others.items()):
        text = f"{count} rasters fit no pattern of this dataset; left out"
        findings.append(Finding("info", str(listing.root / folder), text))
    if all(tile.split is Split.TRAIN for tile in tiles):
        text = "nothing is held out: every tile is for training; reserve some as validation"
        findings.append(Finding("info", str(listing.root), text))


def _report_missing(
    kind: Files, present: set[str], tiles: Sequence[FoundTile], findings: list[Finding]
) -> None:
    groups: dict[tuple[Split, str], list[str]] = defaultdict(list)
    totals: Counter[tuple[Split, str]] = Counter()
    for tile in tiles:
        key = (tile.split, tile.region)
        totals[key] += 1
        if tile.name not in present:
            groups[key].append(tile.name)
    for (split, region), names in sorted(groups.items()):
        of = f" of {region}" if region else ""
        why = kind.gaps.get(region, "")
        # Archives of held-out tiles leave files out on purpose; in the training part it is odd.
        level: Literal["warning", "info"] = "warning" if split is Split.TRAIN else "info"
        text = f"{len(names)} of {totals[split, region]} {split} tiles{of} have no file here: "
        text += some(names) + (f" ({why})" if why else "")
        findings.append(Finding(level, kind.pattern, text))
