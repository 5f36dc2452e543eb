"""The files of one prediction: a class map, and the probabilities of all classes where kept."""

from pathlib import Path


def probabilities_beside(path: Path) -> Path:
    """Return where the probabilities of a class map lie, whether they were kept or not."""
    return path.with_name(f"{path.stem}-probabilities{path.suffix}")


def unlink_map(path: Path) -> None:
    """Delete a class map and its probabilities; what is not there is no error."""
    path.unlink(missing_ok=True)
    probabilities_beside(path).unlink(missing_ok=True)
