from dataclasses import replace

import numpy as np
import pytest

from core.errors import ModelFileError
from models import augment
from models.augment import CODE, Crop, nearest, resized
from models.sample import IGNORE, Sample, draw_batch
from models.zoo.augment import AUGMENTATIONS, Augment, augments_of, check_augments

GEOMETRIC = {"mosaic", "resize", "mixed_crop"}


def crop_of(seed: int = 0, side: int = 24) -> Crop:
    rng = np.random.default_rng(seed)
    return Crop(
        {
            "optical": rng.uniform(10, 200, (3, side, side)).astype(np.float32),
            "sar": rng.uniform(-25, -5, (2, side, side)).astype(np.float32),
        },
        rng.integers(0, 3, (side, side)),
        np.ones((side, side), np.float32),
        np.zeros((side, side), np.bool_),
    )


def sample_of(height: int = 64, width: int = 64, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    label = (np.indices((height, width)).sum(0) // 16 % 3).astype(np.uint8)
    inputs = {
        "optical": [(40.0 * label + rng.uniform(10, 60, (3, height, width))).astype(np.float32)],
        "sar": [(rng.uniform(-25, -5, (2, height, width))).astype(np.float32)],
    }
    return Sample(inputs, label, np.ones(label.shape, np.float32), "tile")


def test_every_name_of_the_table_has_its_code() -> None:
    assert set(CODE) | GEOMETRIC == set(AUGMENTATIONS)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_one_seed_gives_one_batch_and_leaves_the_tile_alone(name: str) -> None:
    sample = sample_of()
    before = sample.inputs["optical"][0].copy(), sample.label.copy()

    def draw(seed: int, *augments: Augment) -> list[bytes]:
        rng = np.random.default_rng(seed)
        batch = draw_batch([sample], ("optical", "sar"), 32, 6, rng, augments=augments)
        label, weight = batch.label.tobytes(), batch.weight.tobytes()
        return [*(v.tobytes() for v in batch.inputs.values()), label, weight]

    always = {"chance": 1.0} if "chance" in AUGMENTATIONS[name].params else {}
    if name == "mixed_crop":
        always = {"largest": 0.36}
    changed = draw(1, Augment(name, always))
    assert changed == draw(1, Augment(name, always))
    assert changed != draw(1)
    assert np.array_equal(before[0], sample.inputs["optical"][0])
    assert np.array_equal(before[1], sample.label)


@pytest.mark.parametrize("name", [n for n in AUGMENTATIONS if "chance" in AUGMENTATIONS[n].params])
def test_no_chance_changes_nothing(name: str) -> None:
    never = Augment(name, {"chance": 0.0})
    plain = draw_batch([sample_of()], ("optical", "sar"), 32, 1, np.random.default_rng(3))
    same = draw_batch(
        [sample_of()], ("optical", "sar"), 32, 1, np.random.default_rng(3), augments=[never]
    )
    if name != "resize":  # its dice are thrown before the place is drawn
        assert np.array_equal(plain.inputs["optical"], same.inputs["optical"])
    assert same.label.shape == plain.label.shape


@pytest.mark.parametrize("name", CODE)
def test_what_is_missing_stays_missing_and_void_stays_void(name: str) -> None:
    crop = crop_of()
    image = crop.inputs["optical"].copy()
    image[:, :4] = np.nan
    label = crop.label.copy()
    label[:, :4] = IGNORE
    changed = CODE[name](
        replace(crop.with_input("optical", image), label=label), np.random.default_rng(0)
    )
    assert np.isnan(changed.inputs["optical"][:, :3]).all()
    assert (changed.label[:, :4] == IGNORE).all() and (changed.label[:, 4:] != IGNORE).all()


@pytest.mark.parametrize("name", CODE)
def test_a_crop_without_the_input_stays_as_it_is(name: str) -> None:
    crop = replace(crop_of(), inputs={"height": np.ones((1, 24, 24), np.float32)})
    changed = CODE[name](crop, np.random.default_rng(0))
    assert set(changed.inputs) == {"height"}
    assert np.array_equal(changed.inputs["height"], crop.inputs["height"])


def test_speckle_has_the_mean_and_the_looks_of_gamma_noise_in_db() -> None:
    flat = crop_of(side=200).with_input("sar", np.full((1, 200, 200), -12.0, np.float32))
    noisy = augment.speckle(flat, np.random.default_rng(0), looks=4.0).inputs["sar"]
    power = 10 ** ((noisy + 12.0) / 10)
    assert power.mean() == pytest.approx(1.0, abs=0.02)
    assert power.mean() ** 2 / power.var() == pytest.approx(4.0, rel=0.05)


def test_speckle_of_amplitude_multiplies_the_root_and_ends_at_255() -> None:
    flat = crop_of(side=200).with_input("sar", np.full((1, 200, 200), 100.0, np.float32))
    noisy = augment.speckle(flat, np.random.default_rng(0), looks=4.0).inputs["sar"]
    assert ((noisy / 100) ** 2).mean() == pytest.approx(1.0, abs=0.03)
    bright = augment.speckle(
        flat.with_input("sar", 2.5 * flat.inputs["sar"]), np.random.default_rng(0), looks=1.0
    )
    assert bright.inputs["sar"].max() == 255


def test_gain_moves_a_band_as_a_whole_within_its_bound() -> None:
    crop = crop_of()
    moved = augment.gain(crop, np.random.default_rng(0), decibels=1.5).inputs["sar"]
    difference = moved - crop.inputs["sar"]
    assert np.ptp(difference[0]) < 1e-4 and np.ptp(difference) > 1e-2
    assert np.abs(difference).max() <= 1.5 + 1e-4


def test_one_polarisation_goes_and_the_last_stays() -> None:
    crop = crop_of()
    left = augment.drop_polarisation(crop, np.random.default_rng(0)).inputs["sar"]
    assert sorted(np.isnan(band).all() for band in left) == [False, True]
    single = crop.with_input("sar", crop.inputs["sar"][:1])
    kept = augment.drop_polarisation(single, np.random.default_rng(0)).inputs["sar"]
    assert np.array_equal(kept, single.inputs["sar"])


def test_an_input_is_dropped_whole_but_never_the_last() -> None:
    rng = np.random.default_rng(0)
    crop = crop_of()
    without = augment.drop_optical(crop, rng)
    assert np.isnan(without.inputs["optical"]).all()
    assert np.array_equal(augment.drop_sar(without, rng).inputs["sar"], crop.inputs["sar"])


@pytest.mark.parametrize("scale", [1.0, 1 / 255, 20.0])
def test_clouds_brighten_or_darken_within_the_cover_in_any_unit(scale: float) -> None:
    crop = crop_of(side=64)
    crop = crop.with_input("optical", scale * crop.inputs["optical"])
    seen = augment.clouds(crop, np.random.default_rng(2), low=0.5, high=0.5).inputs["optical"]
    before = crop.inputs["optical"]
    touched = (np.abs(seen - before) > 0.02 * before.max()).any(0).mean()
    assert 0.3 < touched < 0.95
    assert seen.max() > before.max() * 0.9 and seen.min() >= 0


def test_clouds_over_a_whole_cover_hide_the_ground() -> None:
    crop = crop_of(side=64)
    seen = augment.clouds(crop, np.random.default_rng(2), low=1.0, high=1.0).inputs["optical"]
    assert seen.std() < 0.3 * crop.inputs["optical"].std()


def test_blur_keeps_the_mean_and_smooths() -> None:
    crop = crop_of(side=48)
    smooth = augment.blur(crop, np.random.default_rng(0), low=2.0, high=2.0).inputs["optical"]
    assert smooth.mean() == pytest.approx(crop.inputs["optical"].mean(), rel=0.02)
    assert smooth.std() < 0.3 * crop.inputs["optical"].std()


def test_blur_agrees_with_scipy() -> None:
    from scipy import ndimage

    crop = crop_of()
    found = augment.blur(crop, np.random.default_rng(0), low=1.2, high=1.2).inputs["optical"]
    wanted = ndimage.gaussian_filter(
        crop.inputs["optical"], (0, 1.2, 1.2), mode="nearest", radius=4
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_border_labels_are_on_average_the_shares_of_the_neighbourhood() -> None:
    label = np.zeros((9, 9), np.int64)
    label[:, 5:] = 1
    crop = replace(crop_of(side=9), label=label)
    rng = np.random.default_rng(0)
    drawn = np.mean([augment.border_labels(crop, rng, width_px=1).label for _ in range(3000)], 0)
    np.testing.assert_allclose(drawn[4], [0, 0, 0, 0, 1 / 3, 2 / 3, 1, 1, 1], atol=0.03)


def test_border_labels_leave_what_people_checked() -> None:
    label = np.zeros((20, 20), np.int64)
    label[:, 10:] = 1
    checked = np.zeros((20, 20), np.bool_)
    checked[:10] = True
    crop = replace(crop_of(side=20), label=label, checked=checked)
    drawn = augment.border_labels(crop, np.random.default_rng(0), width_px=2).label
    assert np.array_equal(drawn[:10], label[:10])
    assert not np.array_equal(drawn[10:], label[10:])


def test_resize_keeps_label_and_image_together() -> None:
    label = (np.indices((96, 96)).sum(0) // 24 % 2).astype(np.uint8)
    image = label[None].astype(np.float32)
    sample = Sample({"optical": [image]}, label, np.ones(label.shape, np.float32), "tile")
    batch = draw_batch(
        [sample],
        ("optical",),
        32,
        16,
        np.random.default_rng(0),
        augments=[Augment("resize", {"low": 0.5, "high": 2.0})],
    )
    seen = batch.inputs["optical"][:, 0]
    there = np.isfinite(seen) & (batch.label != IGNORE)
    agree = (seen > 0.5) == (batch.label == 1)
    assert there.mean() > 0.9
    assert agree[there].mean() > 0.97


def test_resized_agrees_with_torch() -> None:
    import torch

    image = crop_of().inputs["optical"]
    for size in ((12, 40), (24, 7), (48, 48)):
        wanted = torch.nn.functional.interpolate(
            torch.from_numpy(image)[None], size, mode="bilinear", align_corners=False
        )[0].numpy()
        np.testing.assert_allclose(resized(image, *size), wanted, rtol=1e-4)
        exact = torch.nn.functional.interpolate(
            torch.from_numpy(image)[None], size, mode="nearest-exact"
        )[0, 0].numpy()
        assert np.array_equal(nearest(image[0], *size), exact)


def test_mixed_crops_avoid_ground_of_one_class() -> None:
    label = np.zeros((128, 128), np.uint8)
    label[:40, :40] = 1
    sample = Sample(
        {"optical": [np.zeros((1, 128, 128), np.float32)]},
        label,
        np.ones(label.shape, np.float32),
        "tile",
    )

    def share(augments: list[Augment]) -> float:
        batch = draw_batch(
            [sample], ("optical",), 32, 60, np.random.default_rng(0), augments=augments
        )
        return float(np.mean([len(np.unique(one)) > 1 for one in batch.label]))

    assert share([Augment("mixed_crop")]) > 2 * share([])


def test_a_mosaic_takes_its_corners_from_four_crops() -> None:
    samples = [
        Sample(
            {"optical": [np.full((1, 32, 32), k, np.float32)]},
            np.full((32, 32), k, np.uint8),
            np.ones((32, 32), np.float32),
            f"tile {k}",
        )
        for k in range(8)
    ]
    batch = draw_batch(
        samples,
        ("optical",),
        32,
        20,
        np.random.default_rng(0),
        augments=[Augment("mosaic", {"chance": 1.0})],
    )
    assert np.array_equal(batch.inputs["optical"][:, 0], batch.label)
    assert max(len(np.unique(one)) for one in batch.label) == 4
    assert all(one[0, 7] == one[0, 0] and one[31, 31] == one[31, 24] for one in batch.label)


@pytest.mark.parametrize(
    "values",
    [
        [{"name": "unknown"}],
        [{"name": ["blur"]}],
        [{"name": "blur"}, {"name": "blur"}],
        [{"name": "blur", "params": {"chance": 2.0}}],
        [{"name": "blur", "params": {"low": 2.0, "high": 1.0}}],
        [{"name": "blur", "params": {"sigma": 1.0}}],
        [{"name": "blur", "params": 3}],
        ["blur"],
    ],
)
def test_augmentations_that_make_no_sense_are_refused(values: list[dict[str, object]]) -> None:
    with pytest.raises(ModelFileError):
        augments_of(values)


def test_order_is_that_of_the_table() -> None:
    names = [a.name for a in check_augments([Augment("speckle"), Augment("resize")])]
    assert names == ["resize", "speckle"]
