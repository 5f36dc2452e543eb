"""OpenEarthMap-SAR, the layout of DFC2025 Track 1.

`{train,val,test}/{rgb_images,sar_images,labels}/STEM.tif`; the same stem is the same tile. Training
labels are pseudo-labels. Validation and test tiles may lack optical images and labels. Their
labels, where present, were drawn by people: they become the truth that validation is scored on.
"""

from pathlib import Path
from typing import Literal

from core.classes import OPEN_EARTH_MAP_SAR
from core.errors import DatasetError
from core.found import Finding, FoundDataset, FoundLayer, FoundTile
from core.records import Modality, Split, Unit
from data.readers.base import bands, rasters, some

WRAPPERS = (".", "dfc25_track1_trainval", "dfc25_track1")
FOLDERS = ("rgb_images", "sar_images", "labels")


class OemSarReader:
    """Reads OpenEarthMap-SAR as it comes from the contest's archives."""

    key = "oem_sar"
    title = "OpenEarthMap-SAR (DFC2025 Track 1)"

    def recognise(self, root: Path) -> str | None:
        """Return what gave the layout away, or None."""
        for base in _bases(root):
            for split in Split:
                part = base / split.value
                if rasters(part / "sar_images") and not (part / "post-event").exists():
                    beside = [name for name in FOLDERS if (part / name).is_dir()]
                    return f"{part.relative_to(root)} holds {', '.join(beside)}"
        return None

    def find(self, root: Path) -> FoundDataset:
        """Return the tiles of all three splits by file stem."""
        tiles: list[FoundTile] = []
        findings: list[Finding] = []
        for base in _bases(root):
            for split in Split:
                _find_split(base / split.value, split, tiles, findings)
        if not tiles:
            raise DatasetError(
                str(root),
                found="no raster in train, val or test",
                expected="train/sar_images/*.tif, train/rgb_images/*.tif and train/labels/*.tif",
            )
        return FoundDataset(
            reader=self.key,
            title=self.title,
            why=self.recognise(root) or "",
            root=root,
            kind="land_cover",
            classes=OPEN_EARTH_MAP_SAR,
            preset="dfc25_t1",
            tiles=tuple(tiles),
            findings=tuple(findings),
        )


def _bases(root: Path) -> list[Path]:
    """Return the folders that may hold train, val and test: this one or an unpacked archive's."""
    return [root / name for name in WRAPPERS if (root / name).is_dir()]


def _find_split(part: Path, split: Split, tiles: list[FoundTile], findings: list[Finding]) -> None:
    optical, sar, labels = (rasters(part / name) for name in FOLDERS)
    for stem in sorted({*optical, *sar, *labels}):
        layers = []
        if stem in optical:
            layers.append(
                FoundLayer(
                    Modality.OPTICAL,
                    bands(optical[stem], 3),
                    ("red", "green", "blue"),
                    acquisition="clear",
                )
            )
        if stem in sar:
            layers.append(FoundLayer(Modality.SAR, bands(sar[stem], 1), ("amplitude",)))
        if stem in labels:
            kind = Modality.LABEL if split is Split.TRAIN else Modality.TRUTH
            layers.append(FoundLayer(kind, bands(labels[stem], 1), ("class",), Unit.CODE))
        tiles.append(FoundTile(stem, "", split, tuple(layers)))
    _report_missing(part, split, (optical, sar, labels), findings)


def _report_missing(
    part: Path, split: Split, found: tuple[dict[str, Path], ...], findings: list[Finding]
) -> None:
    stems = {stem for files in found for stem in files}
    for name, files in zip(FOLDERS, found, strict=True):
        missing = stems - set(files)
        if missing:
            # Contest archives leave these out on purpose; in the training part it is odd.
            level: Literal["warning", "info"] = "warning" if split is Split.TRAIN else "info"
            text = f"{len(missing)} of {len(stems)} tiles have no file here: {some(missing)}"
            findings.append(Finding(level, str(part / name), text))
