"""The damage networks: published sizes, two heads, guidance, and what each may look at."""

from typing import Any

import pytest
import torch
from torch import Tensor

from core.errors import ModelFileError
from models.networks import SegmentationNetwork, build
from models.networks.damage import encoders
from models.networks.damage.base import TwoHeads, gated
from models.networks.damage.guided import UFPN, UABCDv2
from models.networks.damage.siam_crnn import Recurrent
from models.networks.damage.unets import ChannelAttention
from models.zoo import damage

BANDS = {"optical": 3, "sar": 1}
TWO_IMAGES = [n for n, e in damage.NETWORKS.items() if "sar" in e.modalities]
WITH_BUILDINGS = ["siam_crnn", "damage_former", "changeos", "uabcd_v2"]


def small(name: str, **options: Any) -> SegmentationNetwork:
    torch.manual_seed(0)
    return build(name, BANDS, 4, {**damage.NETWORKS[name].smallest, **options})


def images(size: int = 64, batch: int = 2) -> dict[str, Tensor]:
    drawn = torch.Generator().manual_seed(1)
    return {m: torch.randn(batch, n, size, size, generator=drawn) for m, n in BANDS.items()}


@pytest.mark.parametrize(
    ("name", "published"), [("bright_unet", 31_045_444), ("siam_attn_unet", 60_950_276)]
)
def test_published_size_has_the_published_number_of_parameters(name: str, published: int) -> None:
    with torch.device("meta"):
        network = build(name, {"optical": 3, "sar": 3}, 4)
    assert sum(p.numel() for p in network.parameters()) == published


def test_names_of_encoders_are_those_of_the_table() -> None:
    assert tuple(encoders.RESNETS) == damage.RESNETS
    assert tuple(encoders.SWINS) == damage.SWINS
    assert tuple(encoders.PVTS) == damage.PVTS


@pytest.mark.parametrize(
    ("name", "millions", "channels"),
    # Published counts without a classifier: ResNet-18 and -50, Swin-T, PVT-v2-b2.
    [
        ("resnet18", 11.18, (64, 128, 256, 512)),
        ("resnet50", 23.51, (256, 512, 1024, 2048)),
        ("swin_t", 27.5, (96, 192, 384, 768)),
        ("pvt_v2_b2", 24.85, (64, 128, 320, 512)),
    ],
)
def test_encoders_have_the_published_size(
    name: str, millions: float, channels: tuple[int, ...]
) -> None:
    with torch.device("meta"):
        body = encoders.pyramid(name, 3)
    assert sum(p.numel() for p in body.parameters()) / 1e6 == pytest.approx(millions, rel=2e-3)
    assert body.channels == channels


@pytest.mark.parametrize("name", ["small_resnet", "small_swin", "small_pvt"])
def test_encoders_give_four_levels_from_a_quarter_down(name: str) -> None:
    levels = encoders.pyramid(name, 2)(torch.rand(1, 2, 64, 96))
    assert [tuple(x.shape[2:]) for x in levels] == [(16, 24), (8, 12), (4, 6), (2, 3)]
    assert tuple(x.shape[1] for x in levels) == encoders.pyramid(name, 2).channels


def test_the_last_stage_of_the_deeplab_stays_at_a_sixteenth() -> None:
    network: Any = small("bright_deeplab")
    levels = network.encoder(torch.rand(1, 4, 64, 64))
    assert [x.shape[-1] for x in levels] == [16, 8, 4, 4]


@pytest.mark.parametrize("name", TWO_IMAGES)
def test_each_image_matters_and_their_order_in_the_bands_does_not(name: str) -> None:
    network = small(name).eval()
    seen = images()
    with torch.inference_mode():
        before = network(seen)
        for modality in BANDS:
            changed = {**seen, modality: seen[modality].flip(-1)}
            assert not torch.allclose(network(changed), before)
        turned = build(name, dict(reversed(BANDS.items())), 4, network.spec.options).eval()
        turned.load_state_dict(network.state_dict())
        assert torch.equal(turned(seen), before)


@pytest.mark.parametrize("name", TWO_IMAGES)
def test_two_images_are_required(name: str) -> None:
    with pytest.raises(ModelFileError, match="optical and sar"):
        build(name, {"optical": 3}, 4, damage.NETWORKS[name].smallest)


@pytest.mark.parametrize("name", damage.NETWORKS)
def test_a_step_reaches_every_weight(name: str) -> None:
    network = small(name)
    found = network.learn(images(size=40), torch.zeros(2, 40, 40, dtype=torch.long))
    assert found.logits.shape == (2, 4, 40, 40)
    assert list(found.auxiliary) == (["building"] if name in WITH_BUILDINGS else [])
    for logits in found.auxiliary.values():
        assert logits.shape == (2, 2, 40, 40)
    outputs = [found.logits, *found.auxiliary.values()]
    torch.stack([x.square().mean() for x in outputs]).sum().backward()  # type: ignore[no-untyped-call]
    assert [n for n, p in network.named_parameters() if p.grad is None] == []
    heads = network.head_parameters()
    assert heads and all(any(p is q for q in network.parameters()) for p in heads)


@pytest.mark.parametrize("name", WITH_BUILDINGS)
def test_localisation_sees_the_picture_before_only(name: str) -> None:
    network = small(name).eval()
    seen = images()
    other = {**seen, "sar": seen["sar"] + 5}
    target = torch.zeros(2, 64, 64, dtype=torch.long)
    with torch.inference_mode():
        first, second = network.learn(seen, target), network.learn(other, target)
    assert torch.equal(first.auxiliary["building"], second.auxiliary["building"])
    assert not torch.equal(first.logits, second.logits)


def test_gating_is_the_product_of_the_two_maps() -> None:
    drawn = torch.Generator().manual_seed(3)
    building = torch.randn(1, 2, 16, 16, generator=drawn)
    which = torch.randn(1, 4, 16, 16, generator=drawn)
    expected = building.argmax(1) * which.argmax(1)
    assert torch.equal(gated(building, which).argmax(1), expected)
    assert (expected == 0).any() and (expected == 3).any()


def test_ground_keeps_the_probability_that_localisation_gives_it() -> None:
    # Ground 0.8; the damage head splits the rest 1:1:2.
    building = torch.tensor([0.8, 0.2]).log()[None, :, None, None]
    which = torch.tensor([0.2, 0.2, 0.2, 0.4]).log()[None, :, None, None]
    found = torch.softmax(gated(building, which), 1).flatten()
    torch.testing.assert_close(found, torch.tensor([0.8, 0.05, 0.05, 0.1]))


def test_product_and_damage_head_are_one_network_read_in_two_ways() -> None:
    seen = images()
    head = small("siam_crnn").eval()
    product = small("siam_crnn", combine="product").eval()
    assert isinstance(head, TwoHeads)
    with torch.inference_mode():
        learnt = head.learn(seen, torch.zeros(2, 64, 64, dtype=torch.long))
        assert torch.equal(head(seen), learnt.logits)
        where = learnt.auxiliary["building"].argmax(1)
        assert torch.equal(product(seen).argmax(1), where * learnt.logits.argmax(1))


def test_the_recurrent_cell_follows_its_formula() -> None:
    cell: Any = Recurrent(1, 1)
    torch.nn.init.zeros_(cell.gates.weight)
    with torch.no_grad():  # enter 1/2, keep 1/4, show 1/2, value tanh(1)
        cell.gates.bias.copy_(torch.tensor([0.0, -1.0986123, 0.0, 1.0]))
    first = torch.tanh(torch.tensor(1.0)) / 2
    memory = first / 4 + first
    x = torch.zeros(1, 1, 3, 3)
    torch.testing.assert_close(cell(x, x), (torch.tanh(memory) / 2).expand(1, 1, 3, 3))


def test_channel_attention_follows_its_formula() -> None:
    attend = ChannelAttention(2)
    for weights in attend.parameters():
        torch.nn.init.ones_(weights)
    x = torch.ones(1, 2, 2, 2)
    r = torch.tensor([[[0.0, 1.0], [0.0, 3.0]], [[2.0, 2.0], [2.0, 2.0]]])[None]
    # Means 1 and 2, maxima 3 and 2; each gate sums them: sigmoid(3) and sigmoid(5).
    expected = 1 + torch.sigmoid(torch.tensor(3.0)) + torch.sigmoid(torch.tensor(5.0))
    torch.testing.assert_close(attend(x, r), expected.expand(1, 2, 2, 2))


def test_the_building_map_never_looks_at_sar() -> None:
    network = small("building_fpn").eval()
    seen = images()
    with torch.inference_mode():
        assert torch.equal(network(seen), network({**seen, "sar": seen["sar"] * 9}))


def test_guidance_of_nothing_is_the_network_without_it() -> None:
    network: Any = small("uabcd_v2").eval()
    plain = small("uabcd").eval()
    plain.load_state_dict(network.state_dict(), strict=False)
    prepared = list(images().values())
    with torch.inference_mode():
        before, after = network.images(prepared)
        without = network._damage(before, after, torch.zeros(2, 1, 64, 64))
        assert torch.equal(without, plain.features_to_logits(prepared))
        guided = network._damage(before, after, torch.ones(2, 1, 64, 64))
    assert not torch.allclose(guided, without)


def test_damage_teaches_the_building_branch_nothing() -> None:
    network: Any = small("uabcd_v2")
    network.learn(images(), torch.zeros(2, 64, 64, dtype=torch.long)).logits.sum().backward()
    assert all(p.grad is None for p in network.buildings.parameters())


def test_a_trained_building_branch_is_taken_over_and_held() -> None:
    torch.manual_seed(5)
    buildings = build("building_fpn", {"optical": 3}, 2, damage.NETWORKS["building_fpn"].smallest)
    buildings.set_normalisation("optical", torch.tensor([1.0, 2, 3]), torch.full((3,), 2.0))
    network: Any = small("uabcd_v2", hold_buildings=True)
    network.take_buildings(buildings)
    assert torch.equal(network.mean_optical, torch.tensor([1.0, 2, 3]))
    seen, target = images(), torch.zeros(2, 64, 64, dtype=torch.long)
    kept = {k: v.clone() for k, v in network.buildings.state_dict().items()}
    found = network.train().learn(seen, target)
    assert found.auxiliary == {}
    found.logits.sum().backward()
    assert all(torch.equal(v, kept[k]) for k, v in network.buildings.state_dict().items())
    assert isinstance(buildings, UFPN) and isinstance(network, UABCDv2)
    first, *_ = network._prepared(seen)
    assert torch.equal(buildings.eval()({"optical": seen["optical"]}), network.buildings(first))


def test_a_building_branch_that_does_not_fit_is_refused() -> None:
    four = build("building_fpn", {"optical": 3}, 4, damage.NETWORKS["building_fpn"].smallest)
    network: Any = small("uabcd_v2")
    with pytest.raises(ModelFileError, match="building_fpn with"):
        network.take_buildings(four)
