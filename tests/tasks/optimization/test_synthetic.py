import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contract.rng import Rng
from engine.tasks.optimization._supervised import DataFamily
from engine.tasks.optimization.checkerboard import Checkerboard
from engine.tasks.optimization.gaussians import Gaussians
from engine.tasks.optimization.linear import Linear
from engine.tasks.optimization.mixtures import Mixtures
from engine.tasks.optimization.moons import Moons
from engine.tasks.optimization.rings import Rings
from engine.tasks.optimization.sinusoid import Sinusoid
from engine.tasks.optimization.spirals import Spirals
from tests.tasks.drawing import streams

PLANAR = (Mixtures, Gaussians, Moons, Spirals, Rings, Checkerboard)
STILL = {"turn": 0.0, "gain": 0.0, "noise": 0.0}


def test_a_gaussian_class_has_the_stated_center_and_width() -> None:
    family = Gaussians(dimensions=3, classes=2, examples=2000, width=1.0, noise=0.5)
    sample = family.sample(Rng(1), "train")
    for label in (0, 1):
        cloud = sample.x[:, sample.y == label]
        assert (np.abs(cloud.mean(1)) < 5.3).all()
        np.testing.assert_allclose(cloud.var(1), 1.25, rtol=0.15)
    held = sample.held_x[:, sample.held_y == 0].mean(1)
    np.testing.assert_allclose(held, sample.x[:, sample.y == 0].mean(1), atol=1.2)


def test_the_two_class_experiment_has_its_points_and_its_moved_cloud() -> None:
    here, there = Gaussians(), Gaussians(noise=0.25, offset=4.0)
    moves = []
    for rng in streams(300):
        one, two = here.sample(rng, "test"), there.sample(rng, "test")
        assert np.bincount(one.y).tolist() == [100, 100]
        moves.append((two.x - one.x).mean(1))
    spread = np.array(moves)
    assert np.abs(spread).max() < 4.1
    np.testing.assert_allclose(spread.std(0), 8.0 / 12**0.5, rtol=0.15)


def test_rings_have_their_radii() -> None:
    sample = Rings(rings=4, stretch=1.0, **STILL).sample(Rng(1), "train")
    radius = np.hypot(*sample.x)
    np.testing.assert_allclose(radius[sample.y == 0] % 1.0, 0.5, atol=1e-5)
    np.testing.assert_allclose(radius[sample.y == 1] % 1.0, 0.0, atol=1e-5)


def test_moons_are_half_circles_of_radius_1() -> None:
    sample = Moons(gap=0.5, **STILL).sample(Rng(1), "train")
    for label, center in ((0, (-0.5, -0.25)), (1, (0.5, 0.25))):
        away = sample.x[:, sample.y == label] - np.array(center)[:, None]
        np.testing.assert_allclose(np.hypot(*away), 1.0, atol=1e-5)
        assert (np.sign(away[1]) == 1 - 2 * label).all()


def test_a_spiral_arm_is_the_other_one_turned_half_around() -> None:
    sample = Spirals(turns=0.5, **STILL).sample(Rng(1), "train")
    radius = np.hypot(*sample.x) / 2.0
    angle = np.arctan2(sample.x[1], sample.x[0])
    expected = np.pi * radius + np.pi * sample.y
    np.testing.assert_allclose(np.cos(angle - expected), 1.0, atol=1e-4)


def test_neighbors_on_a_checkerboard_have_the_other_color() -> None:
    sample = Checkerboard(squares=2.0, slide=0.0, **STILL).sample(Rng(1), "train")
    same_side = (sample.x[0] > 0) == (sample.x[1] > 0)
    assert len(set(sample.y[same_side])) == 1
    assert (sample.y[same_side][0] != sample.y[~same_side]).all()


def test_a_sinusoid_is_one_wave_of_an_amplitude_in_range() -> None:
    sizes = []
    for rng in streams(100):
        sample = Sinusoid().sample(rng, "train")
        waves = np.stack([np.sin(sample.x[0]), np.cos(sample.x[0])], 1)
        fit, rest, _, _ = np.linalg.lstsq(waves, sample.y, rcond=None)
        np.testing.assert_allclose(rest, 0.0, atol=1e-5)
        held = np.stack([np.sin(sample.held_x[0]), np.cos(sample.held_x[0])], 1)
        np.testing.assert_allclose(held @ fit, sample.held_y, atol=1e-3)
        sizes.append(np.hypot(*fit))
    assert min(sizes) >= 0.1
    assert max(sizes) <= 5.0 + 1e-3
    assert np.mean(sizes) == pytest.approx(2.55, abs=0.6)


def test_linear_tasks_have_their_noise_and_condition_number() -> None:
    family = Linear(dimensions=4, conditioning=100.0, noise=0.5, examples=2000)
    sample = family.sample(Rng(1), "train")
    variances = sample.x.var(1)
    assert variances.max() / variances.min() == pytest.approx(100.0, rel=0.2)
    rows = np.vstack([sample.x, np.ones(2000)]).T
    rest = np.linalg.lstsq(rows, sample.y, rcond=None)[1]
    assert float(rest[0]) / 2000 == pytest.approx(0.25, rel=0.1)


@pytest.mark.parametrize("kind", PLANAR)
def test_planar_tasks_hold_both_classes_and_differ_from_each_other(
    kind: type[DataFamily],
) -> None:
    family = kind()
    assert family.plane
    samples = [family.sample(rng, "test") for rng in streams(20)]
    for sample in samples:
        assert sample.x.shape[0] == 2
        assert sample.outputs == 2
        assert 0.2 < sample.y.mean() < 0.8
    means = [sample.x.std() for sample in samples]
    assert len({round(float(m), 4) for m in means}) == 20


@pytest.mark.parametrize("kind", PLANAR)
def test_training_and_held_out_points_are_different_ones(
    kind: type[DataFamily],
) -> None:
    family = kind()
    sample = family.sample(Rng(3), "test")
    train = {row.tobytes() for row in sample.x.T}
    assert not train & {row.tobytes() for row in sample.held_x.T}


@given(seed=st.integers(0, 2**32), noise=st.floats(0.0, 5.0))
def test_noise_changes_nothing_but_the_noise(seed: int, noise: float) -> None:
    calm = Gaussians(noise=0.0).sample(Rng(seed), "test")
    noisy = Gaussians(noise=noise).sample(Rng(seed), "test")
    np.testing.assert_array_equal(calm.y, noisy.y)
    gap = (noisy.x - calm.x).std()
    assert gap == pytest.approx(noise, rel=0.25, abs=1e-5)
