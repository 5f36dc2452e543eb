"""What recipes are made of: maps and labels, teachers and peers, augmentation, soft labels."""

from dataclasses import replace

import numpy as np
import torch

from models.losses.soft import divergence
from models.networks import build
from models.recipes.co_teaching import CoTeaching
from models.recipes.from_soft import FromSoft
from models.recipes.labelling import SOFT, agreed, relabelled, softened
from models.recipes.self_training import SelfTraining, chosen_classes, kept_label
from models.recipes.torch_augment import blurred, jittered
from models.sample import IGNORE
from tests.models.recipe_tiles import SIDE, SMALL, TILES, tile


def test_pixels_that_people_checked_keep_label_and_weight() -> None:
    sample = tile(1)[0]
    kept = np.zeros(sample.label.shape, np.bool_)
    kept[:8] = True
    sample = replace(sample, checked=kept, weight=np.full(sample.label.shape, 4.0, np.float32))
    other = ((sample.label + 1) % 3).astype(np.uint8)
    changed = relabelled(sample, other, np.ones(other.shape, np.float32))
    assert np.array_equal(changed.label[:8], sample.label[:8]) and (changed.weight[:8] == 4).all()
    assert np.array_equal(changed.label[8:], other[8:]) and (changed.weight[8:] == 1).all()
    even = np.full((3, SIDE, SIDE), 1 / 3, np.float32)
    soft = softened(sample, even, np.ones(other.shape, np.float32))
    values = soft.inputs[SOFT][0]
    assert (values.max(0)[:8] == 255).all() and (values[:, 8:] == 85).all()


def test_two_maps_are_kept_where_they_agree() -> None:
    first, second = np.array([[0, 1, 2]], np.uint8), np.array([[0, 2, 2]], np.uint8)
    assert agreed(first, second).tolist() == [[0, IGNORE, 2]]
    soft = [np.eye(3, dtype=np.float32)[m].transpose(2, 0, 1) for m in (first, second)]
    soft[1] *= 2
    given = np.array([[1, 1, 2]], np.uint8)
    assert kept_label(soft, given, "agree").tolist() == [[0, IGNORE, 2]]
    assert kept_label(soft, given, "agree with labels").tolist() == [[IGNORE, 1, 2]]
    assert kept_label(soft, given, "sum").tolist() == [[0, 2, 2]]
    assert kept_label(soft, given, "one").tolist() == [[0, 1, 2]]


def test_half_of_the_classes_of_each_image_are_pasted() -> None:
    label = torch.tensor([[[0, 1, 2, IGNORE]], [[3, 3, 3, 3]], [[0, 1, 2, 3]]])
    dice = torch.tensor([[0.9, 0.1, 0.5, 0.0]] * 3)
    pasted = chosen_classes(label, dice)
    assert pasted[:, 0].tolist() == [
        [False, True, True, False],
        [True, True, True, True],
        [False, True, False, True],
    ]


def test_the_teacher_follows_the_student_and_gets_no_gradient() -> None:
    torch.manual_seed(0)
    network = build("unet", {"optical": 3}, 3, {"widths": (4, 8)})
    config = replace(SMALL, bands={"optical": 3})
    aim = SelfTraining(network, torch.ones(3), config, TILES, confidence=0.968, ema=0.9)
    aim.train()
    assert not aim.teacher.training and network.training
    before = [p.clone() for p in aim.teacher.parameters()]
    with torch.no_grad():
        for p in network.parameters():
            p.add_(1.0)
    aim.after_step(20)
    for old, new, student in zip(
        before, aim.teacher.parameters(), network.parameters(), strict=True
    ):
        torch.testing.assert_close(new, 0.9 * old + 0.1 * student)
        assert not new.requires_grad
    aim.after_step(1)
    for new, student in zip(aim.teacher.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(new, student)


def test_an_unsure_teacher_counts_nothing_outside_pasted_classes() -> None:
    torch.manual_seed(0)
    network = build("unet", {"optical": 3}, 3, {"widths": (4, 8)})
    config = replace(SMALL, bands={"optical": 3})
    sure = SelfTraining(network, torch.ones(3), config, TILES, confidence=0.0, ema=0.9)
    never = SelfTraining(network, torch.ones(3), config, TILES, confidence=1.0, ema=0.9)
    rng = np.random.default_rng(0)
    more = {k: torch.from_numpy(np.asarray(v)) for k, v in sure.further(rng).items()}
    inputs = {"optical": more["pool_optical"].clone()}
    void = torch.full((4, 32, 32), IGNORE)
    nothing = torch.zeros(4, 32, 32)
    assert never(inputs, void, nothing, more).item() == 0
    assert sure(inputs, void, nothing, more).item() > 0


def test_jitter_and_blur_of_nothing_change_nothing_and_missing_stays_missing() -> None:
    images = torch.rand(2, 3, 16, 16)
    images[0, :, :4] = torch.nan
    same = blurred(jittered(images, torch.zeros(2, 3)), torch.zeros(2))
    torch.testing.assert_close(same, images, equal_nan=True)
    smooth = blurred(images, torch.tensor([1.0, 1.0]))
    assert smooth[0, :, :4].isnan().all() and not smooth[0, :, 4:].isnan().any()
    assert smooth[1].std() < 0.5 * images[1].std()
    brighter = jittered(images, torch.tensor([[0.2, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    torch.testing.assert_close(brighter[0, :, 4:], 1.2 * images[0, :, 4:])


def test_each_network_learns_what_the_other_finds_easy() -> None:
    torch.manual_seed(0)
    network = build("unet", {"optical": 3}, 2, {"widths": (4, 8)})
    config = replace(SMALL, classes=2, bands={"optical": 3}, steps=10)
    aim = CoTeaching(network, torch.ones(2), config, noise=0.5, ramp=0.5, by_class=True)
    assert any(
        not torch.equal(a, b)
        for a, b in zip(network.parameters(), aim.peer.parameters(), strict=True)
    )
    assert aim.kept_share == 1.0
    aim.after_step(5)
    assert aim.kept_share == 0.5
    logits = torch.zeros(1, 2, 1, 8)
    logits[0, 0] = torch.tensor([4.0, 3.0, 2.0, 1.0, -1.0, -2.0, -3.0, -4.0])
    label = torch.tensor([[[0, 0, 0, 0, 1, 1, 1, IGNORE]]])
    easy = aim._easy(logits, label, torch.ones(1, 1, 8))
    assert easy.tolist() == [[[True, True, False, False, False, True, True, False]]]


def test_soft_labels_of_one_class_are_plain_cross_entropy() -> None:
    torch.manual_seed(0)
    network = build("unet", {"sar": 2}, 3, {"widths": (4, 8)}).eval()
    balance = torch.tensor([1.0, 3.0, 0.5])
    aim = FromSoft(network, balance, divergence, SMALL)
    label = torch.randint(3, (2, 16, 16))
    label[0, :4] = IGNORE
    soft = torch.nn.functional.one_hot(label % 3, 3).movedim(-1, 1).float() * 255
    inputs = {"sar": torch.randn(2, 2, 16, 16), SOFT: soft}
    found = aim(inputs, label, torch.ones(2, 16, 16), {})
    wanted = torch.nn.functional.cross_entropy(
        network({"sar": inputs["sar"]}), label, balance, ignore_index=IGNORE
    )
    torch.testing.assert_close(found, wanted)
