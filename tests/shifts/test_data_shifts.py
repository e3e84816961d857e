"""What each change of data does to a task, by its own definition."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.contract.rng import Rng
from engine.protocol import BatchSpec, Family, Sample, Setting, Shift
from engine.shifts.concept import Concept
from engine.shifts.drift import Drift
from engine.shifts.feature_noise import FeatureNoise
from engine.shifts.gradual_drift import GradualDrift
from engine.shifts.imbalance import Imbalance
from engine.shifts.label_noise import LabelNoise
from engine.shifts.missing import Missing
from engine.shifts.rotate import Rotate
from engine.shifts.shrink import Shrink
from engine.shifts.stretch import Stretch
from engine.shifts.translate import Translate
from engine.tasks.optimization._supervised import DataFamily, SupervisedBatch
from engine.tasks.optimization.gaussians import Gaussians
from engine.tasks.optimization.linear import Linear
from engine.tasks.optimization.moons import Moons
from engine.tasks.optimization.quadratic import Quadratic
from engine.tasks.optimization.sinusoid import Sinusoid
from tests.tasks.drawing import setting, streams

MANY = Gaussians(dimensions=5, classes=3, examples=2001, held_out=1500)
CHANGES = (
    Translate(),
    Rotate(),
    Stretch(),
    Shrink(),
    FeatureNoise(),
    Missing(),
    LabelNoise(),
    Imbalance(),
    Concept(),
)


def warped(shift: Shift, severity: float, family: DataFamily, rng: Rng) -> Sample:
    sample = family.sample(rng, "test")
    for warp in shift.apply(setting(family), severity).warps:
        sample = warp(sample, rng)
    return sample


def both(
    shift: Shift, severity: float, family: DataFamily = MANY, seed: int = 1
) -> tuple[Sample, Sample]:
    rng = Rng(seed)
    return family.sample(rng, "test"), warped(shift, severity, family, rng)


@pytest.mark.parametrize("shift", CHANGES, ids=lambda s: type(s).__name__)
def test_a_vanishing_severity_changes_nothing(shift: Shift) -> None:
    clean, moved = both(shift, 1e-9)
    for name in ("x", "y", "held_x", "held_y"):
        one, two = getattr(clean, name), getattr(moved, name)
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6)
        assert one.dtype == two.dtype


@pytest.mark.parametrize("shift", CHANGES, ids=lambda s: type(s).__name__)
def test_the_same_stream_gives_the_same_change(shift: Shift) -> None:
    one = warped(shift, 0.5, MANY, Rng(3))
    two = warped(shift, 0.5, MANY, Rng(3))
    np.testing.assert_array_equal(one.x, two.x)
    np.testing.assert_array_equal(one.y, two.y)


@pytest.mark.parametrize("severity", [0.25, 4.0])
def test_translate_moves_the_mean_by_its_severity_in_deviations(
    severity: float,
) -> None:
    clean, moved = both(Translate(), severity)
    sigma = clean.x.std(1)
    step = (moved.x.mean(1) - clean.x.mean(1)) / sigma
    assert np.linalg.norm(step) == pytest.approx(severity, rel=1e-4)
    held = (moved.held_x - clean.held_x) / sigma[:, None]
    np.testing.assert_allclose(held, np.repeat(step[:, None], 1500, 1), atol=1e-4)


def test_translate_goes_in_one_direction_at_every_severity_and_many_over_tasks() -> (
    None
):
    arrows = []
    for seed in range(20):
        steps = []
        for severity in (0.5, 3.0):
            clean, moved = both(Translate(), severity, Gaussians(), seed)
            steps.append((moved.x - clean.x).mean(1) / severity)
        np.testing.assert_allclose(steps[0], steps[1], rtol=1e-3, atol=1e-4)
        arrows.append(steps[0] / np.linalg.norm(steps[0]))
    assert np.linalg.norm(np.mean(arrows, axis=0)) < 0.6


@pytest.mark.parametrize("family", [Gaussians(), MANY])
@pytest.mark.parametrize("degrees", [10.0, 90.0, 180.0])
def test_rotation_preserves_norms_and_distances(
    family: DataFamily, degrees: float
) -> None:
    clean, moved = both(Rotate(), degrees, family)
    for one, two in ((clean.x, moved.x), (clean.held_x, moved.held_x)):
        np.testing.assert_allclose(
            np.linalg.norm(one, axis=0), np.linalg.norm(two, axis=0), rtol=1e-4
        )
    np.testing.assert_allclose(
        clean.x[:, :20].T @ clean.held_x[:, :20],
        moved.x[:, :20].T @ moved.held_x[:, :20],
        rtol=1e-3,
        atol=1e-3,
    )


def test_a_quarter_turn_in_the_plane_is_counterclockwise() -> None:
    clean, moved = both(Rotate(), 90.0, Gaussians())
    np.testing.assert_allclose(moved.x, [-clean.x[1], clean.x[0]], atol=1e-5)


def test_stretch_doubles_the_first_input_and_shrink_halves_it() -> None:
    clean, longer = both(Stretch(), 2.0)
    _, shorter = both(Shrink(), 2.0)
    np.testing.assert_allclose(longer.x[0], 4.0 * clean.x[0])
    np.testing.assert_allclose(shorter.held_x[0], clean.held_x[0] / 4.0)
    np.testing.assert_array_equal(longer.x[1:], clean.x[1:])
    np.testing.assert_array_equal(shorter.x[1:], clean.x[1:])


def test_stretch_can_take_any_input_or_all() -> None:
    chosen = set()
    for seed in range(30):
        clean, moved = both(Stretch(axis="random"), 1.0, Gaussians(dimensions=5), seed)
        ratio = (moved.x / clean.x)[:, 0]
        assert np.sort(np.round(ratio, 4)).tolist() == [1, 1, 1, 1, 2]
        chosen.add(int(ratio.argmax()))
    assert len(chosen) == 5
    clean, moved = both(Stretch(axis="all"), 1.0)
    np.testing.assert_array_equal(moved.x, 2.0 * clean.x)


def test_feature_noise_has_the_stated_size_and_is_the_same_noise_only_larger() -> None:
    clean, small = both(FeatureNoise(), 0.5)
    _, large = both(FeatureNoise(), 1.0)
    sigma = clean.x.std(1)
    np.testing.assert_allclose((small.x - clean.x).std(1) / sigma, 0.5, rtol=0.05)
    np.testing.assert_allclose(large.x - clean.x, 2 * (small.x - clean.x), atol=1e-4)
    held = (small.held_x - clean.held_x).std(1) / sigma
    np.testing.assert_allclose(held, 0.5, rtol=0.07)


def within(hits: int, count: int, rate: float) -> bool:
    """Return whether a count of hits is within 4 standard errors of its rate."""
    return abs(hits / count - rate) < 4 * (rate * (1 - rate) / count) ** 0.5


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_missing_loses_the_stated_share_and_nests(rate: float) -> None:
    clean, moved = both(Missing(), rate)
    _, more = both(Missing(), rate + 0.2)
    lost = moved.x == 0
    assert within(int(lost.sum()), lost.size, rate)
    assert (more.x[lost] == 0).all()
    np.testing.assert_array_equal(moved.x[~lost], clean.x[~lost])


@pytest.mark.parametrize("rate", [0.05, 0.4])
def test_label_noise_flips_the_stated_share_of_training_labels_alone(
    rate: float,
) -> None:
    clean, moved = both(LabelNoise(), rate)
    wrong = clean.y != moved.y
    assert within(int(wrong.sum()), wrong.size, rate)
    np.testing.assert_array_equal(clean.held_y, moved.held_y)
    steps = (moved.y - clean.y)[wrong] % 3
    assert within(int((steps == 1).sum()), len(steps), 0.5)
    _, more = both(LabelNoise(), rate + 0.2)
    assert ((more.y != clean.y) | ~wrong).all()


@pytest.mark.parametrize("doublings", [1.0, 3.0])
def test_imbalance_reaches_the_stated_ratio_with_rows_that_were_there(
    doublings: float,
) -> None:
    clean, moved = both(Imbalance(), doublings)
    wanted = 2.0 ** (-doublings * np.array([0.0, 0.5, 1.0]))
    wanted /= wanted.sum()
    counts = np.bincount(moved.y, minlength=3)
    assert counts.sum() == 2001
    assert all(within(int(n), 2001, w) for n, w in zip(counts, wanted, strict=True))
    known = {(*row, label) for row, label in zip(clean.x.T, clean.y, strict=True)}
    assert {(*r, la) for r, la in zip(moved.x.T, moved.y, strict=True)} <= known
    np.testing.assert_array_equal(clean.held_x, moved.held_x)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_concept_changes_a_half_space_that_holds_the_stated_share(share: float) -> None:
    clean, moved = both(Concept(), share)
    inside = clean.y != moved.y
    assert inside.mean() == pytest.approx(share, abs=0.01)
    assert (clean.held_y != moved.held_y).mean() == pytest.approx(share, abs=0.05)
    np.testing.assert_array_equal(clean.x, moved.x)
    np.testing.assert_array_equal(moved.y[inside], (clean.y[inside] + 1) % 3)
    # A plane separates what changed from what did not: a linear fit finds it.
    _, far = both(Concept(), share / 2)
    assert (inside | (clean.y == far.y)).all()


def test_concept_mirrors_values_at_their_mean() -> None:
    clean, moved = both(Concept(), 0.3, Linear())
    changed = clean.y != moved.y
    middle = clean.y.mean()
    np.testing.assert_allclose(
        moved.y[changed] - middle, middle - clean.y[changed], atol=1e-5
    )


def drifting(shift: Shift, family: DataFamily, horizon: int = 20) -> SupervisedBatch:
    place = BatchSpec(dtype=torch.float64)
    changed = shift.apply(setting(family, horizon), 0.3)
    tasks = changed.family.draw(changed, streams(2), "test", place)
    assert isinstance(tasks, SupervisedBatch)
    return tasks


def losses(tasks: SupervisedBatch) -> torch.Tensor:
    start = tasks.start()
    return torch.stack([tasks.gradient(start, k).loss for k in range(21)])


def test_abrupt_drift_turns_the_task_into_its_shifted_form_at_once() -> None:
    clean = drifting(Stretch(), Moons())  # any shift: only its start is compared
    tasks = drifting(Drift(start=0.5), Moons())
    found = losses(tasks)
    after = drifting(Concept(), Moons()).gradient(tasks.start(), 0).loss
    assert tasks.drift_start == 10
    assert torch.equal(tasks.start(), clean.start())
    assert (found[:10] == found[0]).all()
    assert (found[10:] == found[10]).all()
    torch.testing.assert_close(found[10], after)
    assert not torch.allclose(found[0], found[10])


def test_gradual_drift_changes_row_by_row_and_ends_where_the_abrupt_one_does() -> None:
    tasks = drifting(GradualDrift(start=0.25, length=0.5), Moons())
    found = losses(tasks)
    abrupt = losses(drifting(Drift(start=0.25), Moons()))
    assert tasks.drift_start == 5
    assert (found[:6] == found[0]).all()
    assert len({round(float(loss), 9) for loss in found[5:16, 0]}) > 5
    torch.testing.assert_close(found[15:], abrupt[15:])


@pytest.mark.parametrize(
    ("shift", "family", "words"),
    [
        (Translate(), Quadratic(), "bare function"),
        (Concept(), Quadratic(), "bare function"),
        (Drift(), Quadratic(), "bare function"),
        (LabelNoise(), Sinusoid(), "no classes"),
        (Imbalance(), Linear(), "no classes"),
        (Rotate(), Sinusoid(), "at least 2"),
        (Translate(), Sinusoid(), ""),
        (LabelNoise(), Gaussians(), ""),
    ],
)
def test_a_shift_that_does_not_fit_says_why(
    shift: Shift, family: Family, words: str
) -> None:
    reason = shift.why_not(setting(family))
    assert words in (reason or "") if words else reason is None


def test_changes_can_be_made_one_after_the_other() -> None:
    made: Callable[[Setting], Setting] = lambda s: Stretch().apply(  # noqa: E731
        Drift().apply(s, 0.3), 1.0
    )
    changed = made(setting(Moons()))
    sample = Moons().sample(Rng(1), "test")
    for warp in changed.warps:
        sample = warp(sample, Rng(1))
    assert sample.later is not None
    np.testing.assert_array_equal(sample.later.x, sample.x)
