"""Models of Cloudbrush that come as files: the zip of a model card, or weights beside their card.

The file is hostile until `models.registry` has checked it. Of its card only what a map needs is
kept: what it says of tiles and scores is about another workspace.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core import catalogue
from core.errors import ModelFileError
from core.raster import check_allowed
from core.records import Modality, ModelRecord, Project
from core.store.engine import Store
from models.model_files import MAX_CARD_BYTES, MAX_WEIGHTS_BYTES, LoadedModel, load
from models.registry import save_model

OWN = "cloudbrush"
MEMBERS = {"model.safetensors": MAX_WEIGHTS_BYTES, "model.json": MAX_CARD_BYTES}
"""What a zip must hold, and the most bytes of each."""

KEPT = ("views", "valid_area", "post")


def add_own(
    store: Store, project: Project, path: Path | str, roots: Sequence[Path], name: str = ""
) -> ModelRecord:
    """Keep a model that this app trained elsewhere; it predicts as it is.

    Raises `ModelFileError` where classes or bands are not those of the project, or the file is no
    model, and `DatasetError` for a path that may not be read; nothing is kept then.
    """
    full = check_allowed(path, roots)
    model = read_own(full)
    if model.codes != project.classes.codes:
        raise ModelFileError(
            full.name,
            found=f"classes {', '.join(map(str, model.codes))}",
            expected=f"those of {project.name}: {', '.join(map(str, project.classes.codes))}",
            todo="Add it to a project with the same class table.",
        )
    _check_bands(store, project, model, full)
    card: dict[str, Any] = {key: model.card[key] for key in KEPT if key in model.card}
    card["config"] = {"mixed_precision": model.mixed_precision}
    card["trained_on"] = f"{full.name}, a model of Cloudbrush from another place"
    title = name.strip() or str(model.card.get("name", full.stem))[:80]
    return save_model(store, project.id, model.network, model.codes, title, card)


def read_own(path: Path) -> LoadedModel:
    """Return the model of a zip or of a weights file with its card; raises `ModelFileError`."""
    if path.suffix.lower() != ".zip":
        return load(path)
    with TemporaryDirectory() as folder:
        _unpack(path, Path(folder))
        return load(Path(folder) / "model.safetensors")


def _unpack(path: Path, folder: Path) -> None:
    """Write the two members to a folder. What a zip claims of their size is not believed."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name, most in MEMBERS.items():
                left = most
                with archive.open(name) as packed, (folder / name).open("wb") as out:
                    while piece := packed.read(min(1 << 20, left + 1)):
                        left -= len(piece)
                        if left < 0:
                            raise ModelFileError(
                                f"{path.name}, {name}",
                                found=f"more than {most:,} bytes",
                                expected="the file of a model",
                            )
                        out.write(piece)
    except (OSError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise ModelFileError(
            path.name,
            found=str(error) or type(error).__name__,
            expected=f"a zip with {' and '.join(MEMBERS)}",
            todo="Take it from the card of the model: Card, then the zip.",
        ) from error


def _check_bands(store: Store, project: Project, model: LoadedModel, path: Path) -> None:
    """Compare the inputs of a model with the images of the project's first tile."""
    tiles = catalogue.tiles(store, project.id)
    known = {}
    for modality, bands in model.network.spec.bands.items():
        layers = catalogue.layers(store, tiles[0].id, modality=Modality(modality)) if tiles else []
        if layers:
            known[modality] = (bands, len(layers[0].bands))
    wrong = [name for name, (asked, there) in known.items() if asked != there]
    if known and not wrong:
        return
    asked = model.network.spec.bands
    raise ModelFileError(
        path.name,
        found=" and ".join(f"{name} of {count} bands" for name, count in asked.items()),
        expected=" and ".join(f"{name} of {known[name][1]} bands" for name in wrong)
        or f"an input that the tiles of {project.name} have",
    )
