"""Files with the names and shapes of the published ones load and train."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.encoder_files import load_encoder
from models.sample import Sample
from models.train import TrainConfig, train
from models.weight_files import read_tensors
from models.zoo import NETWORKS
from models.zoo.weights import WEIGHTS, Weight
from tests.models.published import FILES, HEAVY, QUICK, network_for, seen_as, shapes_of


def samples_for(weight: Weight, size: int = 48) -> list[Sample]:
    rng = np.random.default_rng(3)
    label = np.kron(rng.integers(0, 3, (6, 6)), np.ones((8, 8))).astype(np.uint8)
    inputs = {
        modality: [(label[None] * 40 + rng.normal(0, 9, (len(names), size, size))).astype("f4")]
        for modality, names in weight.bands.items()
    }
    return [Sample(inputs, label, np.ones(label.shape, np.float32), "made")]


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.soak) for name in FILES],
)
def test_a_file_with_the_published_layout_loads_and_trains(name: str, tmp_path: Path) -> None:
    weight, path = WEIGHTS[name], tmp_path / WEIGHTS[name].file
    torch.save(FILES[name](), path)
    network = network_for(weight)
    fit = load_encoder(network, name, path, [tmp_path], seen_as(weight.bands))
    assert fit.fitted == fit.of > 100 and not fit.missing
    for modality, statistics in weight.statistics.items():
        share = 1e-4 if modality == "optical" else 1.0
        expected = share * torch.tensor(statistics.mean)
        assert torch.allclose(network.get_buffer(f"mean_{modality}"), expected)
    held = read_tensors(path, [tmp_path])
    last = [key for key in network.state_dict() if key.startswith(weight.part)][-1]
    theirs = held[weight.prefix + last.removeprefix(weight.part)]
    assert torch.equal(network.state_dict()[last], theirs)
    config = TrainConfig(
        classes=3,
        bands=network.spec.bands,
        network=weight.network,
        options=network.spec.options,
        steps=2,
        batch=2,
        crop_px=32,
        head_rate=1.0,
        mixed_precision=False,
    )
    before = {k: v.clone() for k, v in network.named_parameters()}
    trained = train(config, samples_for(weight), start=network).network
    moved = [k for k, v in trained.named_parameters() if not torch.equal(v, before[k])]
    assert any(key.startswith(weight.part) for key in moved)
    assert any(not key.startswith(weight.part) for key in moved)
    for modality in weight.bands:
        kept = network.get_buffer(f"mean_{modality}")
        assert torch.equal(trained.get_buffer(f"mean_{modality}"), kept)


@pytest.mark.parametrize("name", HEAVY)
def test_large_encoders_have_the_published_names_and_shapes(name: str) -> None:
    """Without giving memory to them."""
    from torchgeo.models import croma_base, dofa_base_patch16_224

    weight = WEIGHTS[name]
    with torch.device("meta"):
        # CROMA's bias by distance is no weight, and slow to build for a large image.
        croma = weight.network == "croma"
        theirs = shapes_of(croma_base(image_size=8) if croma else dofa_base_patch16_224())
        ours = shapes_of(network_for(weight).get_submodule("encoder"))
    left = {key for key in theirs if key not in ours}
    assert {key: theirs.get(key) for key in ours} == ours
    assert all(
        key.startswith(("head.", "fc_norm.", "attn_bias")) or "GAP_FFN" in key for key in left
    )


def test_every_weight_belongs_to_a_network_and_has_statistics_per_band() -> None:
    for name, weight in WEIGHTS.items():
        NETWORKS[weight.network].settle(name, weight.options)
        for modality, statistics in weight.statistics.items():
            assert len(statistics.mean) == len(statistics.std) == len(weight.bands[modality]), name
