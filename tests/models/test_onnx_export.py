"""ONNX files say the same as the network, in onnxruntime."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]
import pytest
import torch
from torch import Tensor

from core.errors import ModelFileError
from core.records import Project
from core.settings import Settings
from core.store.engine import Store
from models.card_text import onnx_path
from models.model_files import LoadedModel
from models.networks import NetworkSpec, SegmentationNetwork, build
from models.onnx_export import export_onnx
from models.registry import load_model, save_model
from models.zoo import NETWORKS
from tests.models.conftest import CLASSES, run_task

BANDS = {"optical": 3, "sar": 1}


def images(bands: dict[str, int], height: int, width: int) -> dict[str, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(height)
    found = {
        m: rng.normal(100, 40, (1, n, height, width)).astype(np.float32) for m, n in bands.items()
    }
    next(iter(found.values()))[:, :, : height // 8] = np.nan  # missing pixels
    return found


def fresh(name: str) -> LoadedModel:
    """Return the smallest variant of a network, with the statistics of some learning."""
    torch.manual_seed(0)
    entry = NETWORKS[name]
    bands = {m: BANDS[m] for m in entry.modalities or BANDS}
    network = build(name, bands, 5, entry.smallest)
    for modality, count in bands.items():
        network.set_normalisation(modality, torch.full((count,), 100), torch.full((count,), 40))
    return LoadedModel(network.eval(), (1, 2, 5, 8, 9), {"name": name})


def check(model: LoadedModel, path: Path) -> None:
    """Compare the classes of a file with those of the network, at two sizes where it is free."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    up = int(facts["multiple_of"])
    sizes = [(up * -(-96 // up), up * -(-96 // up)), (up * -(-70 // up), up * -(-40 // up))]
    if "fixed_height" in facts:
        sizes = [(int(facts["fixed_height"]), int(facts["fixed_width"]))]
    for height, width in sizes:
        inputs = images(dict(model.network.spec.bands), height, width)
        (found,) = session.run(None, inputs)
        with torch.inference_mode():
            wanted = model.network({m: torch.from_numpy(x) for m, x in inputs.items()}).numpy()
        assert found.shape == wanted.shape == (1, len(model.codes), height, width)
        assert (found.argmax(1) == wanted.argmax(1)).mean() >= 0.9999


@pytest.mark.soak
@pytest.mark.parametrize("name", NETWORKS)
def test_classes_are_those_of_torch(name: str, tmp_path: Path) -> None:
    model = fresh(name)
    check(model, export_onnx(model, tmp_path / "model.onnx", fixed_px=128).path)


def test_the_job_writes_a_file_that_says_the_same_and_how_to_use_it(
    store: Store, settings: Settings, project: Project
) -> None:
    network = build("unet", BANDS, 3, {"widths": (4, 8)})
    network.set_normalisation("optical", torch.full((3,), 90.0), torch.full((3,), 50.0))
    record = save_model(store, project.id, network, CLASSES.codes, "small", {})
    result = run_task(store, settings, project, "onnx", model_id=record.id)
    assert result["model_id"] == record.id
    assert result["sizes"] == "any height and width, in multiples of 2 px"
    path = onnx_path(record)
    check(load_model(record), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["optical", "sar"]
    facts = session.get_modelmeta().custom_metadata_map
    assert facts["codes"] == "[1, 2, 5]" and facts["multiple_of"] == "2"
    assert facts["weights_sha256"] == record.card["sha256"]


class Own(SegmentationNetwork):
    """A network whose only layer is a function."""

    def __init__(self, layer: Any) -> None:
        super().__init__(NetworkSpec("own", {"sar": 2}, 2, {}), stride=1)
        self.layer = layer

    def features_to_logits(self, inputs: list[Tensor]) -> Tensor:
        found: Tensor = self.layer(inputs[0])
        return found


def test_operators_that_onnx_lacks_are_named_and_no_file_is_left(tmp_path: Path) -> None:
    lacking = Own(lambda x: torch.special.bessel_j0(x))
    with pytest.raises(
        ModelFileError, match=r"network own: found what ONNX lacks: prims.bessel_j0;"
    ):
        export_onnx(LoadedModel(lacking, (0, 1), {}), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_another_failure_is_told_with_its_cause_and_not_as_what_onnx_lacks(
    tmp_path: Path,
) -> None:
    def broken(_: Tensor) -> Tensor:
        raise ValueError("\n\x1b[96mthe layer broke\x1b[0m\nand more")

    with pytest.raises(ModelFileError) as caught:
        export_onnx(LoadedModel(Own(broken), (0, 1), {}), tmp_path / "model.onnx")
    assert "found a failed export, ValueError: the layer broke; expected" in str(caught.value)
    assert "lacks" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_be_free_in_size_is_fixed_and_says_so(tmp_path: Path) -> None:
    ramp = torch.linspace(0, 1, 40)
    fixed = Own(lambda x: x * ramp)  # works on images 40 wide alone
    made = export_onnx(LoadedModel(fixed, (0, 1), {}), tmp_path / "model.onnx", fixed_px=40)
    assert made.size == (40, 40) and made.words == "40 x 40 px only"
    facts = onnxruntime.InferenceSession(made.path).get_modelmeta().custom_metadata_map
    assert facts["fixed_height"] == "40"
