"""Where the rasters of clouds lie in the workspace. Light: the catalogue deletes them by it."""

import shutil
from pathlib import Path

from core.store.engine import Store

FOLDER = "clouds"


def cloud_folder(store: Store, project_id: int) -> Path:
    """Return the folder of a project's cloud rasters and simulated images, made if missing."""
    return store.folder(FOLDER, f"project-{project_id}")


def forget_files(store: Store, project_id: int) -> None:
    """Delete the rasters kept for a project; call it once the database has forgotten it."""
    shutil.rmtree(store.workspace / FOLDER / f"project-{project_id}", ignore_errors=True)
