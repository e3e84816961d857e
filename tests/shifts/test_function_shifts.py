"""What shifts of functions do, and that the same function is underneath."""

import numpy as np
import pytest

from engine.protocol import Family, Shift
from engine.shifts.amplitude import Amplitude
from engine.shifts.contradiction import Contradiction
from engine.shifts.feature_noise import FeatureNoise
from engine.shifts.frequency import Frequency
from engine.shifts.function_noise import FunctionNoise
from engine.shifts.imbalance import Imbalance
from engine.shifts.label_noise import LabelNoise
from engine.shifts.phase import Phase
from engine.shifts.rotate import Rotate
from engine.shifts.translate import Translate
from engine.shifts.ways import Ways
from engine.tasks.few_shot.function_mixture import FunctionMixture
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from engine.tasks.few_shot.gaussian_process import GaussianProcess
from engine.tasks.few_shot.sinusoids import Sinusoids
from tests.shifts.drawn import pairs, shifted
from tests.tasks.drawing import setting


def wave(truth: np.ndarray | None, frequency: float = 1.0) -> tuple[float, float]:
    """Fit a wave of a known frequency; return its amplitude and phase."""
    assert truth is not None
    x, y = truth.astype(np.float64)
    basis = np.stack([np.sin(frequency * x), np.cos(frequency * x)], 1)
    sine, cosine = np.linalg.lstsq(basis, y, rcond=None)[0]
    assert np.allclose(basis @ (sine, cosine), y, atol=1e-4)
    return float(np.hypot(sine, cosine)), float(np.arctan2(-cosine, sine))


def test_amplitudes_grow_by_a_share_of_the_largest_and_phases_stay() -> None:
    for clean, moved in pairs(Amplitude(), 1.0, Sinusoids()):
        (a, p), (b, q) = wave(clean.truth), wave(moved.truth)
        assert b - a == pytest.approx(5.0, abs=1e-4)
        assert 5.1 - 1e-4 <= b <= 10.0 + 1e-4
        assert np.cos(p - q) == pytest.approx(1.0, abs=1e-5)
        np.testing.assert_array_equal(clean.held_x, moved.held_x)


def test_phases_move_by_the_severity_and_amplitudes_stay() -> None:
    for clean, moved in pairs(Phase(), 0.5, Sinusoids()):
        (a, p), (b, q) = wave(clean.truth), wave(moved.truth)
        assert a == pytest.approx(b, abs=1e-4)
        assert np.cos(q - p - np.pi / 2) == pytest.approx(1.0, abs=1e-5)
    for clean, moved in pairs(Phase(), 1.0, Sinusoids()):
        np.testing.assert_allclose(moved.held_y, -clean.held_y, atol=1e-5)


def test_frequency_makes_the_same_function_vary_faster() -> None:
    for clean, moved in pairs(Frequency(), 0.5, Sinusoids()):
        one, two = wave(clean.truth), wave(moved.truth, 1.5)
        np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.parametrize("family", [FunctionMixture(), GaussianProcess()])
def test_amplitude_scales_other_functions_too(family: FunctionMixture) -> None:
    for clean, moved in pairs(Amplitude(), 1.0, family):
        ratio = moved.held_y / clean.held_y
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
        assert ratio[0] > 1.0


def test_a_gaussian_process_varies_as_much_faster_as_its_scale_would_be_shorter() -> (
    None
):
    moved = shifted(Frequency(), 1.0, GaussianProcess())
    wanted = shifted(Frequency(), 0.0, GaussianProcess(length_scale=0.5))
    np.testing.assert_allclose(moved.held_y, wanted.held_y, atol=1e-5)


def test_function_noise_disturbs_the_support_alone_by_its_severity() -> None:
    gaps = []
    for clean, moved in pairs(FunctionNoise(), 0.5, Sinusoids(shots=40)):
        gaps.append(moved.y - clean.y)
        for name in ("x", "held_x", "held_y", "truth"):
            np.testing.assert_array_equal(getattr(clean, name), getattr(moved, name))
        assert moved.y.dtype == np.float32
    assert np.std(gaps) == pytest.approx(0.5, rel=0.05)
    assert abs(np.mean(gaps)) < 4 * 0.5 / 1200**0.5
    (first, *_) = (
        m.y - c.y for c, m in pairs(FunctionNoise(), 2.0, Sinusoids(shots=40))
    )
    np.testing.assert_allclose(first, 4 * gaps[0], atol=1e-5)


def test_moved_inputs_take_the_picture_along() -> None:
    for clean, moved in pairs(Translate(), 1.0, Sinusoids(), 5):
        assert clean.truth is not None and moved.truth is not None
        step = moved.x - clean.x
        assert np.allclose(step, step[0, 0], atol=1e-5) and abs(step[0, 0]) > 0.1
        np.testing.assert_allclose(
            moved.truth[0] - clean.truth[0], step[0, 0], atol=1e-5
        )
        np.testing.assert_array_equal(moved.truth[1], clean.truth[1])
        np.testing.assert_array_equal(moved.held_y, clean.held_y)
    for clean, moved in pairs(FeatureNoise(), 1.0, Sinusoids(), 5):
        np.testing.assert_array_equal(moved.truth, clean.truth)


@pytest.mark.parametrize(
    ("shift", "family", "words"),
    [
        (Amplitude(), GaussianClasses(), "no amplitude"),
        (Phase(), GaussianProcess(), "no phase"),
        (Frequency(), GaussianClasses(), "no frequency"),
        (FunctionNoise(), GaussianClasses(), "label_noise"),
        (LabelNoise(), Sinusoids(), "no classes"),
        (Imbalance(), Sinusoids(), "no classes"),
        (Imbalance(), GaussianClasses(), "one shot"),
        (Imbalance(), GaussianClasses(shots=2), ""),
        (Rotate(), Sinusoids(), "at least 2"),
        (Ways(), Sinusoids(), "no number of ways"),
        (Amplitude(), GaussianProcess(), ""),
        (Phase(), FunctionMixture(), ""),
    ],
)
def test_a_shift_that_does_not_fit_an_episode_says_why(
    shift: Shift, family: Family, words: str
) -> None:
    reason = shift.why_not(setting(family))
    assert words in (reason or "") if words else reason is None


def test_contradictions_are_mirrored_at_the_mean_and_queries_stay_true() -> None:
    shares = []
    for clean, moved in pairs(Contradiction(), 0.3, Sinusoids(shots=40)):
        mirrored = 2.0 * clean.y.mean() - clean.y
        against = moved.y != clean.y
        np.testing.assert_allclose(moved.y, np.where(against, mirrored, clean.y))
        shares.append(against.mean())
        for name in ("x", "held_x", "held_y", "truth"):
            np.testing.assert_array_equal(getattr(clean, name), getattr(moved, name))
    assert np.mean(shares) == pytest.approx(0.3, abs=4 * 0.46 / (30 * 40) ** 0.5)


def test_one_example_cannot_contradict_itself() -> None:
    reason = Contradiction().why_not(setting(Sinusoids(shots=1)))
    assert reason is not None and "one example" in reason


def test_more_contradictions_contain_the_fewer() -> None:
    for seed in range(5):
        clean, few, many, every = (
            shifted(Contradiction(), share, Sinusoids(), seed).y
            for share in (0.0, 0.2, 0.6, 1.0)
        )
        assert ((few != clean) <= (many != clean)).all() and (many != few).any()
        np.testing.assert_allclose(
            every - clean.mean(), clean.mean() - clean, rtol=1e-5
        )
