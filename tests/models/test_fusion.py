"""The parts of the fusion networks against their formulas, computed another way."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from models.networks import build
from models.networks.fusion.cloud_lulc import CloudLulcStyle
from models.networks.fusion.interaction import (
    ChannelInteraction,
    ChannelNorm,
    SpatialInteraction,
    circular_product,
)
from models.networks.fusion.late import LateFusion
from models.networks.fusion.reliability import Reliability, modulated
from models.networks.fusion.semantics import (
    SemanticMapping,
    anchor_penalty,
    class_embedding,
    label_anchor,
)
from models.zoo.fusion import NETWORKS

BANDS = {"optical": 3, "sar": 1}
SMALL = {"widths": (4, 8), "channels": 8, "blocks": 1}

Maps = npt.NDArray[np.float64]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def circular_by_hand(query: Maps, key: Maps) -> Maps:
    """Return the circular convolution of two maps [H, W], by its definition."""
    height, width = query.shape
    out = np.zeros_like(query)
    for y, x in np.ndindex(height, width):
        for v, u in np.ndindex(height, width):
            out[y, x] += query[v, u] * key[(y - v) % height, (x - u) % width]
    return out


def normed_by_hand(x: Maps, norm: nn.Module) -> Maps:
    assert isinstance(norm, ChannelNorm)
    scale, shift = (p.detach().numpy()[None] for p in (norm.scale, norm.shift))
    spread = np.sqrt(x.var(1, keepdims=True) + 1e-6)
    normed: Maps = (x - x.mean(1, keepdims=True)) / spread * scale + shift
    return normed


def random_parameters(module: nn.Module) -> None:
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.3)


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (1, 6)])
def test_the_spectral_product_is_a_circular_convolution(size: tuple[int, int]) -> None:
    query, key = torch.randn(2, 1, 2, *size).double().unbind(0)
    found = circular_product(query, key)
    for channel in range(2):
        wanted = circular_by_hand(query[0, channel].numpy(), key[0, channel].numpy())
        np.testing.assert_allclose(found[0, channel].numpy(), wanted, atol=1e-4)


def test_the_spectral_product_stays_float32_in_mixed_precision() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert circular_product(*torch.rand(2, 1, 2, 4, 4).bfloat16().unbind(0)).dtype == (
            torch.float32
        )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_spatial_interaction_follows_its_recursion(order: int) -> None:
    block = SpatialInteraction(3, order)
    random_parameters(block)
    kept, helper = torch.randn(2, 2, 3, 4, 5).unbind(0)
    products = np.stack(
        [
            [circular_by_hand(k, h) for k, h in zip(*pair, strict=True)]
            for pair in zip(kept.double().numpy(), helper.double().numpy(), strict=True)
        ]
    )
    value = helper
    product = torch.from_numpy(normed_by_hand(products, block.norms[0])).float() * value
    for n in range(1, order):
        value = block.values[n - 1](value)
        query = block.queries[n - 1](product).detach().double().numpy()
        product = torch.from_numpy(normed_by_hand(query, block.norms[n])).float() * value
    carried, left = block(kept, helper)
    torch.testing.assert_close(carried, kept + block.share * product, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(left, value)


def test_spatial_interaction_reaches_every_pixel_from_every_other() -> None:
    block = SpatialInteraction(4, 1)
    kept, helper = torch.randn(2, 1, 4, 6, 6).unbind(0)
    moved = helper.clone()
    moved[0, 0, 0, 0] += 5
    change = (block(kept, moved)[0] - block(kept, helper)[0]).abs().sum(1)
    assert (change > 0).all()


def conv_by_hand(x: Maps, conv: nn.Module) -> Maps:
    """Return a 3x3 or 1x1 convolution of [C, H, W] by explicit loops."""
    assert isinstance(conv, nn.Conv2d) and conv.bias is not None
    weight, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
    reach = weight.shape[-1] // 2
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach)))
    out = np.zeros((len(weight), *x.shape[1:]))
    for o, y, c in np.ndindex(out.shape):
        size = weight.shape[-1]
        out[o, y, c] = (weight[o] * padded[:, y : y + size, c : c + size]).sum() + bias[o]
    return out


@pytest.mark.parametrize("order", [1, 2, 3])
def test_channel_interaction_follows_its_recursion_by_loops(order: int) -> None:
    block = ChannelInteraction(2, order)
    random_parameters(block)
    kept, helper = torch.randn(2, 1, 2, 3, 4).unbind(0)
    both = np.concatenate([kept[0].numpy(), helper[0].numpy()]).astype(np.float64)
    weight = both.mean((1, 2))[:, None, None]
    product = both
    for n in range(order):
        weigh = block.weigh[n]
        assert isinstance(weigh, nn.Sequential)
        weight = conv_by_hand(np.maximum(conv_by_hand(weight, weigh[0]), 0), weigh[2])
        weight = 1 / (1 + np.exp(-weight))
        if n:
            refine = block.refine[n - 1]
            assert isinstance(refine, nn.Sequential)
            product = conv_by_hand(np.maximum(conv_by_hand(product, refine[0]), 0), refine[2])
        product = product * weight
    wanted = kept[0].numpy() + block.share.detach().numpy() * conv_by_hand(product, block.join)
    carried, left = block(kept, helper)
    np.testing.assert_allclose(carried[0].detach().numpy(), wanted, atol=1e-4)
    assert left is helper


def test_reliability_lies_between_none_and_full_and_starts_by_trusting() -> None:
    gate = Reliability((4, 8))
    features = [torch.randn(2, 4, 6, 6) * 50, torch.randn(2, 8, 3, 3) * 50]
    random_parameters(gate)
    for feature, trust in zip(features, gate(features), strict=True):
        assert trust.shape == feature.shape
        assert 0 <= trust.min() < 0.01 and 0.99 < trust.max() <= 1
    fresh = Reliability((4, 8))([*features[:1], torch.zeros(2, 8, 3, 3)])
    assert fresh[0].mean() > 0.8


def test_reliability_comes_from_place_and_wide_view() -> None:
    gate = Reliability((2, 2))
    random_parameters(gate)
    fine, deep = torch.randn(1, 2, 2, 2), torch.randn(1, 2, 1, 1)
    wide = gate.wide(deep)[0, 0, 0, 0].item()
    near = conv_by_hand(fine[0].double().numpy(), gate.near[0])
    wanted = 1 / (1 + np.exp(-(near + wide)))
    np.testing.assert_allclose(gate([fine, deep])[0][0].detach().numpy(), wanted, atol=1e-5)


def test_modulation_holds_back_by_reliability_and_by_missing_data() -> None:
    data = torch.ones(1, 1, 4, 4)
    data[..., :2, :2] = 0
    data[..., 0, 2] = 0
    features = [torch.full((1, 1, 4, 4), 2.0), torch.full((1, 1, 2, 2), 2.0)]
    fine, coarse = modulated(features, [torch.tensor(0.5), torch.tensor(0.25)], data)
    assert torch.equal(fine[0, 0], data[0, 0])
    torch.testing.assert_close(coarse[0, 0], torch.tensor([[0.0, 0.375], [0.5, 0.5]]))
    assert torch.equal(modulated(features, None, data)[0], 2 * data)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 7), (8, 8)])
@pytest.mark.parametrize("layers", [1, 2])
def test_semantic_mapping_keeps_the_shape_of_any_map(size: tuple[int, int], layers: int) -> None:
    x = torch.randn(2, 12, *size)
    assert SemanticMapping(12, layers)(x).shape == x.shape


def test_every_token_hears_every_other() -> None:
    mapping = SemanticMapping(8, 1)
    x = torch.randn(1, 8, 16, 16)
    moved = x.clone()
    moved[..., :2, :2] += 3
    change = (mapping(moved) - mapping(x))[0, :, 14:, 14:].abs().max()
    assert change > 1e-6


@pytest.mark.parametrize(("classes", "width"), [(3, 8), (8, 8), (12, 8)])
def test_classes_have_unit_vectors_that_never_change(classes: int, width: int) -> None:
    embedding = class_embedding(classes, width)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(classes))
    assert torch.equal(embedding, class_embedding(classes, width))
    if classes <= width:
        torch.testing.assert_close(embedding @ embedding.T, torch.eye(classes), atol=1e-5, rtol=0)


def test_the_anchor_of_a_token_is_the_mean_of_its_labelled_pixels() -> None:
    embedding = class_embedding(3, 4)
    target = torch.tensor([[[0, 0, 1, 255], [0, 2, 255, 255], [255] * 4, [255] * 4]])
    anchor, labelled = label_anchor(target, embedding, (2, 2))
    wanted = (3 * embedding[0] + embedding[2]) / 4
    torch.testing.assert_close(anchor[0, :, 0, 0], wanted)
    torch.testing.assert_close(anchor[0, :, 0, 1], embedding[1])
    assert labelled[0].tolist() == [[1.0, 0.25], [0.0, 0.0]]


def test_the_anchor_penalty_is_zero_at_the_label_two_opposite_and_ignores_void() -> None:
    embedding = class_embedding(3, 4)
    target = torch.randint(0, 3, (2, 8, 8))
    target[0, :4, :4] = 255
    anchor, _ = label_anchor(target, embedding, (2, 2))
    assert anchor_penalty(anchor, target, embedding).item() == pytest.approx(0, abs=1e-6)
    assert anchor_penalty(-3 * anchor, target, embedding).item() == pytest.approx(2, abs=1e-6)
    other = anchor.clone()
    other[0, :, 0, 0] = 7
    assert anchor_penalty(other, target, embedding).item() == pytest.approx(0, abs=1e-6)
    assert anchor_penalty(anchor, torch.full_like(target, 255), embedding).item() == 0


def test_the_anchor_penalty_by_hand() -> None:
    embedding = torch.eye(2)
    latent = torch.tensor([[[[3.0, 1.0]], [[4.0, 0.0]]]])
    target = torch.tensor([[[0, 0], [255, 0]]])
    # tokens: labelled 0.5 with cos 0.6, labelled 1 with cos 1
    assert anchor_penalty(latent, target, embedding).item() == pytest.approx(0.5 * 0.4 / 1.5)


def pictures(height: int = 16, width: int = 12) -> dict[str, Tensor]:
    return {"optical": torch.randn(2, 3, height, width), "sar": torch.randn(2, 1, height, width)}


def test_the_anchor_counts_in_training_only_and_never_changes_logits() -> None:
    network = build("cloud_lulc", BANDS, 4, {**SMALL, "drop": 0.0})
    inputs, target = pictures(), torch.randint(0, 4, (2, 16, 12))
    outputs = network.learn(inputs, target)
    assert set(outputs.penalties) == {"anchor"} and outputs.penalties["anchor"] > 0
    torch.testing.assert_close(outputs.logits, network(inputs))
    other = network.learn(inputs, (target + 1) % 4)
    torch.testing.assert_close(outputs.logits, other.logits)
    assert not torch.equal(outputs.penalties["anchor"], other.penalties["anchor"])
    without = build("cloud_lulc", BANDS, 4, {**SMALL, "anchor": 0.0})
    assert without.learn(inputs, target).penalties == {}
    network.eval()
    assert isinstance(network, CloudLulcStyle)
    network.embedding.fill_(float("nan"))
    assert network(inputs).isfinite().all()


@pytest.mark.parametrize(
    "switch",
    [
        {"reliability": False},
        {"spatial": False},
        {"channel": False},
        {"blocks": 0},
        {"layers": 0},
        {"order": 1},
        {"alone": False},
    ],
)
def test_every_switch_takes_its_part_away(switch: dict[str, Any]) -> None:
    whole, less = (build("cloud_lulc", BANDS, 4, {**SMALL, **o}) for o in ({}, switch))
    assert sum(p.numel() for p in less.parameters()) < sum(p.numel() for p in whole.parameters())
    logits = less.eval()(pictures())
    assert logits.shape == (2, 4, 16, 12)


def test_blocks_and_order_are_counted() -> None:
    network = build("cloud_lulc", BANDS, 4, {**SMALL, "blocks": 3, "order": 4})
    assert isinstance(network, CloudLulcStyle)
    assert [type(block) for block in network.blocks] == [SpatialInteraction, ChannelInteraction] * 3
    assert all(len(b.norms) == 4 for b in network.blocks if isinstance(b, SpatialInteraction))


def test_every_weight_learns() -> None:
    network = build("cloud_lulc", BANDS, 4, {**SMALL, "order": 2})
    target = torch.randint(0, 4, (2, 16, 12))
    outputs = network.learn(pictures(), target)
    each = (outputs.logits, outputs.auxiliary["classes"])
    loss = sum((nn.functional.cross_entropy(logits, target) for logits in each), torch.zeros(()))
    loss = loss + outputs.penalties["anchor"]
    loss.backward()  # type: ignore[no-untyped-call]
    idle = [name for name, p in network.named_parameters() if p.grad is None]
    assert idle == []


def test_height_joins_the_branch_that_sees_through_clouds() -> None:
    network = build("cloud_lulc", {"sar": 2, "height": 1, "optical": 4}, 3, SMALL).eval()
    assert isinstance(network, CloudLulcStyle)
    assert network.through.levels[0][0].in_channels == 3  # type: ignore[index]
    inputs = {
        "optical": torch.full((1, 4, 8, 8), torch.nan),
        "sar": torch.randn(1, 2, 8, 8),
        "height": torch.randn(1, 1, 8, 8),
    }
    before = network(inputs)
    assert not torch.equal(before, network({**inputs, "height": inputs["height"] + 1}))


def test_the_gate_alone_decides_how_much_optical_counts() -> None:
    """With reliability forced to nothing the network answers as if optical were missing."""
    network = build("cloud_lulc", BANDS, 4, SMALL).eval()
    assert isinstance(network, CloudLulcStyle) and network.reliability is not None
    for near in network.reliability.near:
        nn.init.constant_(near.bias, -1e4)  # type: ignore[arg-type]
    inputs = pictures()
    torch.testing.assert_close(network(inputs), network({"sar": inputs["sar"]}))


def test_sar_also_learns_alone_from_all_levels_but_the_finest() -> None:
    network = build("cloud_lulc", BANDS, 4, {**SMALL, "widths": (4, 8, 8)}).eval()
    assert isinstance(network, CloudLulcStyle) and network.alone is not None
    inputs, target = pictures(15, 12), torch.randint(0, 4, (2, 15, 12))
    said = network.learn(inputs, target).auxiliary["classes"]
    assert said.shape == (2, 4, 15, 12)
    inputs["optical"] += 1
    assert torch.equal(said, network.learn(inputs, target).auxiliary["classes"])
    seen = [torch.randn(1, count, 8 // 2**n, 8 // 2**n) for n, count in enumerate((4, 8, 8))]
    half, quarter = (vote(x) for vote, x in zip(network.alone.votes, seen[1:], strict=True))
    grow = partial(nn.functional.interpolate, mode="bilinear", align_corners=False)
    wanted = grow(half + grow(quarter, (4, 4)), (8, 8))
    torch.testing.assert_close(network.alone(seen), wanted)
    without = build("cloud_lulc", BANDS, 4, {**SMALL, "alone": False})
    assert without.learn(inputs, target).auxiliary == {}


def test_optical_is_taken_away_in_training_only() -> None:
    network = build("cloud_lulc", BANDS, 4, {**SMALL, "drop": 0.5})
    assert isinstance(network, CloudLulcStyle)
    optical = torch.ones(400, 3, 1, 1)
    dropped = network._with_drops([optical, optical[:, :1]])
    assert 0.4 < (dropped[0] == 0).all(1).float().mean() < 0.6
    assert (dropped[1] == 1).all()
    assert network.eval()._with_drops([optical, optical])[0] is optical


def test_late_fusion_mixes_by_shares_of_inputs_that_have_data() -> None:
    network = build("late_fusion", BANDS, 4, {"widths": (4, 8), "gate": False}).eval()
    assert isinstance(network, LateFusion)
    inputs = pictures(8, 8)
    inputs["optical"][0] = torch.nan
    optical, sar = network._each(network._prepared(inputs))
    mixed = network(inputs)
    torch.testing.assert_close(mixed[0], sar[0])
    torch.testing.assert_close(mixed[1], (optical[1] + sar[1]) / 2)


def test_the_late_gate_learns_whom_to_follow() -> None:
    network = build("late_fusion", BANDS, 4, {"widths": (4, 8)}).eval()
    assert isinstance(network, LateFusion) and isinstance(network.gate, nn.Sequential)
    inputs = pictures(8, 8)
    optical, sar = network._each(network._prepared(inputs))
    nn.init.zeros_(network.gate[2].weight)  # type: ignore[arg-type]
    network.gate[2].bias.data = torch.tensor([0.0, np.log(3.0)]).float()
    torch.testing.assert_close(network(inputs), 0.25 * optical + 0.75 * sar)


def test_each_input_of_late_fusion_also_learns_alone() -> None:
    network = build("late_fusion", BANDS, 4, {"widths": (4, 8)})
    assert isinstance(network, LateFusion)
    inputs, target = pictures(), torch.randint(0, 4, (2, 16, 12))
    each = network._each(network._prepared(inputs))
    drawn = [network.learn(inputs, target).auxiliary["classes"] for _ in range(20)]
    heard = {next(i for i, e in enumerate(each) if torch.allclose(a, e)) for a in drawn}
    assert heard == {0, 1}
    alone = build("late_fusion", BANDS, 4, {"widths": (4, 8), "alone": False})
    assert alone.learn(inputs, target).auxiliary == {}


def test_the_large_variant_differs_only_in_its_defaults() -> None:
    small, large = NETWORKS["cloud_lulc"], NETWORKS["cloud_lulc_large"]
    assert small.code == large.code and set(small.options) == set(large.options)
    assert large.settle("cloud_lulc_large", {})["widths"] > small.settle("cloud_lulc", {})["widths"]
