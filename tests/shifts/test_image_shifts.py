"""What shifts of images do to brightness, place and size, by their definitions."""

import numpy as np
import pytest
from scipy import ndimage

from engine.protocol import Shift
from engine.shifts._pixels import patch_size
from engine.shifts.blur import Blur
from engine.shifts.contrast import Contrast
from engine.shifts.feature_noise import FeatureNoise
from engine.shifts.image_rotation import ImageRotation
from engine.shifts.image_scale import ImageScale
from engine.shifts.inversion import Inversion
from engine.shifts.occlusion import Occlusion
from engine.shifts.rotate import Rotate
from engine.shifts.shrink import Shrink
from engine.shifts.stretch import Stretch
from engine.shifts.translate import Translate
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from engine.tasks.optimization.moons import Moons
from tests.shifts.drawn import SHAPE, Pictures, images, pairs, shifted
from tests.tasks.drawing import setting

SMOOTH = (ImageRotation(), ImageScale(), Blur(), Contrast())
ALL = (*SMOOTH, Occlusion(), Inversion())


@pytest.mark.parametrize("shift", SMOOTH, ids=lambda s: type(s).__name__)
def test_a_vanishing_severity_leaves_the_image(shift: Shift) -> None:
    for clean, moved in pairs(shift, 1e-7, Pictures(), 3):
        np.testing.assert_allclose(clean.x, moved.x, atol=1e-5)
        np.testing.assert_allclose(clean.held_x, moved.held_x, atol=1e-5)


@pytest.mark.parametrize("shift", ALL, ids=lambda s: type(s).__name__)
def test_an_image_shift_keeps_labels_shapes_and_types_and_changes_both_sides(
    shift: Shift,
) -> None:
    clean = shifted(shift, 0.0, Pictures())
    moved = shifted(shift, shift.severities[-1], Pictures())
    for name in ("y", "held_y", "ids", "held_ids"):
        np.testing.assert_array_equal(getattr(clean, name), getattr(moved, name))
    for name in ("x", "held_x"):
        one, two = getattr(clean, name), getattr(moved, name)
        assert one.shape == two.shape and one.dtype == two.dtype == np.float32
        assert not np.array_equal(one, two)
    assert moved.shape == clean.shape


def test_rotation_is_scipys_rotation() -> None:
    for angle in (10.0, 45.0, 200.0):
        clean = shifted(ImageRotation(), 0.0, Pictures())
        moved = shifted(ImageRotation(), angle, Pictures())
        wanted = ndimage.rotate(
            images(clean.x), angle, (3, 2), reshape=False, order=1, mode="nearest"
        )
        inside = np.s_[:, :, 3:-3, 3:-3]
        np.testing.assert_allclose(images(moved.x)[inside], wanted[inside], atol=2e-3)


def test_a_half_turn_reverses_a_full_turn_restores_a_quarter_is_counterclockwise() -> (
    None
):
    clean = shifted(ImageRotation(), 0.0, Pictures())
    half = shifted(ImageRotation(), 180.0, Pictures())
    full = shifted(ImageRotation(), 360.0, Pictures())
    quarter = shifted(ImageRotation(), 90.0, Pictures())
    np.testing.assert_allclose(full.x, clean.x, atol=1e-5)
    np.testing.assert_allclose(
        images(half.x), images(clean.x)[:, :, ::-1, ::-1], atol=1e-5
    )
    square = images(clean.x)[:, :, :, 2:14]
    turned = images(quarter.x)[:, :, :, 2:14]
    np.testing.assert_allclose(turned, np.rot90(square, 1, (2, 3)), atol=1e-5)


def test_scale_is_scipys_affine_map_and_smaller_undoes_larger() -> None:
    clean = shifted(ImageScale(), 0.0, Pictures())
    small = shifted(ImageScale(), 1.0, Pictures())
    middle = (np.array(SHAPE[1:]) - 1) / 2
    for picture, found in zip(images(clean.x), images(small.x), strict=True):
        wanted = ndimage.affine_transform(
            picture[0], 2.0 * np.eye(2), middle - 2.0 * middle, order=1, mode="nearest"
        )
        np.testing.assert_allclose(found[0], wanted, atol=1e-5)
    large = shifted(ImageScale(way="larger"), 1.0, Pictures())
    # Half the picture, from the middle, fills it: corners meet those of the half.
    np.testing.assert_allclose(
        images(large.x)[:, :, 0, 0],
        images(clean.x)[:, :, 3:4, 4:5].mean((2, 3)),
        atol=0.06,
    )


def test_blur_keeps_the_mean_brightness_and_takes_away_from_the_deviation() -> None:
    spreads = []
    for severity in (0.5, 1.0, 3.0):
        for clean, moved in pairs(Blur(), severity, Pictures(), 5):
            one, two = images(clean.held_x), images(moved.held_x)
            np.testing.assert_allclose(one.mean((2, 3)), two.mean((2, 3)), atol=1e-5)
        spreads.append(float(two.std((2, 3)).mean() / one.std((2, 3)).mean()))
    assert 1.0 > spreads[0] > spreads[1] > spreads[2] > 0.0


def test_contrast_scales_each_images_deviation_and_keeps_its_mean() -> None:
    for clean, moved in pairs(Contrast(), 0.75, Pictures(), 5):
        np.testing.assert_allclose(moved.x.mean(0), clean.x.mean(0), atol=1e-6)
        np.testing.assert_allclose(moved.x.std(0), 0.25 * clean.x.std(0), rtol=1e-4)
    gone = shifted(Contrast(), 1.0, Pictures())
    assert gone.x.std(0).max() < 1e-5


def test_inversion_twice_is_the_identity_and_mirrors_brightness() -> None:
    clean = shifted(Inversion(), 0.0, Pictures())
    once = Inversion().apply(setting(Pictures()), 1.0)
    twice = Inversion().apply(once, 1.0)
    (warp, again) = twice.warps
    moved = warp(clean, None)  # type: ignore[arg-type]
    np.testing.assert_allclose(moved.x + clean.x, clean.x.min() + clean.x.max())
    back = again(moved, None)  # type: ignore[arg-type]
    np.testing.assert_allclose(back.x, clean.x, atol=1e-6)
    np.testing.assert_allclose(back.held_x, clean.held_x, atol=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
def test_occlusion_covers_the_stated_share_of_every_image(share: float) -> None:
    rows, columns = patch_size(12, 16, share)
    assert rows * columns / 192 == pytest.approx(share, abs=0.03)
    corners = set()
    for clean, moved in pairs(Occlusion(), share, Pictures(), 10):
        gray = (clean.x.min() + clean.x.max()) / 2
        for one, two in ((clean.x, moved.x), (clean.held_x, moved.held_x)):
            before, after = images(one), images(two)
            changed = (after == gray).all(1)
            assert (changed.sum((1, 2)) == rows * columns).all()
            np.testing.assert_array_equal(
                *(np.where(changed[:, None], 0, x) for x in (before, after))
            )
            corners |= {tuple(np.argwhere(c)[0].tolist()) for c in changed}
    places = (12 - rows + 1) * (16 - columns + 1)
    assert len(corners) >= min(places, 25)


@pytest.mark.parametrize("shift", [Rotate(), Stretch(), Shrink(), Translate()])
def test_shifts_of_measured_inputs_refuse_pixels_and_name_those_for_images(
    shift: Shift,
) -> None:
    reason = shift.why_not(setting(Pictures()))
    assert "inputs of pictures are pixels" in reason
    assert any(n in reason for n in ("image_rotation", "image_scale", "contrast"))
    assert shift.why_not(setting(GaussianClasses())) is None


@pytest.mark.parametrize("shift", ALL, ids=lambda s: type(s).__name__)
def test_image_shifts_refuse_what_has_no_images(shift: Shift) -> None:
    assert shift.why_not(setting(Pictures())) is None
    for family in (GaussianClasses(), Moons()):
        assert "no images" in shift.why_not(setting(family))


def test_pixel_noise_has_the_stated_size_in_deviations_of_all_pixels() -> None:
    sizes = [
        (moved.held_x - clean.held_x).std() / clean.x.std()
        for clean, moved in pairs(FeatureNoise(), 0.5, Pictures(), 5)
    ]
    assert np.mean(sizes) == pytest.approx(0.5, rel=0.03)
