"""A project as a folder for training elsewhere: on several GPUs, or where there is no Cloudbrush.

    python -m models.project_folder WORKSPACE PROJECT FOLDER [--request REQUEST.json]

FOLDER gets what `models.train_distributed` reads: the tiles that may be learnt from as plain
arrays, those that the run is watched on, and its settings. What comes back, `network.safetensors`
with its card, is taken in by Train > Add a weights file > Model of Cloudbrush.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from core import catalogue
from core.errors import CloudbrushError, NotFound
from core.records import Project
from core.settings import load_settings
from core.store.engine import Store, open_store
from models.plan import plan
from models.request import RetrainRequest, request_of
from models.retrain import watched_samples
from models.train_distributed import write_run
from models.validation_set import validation_tiles


def write_project(store: Store, project: Project, request: RetrainRequest, folder: Path) -> None:
    """Write the training set of a request, from the labels of now, as a run in `folder`.

    Recipes train several networks in turn and are not for folders; a run begins from scratch.
    Raises `CloudbrushError` for a recipe, for a folder that holds something, and as `plan` does.
    """
    if request.recipe != "plain":
        raise CloudbrushError(
            "recipe",
            found=request.recipe,
            expected="plain",
            todo="Recipes run on the Train page.",
        )
    if folder.exists() and any(folder.iterdir()):
        raise CloudbrushError(str(folder), found="files", expected="a new or an empty folder")
    validation = validation_tiles(store, project)
    planned, found = plan(store, project, replace(request, start="scratch"), validation)
    watched = watched_samples(store, project, planned, validation)
    write_run(folder, planned.config, found.samples, watched, codes=project.classes.codes)


def main() -> None:
    """Read the command line and write the folder."""
    parser = argparse.ArgumentParser(description="Write a project as a folder to train from.")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("project", help="its name or number")
    parser.add_argument("folder", type=Path, help="where to write; new or empty")
    parser.add_argument("--request", type=Path, help="settings of the run as JSON, see docs")
    given = parser.parse_args()
    store = open_store(load_settings(workspace=given.workspace))
    try:
        known = catalogue.projects(store)
        named = [p for p in known if given.project in (p.name, str(p.id))]
        if not named:
            names = ", ".join(f"{p.id} {p.name}" for p in known)
            raise NotFound(f"project {given.project}", expected=f"one of {names}")
        asked = json.loads(given.request.read_text()) if given.request else {}
        write_project(store, named[0], request_of(asked), given.folder)
    except (CloudbrushError, OSError, ValueError) as error:
        parser.exit(1, f"{error}\n")
    finally:
        store.close()


if __name__ == "__main__":
    main()
