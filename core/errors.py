"""Errors for people: what was found, what was expected, what to do next.

One root, `CloudbrushError`; each error is also the builtin that a Python programmer would expect.
Pages and routes show `str(error)` of the root and let everything else fail loudly.
"""


class CloudbrushError(Exception):
    """Root of every error that a person may read.

    `where` names the file or field; the message is built here so that all read alike.
    """

    def __init__(self, where: str, *, found: str = "", expected: str = "", todo: str = "") -> None:
        self.where, self.found, self.expected, self.todo = where, found, expected, todo
        parts = []
        if found:
            parts.append(f"found {found}")
        if expected:
            parts.append(f"expected {expected}")
        message = where + (": " + "; ".join(parts) if parts else "") + "."
        super().__init__(f"{message} {todo}".strip())


class SettingsError(CloudbrushError, ValueError):
    """A setting, environment variable or flag cannot be used."""


class RasterError(CloudbrushError, OSError):
    """A raster cannot be opened or read."""


class GridMismatch(CloudbrushError, ValueError):
    """Two layers do not lie on the same ground."""


class ClassTableError(CloudbrushError, ValueError):
    """A class table is not valid, or a raster holds a value that it does not name."""


class DatasetError(CloudbrushError, ValueError):
    """A folder cannot be imported as the dataset that it seemed to be."""


class NotFound(CloudbrushError, LookupError):
    """A project, tile, layer, model or job does not exist."""


class BadPatch(CloudbrushError, ValueError):
    """A patch is malformed, oversized, outside its tile or holds unknown classes."""


class NotEditable(CloudbrushError, PermissionError):
    """The tile is a frozen or validation tile and takes no edits."""


class AccessDenied(CloudbrushError, PermissionError):
    """A token is missing, forged, expired or meant for something else."""


class LeakError(CloudbrushError, ValueError):
    """A validation tile would be trained on."""


class ModelFileError(CloudbrushError, ValueError):
    """Weights or their card cannot be used."""


class JobError(CloudbrushError, RuntimeError):
    """A job cannot be queued, or ended without a result."""


class Cancelled(CloudbrushError, RuntimeError):
    """Work was stopped because a person asked for it."""
