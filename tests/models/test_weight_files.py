"""Files of weights are read as tensors alone, from the folders that may be read."""

import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.errors import DatasetError, ModelFileError
from models.weight_files import read_tensors


class Hostile:
    """What a pickle can do when it is opened."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.target,))


def test_hostile_files_are_refused_and_nothing_runs(tmp_path: Path) -> None:
    roots, path, touched = [tmp_path], tmp_path / "weights.pt", tmp_path / "touched"
    torch.save({"a": torch.ones(3), "b": Hostile(touched)}, path)
    with pytest.raises(ModelFileError, match="more than tensors"):
        read_tensors(path, roots)
    assert not touched.exists()
    torch.save({"a": torch.ones(1).expand(1 << 34)}, path)
    with pytest.raises(ModelFileError, match="68719476736 bytes in a file"):
        read_tensors(path, roots)
    torch.save({"a": torch.zeros(1000)}, path)
    with (
        zipfile.ZipFile(path) as archive,
        zipfile.ZipFile(tmp_path / "small.pt", "w", zipfile.ZIP_DEFLATED) as smaller,
    ):
        for entry in archive.namelist():
            smaller.writestr(entry, archive.read(entry))
    with pytest.raises(ModelFileError, match="compressed"):
        read_tensors(tmp_path / "small.pt", roots)
    whole = path.read_bytes()
    for cut in (0, 9, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:cut])
        with pytest.raises(ModelFileError):
            read_tensors(path, roots)
    torch.save({"a": torch.ones(1)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(ModelFileError, match="newer torch"):
        read_tensors(path, roots)


def test_files_outside_the_folders_and_absent_ones_are_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    torch.save({"a": torch.ones(1)}, tmp_path / "weights.pt")
    (inside / "link.pt").symlink_to(tmp_path / "weights.pt")
    for path in (tmp_path / "weights.pt", inside / "link.pt", "https://host/weights.pt"):
        with pytest.raises(DatasetError):
            read_tensors(path, [inside])
    for path in (inside / "none.pt", inside):
        with pytest.raises(ModelFileError):
            read_tensors(path, [inside])


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file({"a": torch.arange(3.0)}, tmp_path / "w.safetensors")
    assert read_tensors(tmp_path / "w.safetensors", [tmp_path])["a"].tolist() == [0, 1, 2]
    raw = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(raw[:-4])
    with pytest.raises(ModelFileError):
        read_tensors(tmp_path / "w.safetensors", [tmp_path])
