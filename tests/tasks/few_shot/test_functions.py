"""Function families: their floors, their moments, and what a draw depends on."""

import time

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.protocol import Episode, generator
from engine.runner.context import RunContext
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot.ambiguous_functions import AmbiguousFunctions
from engine.tasks.few_shot.function_mixture import FunctionMixture, unit_function
from engine.tasks.few_shot.gaussian_process import GaussianProcess
from engine.tasks.few_shot.sinusoids import Sinusoids
from tests.laws.small import learner_spec

FAMILIES = (
    Sinusoids(),
    FunctionMixture(),
    GaussianProcess(),
    GaussianProcess(kernel="periodic", amplitude_high=3.0),
)


def episodes(family: EpisodeFamily, count: int, pool: str = "test") -> list[Episode]:
    return [family.sample(Rng(2).child(pool, task), pool) for task in range(count)]


def points(found: list[Episode]) -> tuple[np.ndarray, np.ndarray]:
    x = np.concatenate([e.held_x[0] for e in found]).astype(np.float64)
    return x, np.concatenate([e.held_y for e in found]).astype(np.float64)


def test_the_sinusoids_floors_are_those_of_the_paper() -> None:
    x, y = points(episodes(Sinusoids(queries=40), 4000))
    # E[A] = 2.55 and E[sin(x − p)] = (2/π) (−cos x) over phases from 0 to π.
    blind = -2.55 * 2.0 / np.pi * np.cos(x)
    each = np.stack([y**2, (y - blind) ** 2]).reshape(2, 4000, 40).mean(2)
    error = each.std(1) / 4000**0.5
    floors = np.array([4.252, 3.006])
    assert (np.abs(each.mean(1) - floors) < 4 * error).all()
    # So narrow a band that the two cannot be taken for one another.
    assert (error < 0.08).all()


def test_no_wave_of_x_alone_beats_the_task_blind_floor() -> None:
    x, y = points(episodes(Sinusoids(queries=40), 4000))
    basis = np.stack(
        [np.sin(k * x) for k in range(1, 5)] + [np.cos(k * x) for k in range(5)]
    )
    best = y - np.linalg.lstsq(basis.T, y, rcond=None)[0] @ basis
    assert np.mean(best**2) == pytest.approx(3.006, abs=0.3)


def test_a_waves_amplitude_phase_and_frequency_lie_in_their_ranges() -> None:
    family = Sinusoids(
        amplitude_low=2.0, amplitude_high=4.0, phase_low=0.5, phase=0.75, frequency=2.0
    )
    found = []
    for episode in episodes(family, 300):
        assert episode.truth is not None
        x, y = episode.truth.astype(np.float64)
        sine, cosine = np.linalg.lstsq(
            np.stack([np.sin(2 * x), np.cos(2 * x)], 1), y, rcond=None
        )[0]
        found.append((np.hypot(sine, cosine), np.arctan2(-cosine, sine) / np.pi))
    amplitude, phase = np.array(found).T
    for values, low, high in ((amplitude, 2.0, 4.0), (phase, 0.5, 0.75)):
        assert low - 1e-4 < values.min() < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < values.max() < high + 1e-4
        assert values.mean() == pytest.approx((low + high) / 2, rel=0.03)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_queries_and_picture_lie_on_one_function_and_noise_on_the_support_alone(
    family: EpisodeFamily,
) -> None:
    noisy = family.model_copy(update={"noise": 0.5})
    gaps = []
    for clean, other in zip(episodes(family, 100), episodes(noisy, 100), strict=True):
        np.testing.assert_array_equal(clean.held_y, other.held_y)
        np.testing.assert_array_equal(clean.x, other.x)
        np.testing.assert_array_equal(clean.truth, other.truth)
        gaps.append(other.y - clean.y)
        assert other.y.dtype == np.float32
    assert np.std(gaps) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    "family", [*FAMILIES, AmbiguousFunctions()], ids=lambda f: f.name
)
def test_more_shots_leave_the_queries_and_the_first_shots_as_they_were(
    family: EpisodeFamily,
) -> None:
    few, many = (family.model_copy(update={"shots": k}) for k in (3, 20))
    for one, two in zip(episodes(few, 5), episodes(many, 5), strict=True):
        np.testing.assert_array_equal(one.held_x, two.held_x)
        np.testing.assert_allclose(one.held_y, two.held_y, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(one.x, two.x[:, :3])
        np.testing.assert_allclose(one.y, two.y[:3], rtol=1e-5, atol=1e-5)


def test_a_mixture_has_each_kind_as_often_as_its_parts_say() -> None:
    family = FunctionMixture(lines=2.0, steps=0.0)
    kinds = np.zeros(4)
    for episode in episodes(family, 1000):
        assert episode.truth is not None
        kinds[kind_of(episode.truth[1].astype(np.float64))] += 1
    wanted = np.array([0.25, 0.5, 0.25, 0.0])
    error = np.sqrt(wanted * (1 - wanted) / 1000)
    assert (np.abs(kinds / 1000 - wanted) <= 4 * error).all()


def kind_of(y: np.ndarray) -> int:
    """Tell a function's kind by its differences over the picture's even grid."""
    first, second = np.diff(y), np.diff(y, 2)
    if (
        np.abs(first).max() < 1e-3 * np.abs(y).max()
        or (np.abs(first) > 1e-6).sum() <= 1
    ):
        return 3
    if np.abs(second).max() < 1e-3 * np.abs(first).max():
        return 1
    return 2 if np.ptp(second) < 0.05 * np.abs(second).max() + 1e-4 else 0


def test_steps_alone_take_two_values() -> None:
    for episode in episodes(FunctionMixture(lines=0, parabolas=0, sinusoids=0), 50):
        assert np.unique(np.abs(episode.held_y).round(5)).size == 1


def test_each_kind_has_a_size_of_1_over_the_inputs() -> None:
    z = np.linspace(-5, 5, 1001)
    for kind in range(4):
        assert np.abs(unit_function(kind, z)).max() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("kernel", ["rbf", "periodic"])
def test_a_gaussian_process_has_the_covariance_of_its_kernel(kernel: str) -> None:
    family = GaussianProcess(kernel=kernel, length_scale=1.5)  # type: ignore[arg-type]
    curves = np.stack([e.truth[1] for e in episodes(family, 1500)])  # type: ignore[index]
    gap = np.arange(101) * 0.1
    if kernel == "rbf":
        wanted = np.exp(-(gap**2) / 4.5)
    else:
        wanted = np.exp(-2 * np.sin(np.pi * gap / 4.0) ** 2 / 2.25)
    for start in (0, 30):
        found = (curves[:, [start]] * curves[:, start:]).mean(0)
        error = 4 * np.sqrt((1 + wanted**2) / 1500)[: len(found)]
        assert (np.abs(found - wanted[: len(found)]) < error).all()
    assert np.abs(curves.mean(0)).max() < 5 / 1500**0.5


def test_the_best_prediction_of_a_gaussian_process_is_right_about_its_own_error() -> (
    None
):
    """Kriging from the support, written down anew, must predict the queries' spread."""
    z = []
    for e in episodes(GaussianProcess(shots=8), 200):
        x, held = e.x[0].astype(np.float64), e.held_x[0].astype(np.float64)
        k = np.exp(-0.5 * np.subtract.outer(x, x) ** 2) + 1e-8 * np.eye(8)
        across = np.exp(-0.5 * np.subtract.outer(held, x) ** 2)
        weight = np.linalg.solve(k, across.T).T
        left = 1.0 - (weight * across).sum(1)
        sure = left > 1e-3
        z += list(((e.held_y - weight @ e.y)[sure]) / np.sqrt(left[sure]))
    assert np.mean(np.square(z)) == pytest.approx(1.0, abs=0.1)


def test_lessons_of_a_gaussian_process_are_the_same_without_the_picture() -> None:
    with_picture = GaussianProcess().sample(Rng(1), "test")
    without = GaussianProcess().sample(Rng(1), "train")
    assert with_picture.truth is not None and without.truth is None
    np.testing.assert_allclose(with_picture.held_y, without.held_y, atol=1e-6)
    np.testing.assert_allclose(with_picture.y, without.y, atol=1e-6)


@pytest.mark.parametrize(
    ("family", "words", "field"),
    [
        (
            Sinusoids(amplitude_low=6.0),
            "Smallest amplitude is 6; it can be at most the largest amplitude, "
            "which is 5",
            "amplitude_low",
        ),
        (Sinusoids(phase=-0.5), "Smallest phase is 0; .* which is -0.5", "phase_low"),
        (FunctionMixture(phase_low=2.0), "Smallest phase is 2", "phase_low"),
        (FunctionMixture(amplitude_high=0.0), "Smallest amplitude", "amplitude_low"),
        (
            FunctionMixture(sinusoids=0, lines=0, parabolas=0, steps=0),
            "Every kind of function has 0 parts",
            "sinusoids",
        ),
        (GaussianProcess(amplitude_low=2.0), "Smallest amplitude", "amplitude_low"),
    ],
)
def test_knobs_that_do_not_fit_together_are_refused(
    family: EpisodeFamily, words: str, field: str
) -> None:
    with pytest.raises(Refused, match=words) as refusal:
        family.check()
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "family", ["sinusoids", "function_mixture", "gaussian_process"]
)
def test_supports_of_a_batch_are_what_was_sampled(family: str) -> None:
    context = RunContext(learner_spec("maml", family))
    tasks = context.draw(context.setting, "test", ("test", 0), 2)
    stream = context.rng.child("test", 1, 0, 1)
    alone = context.setting.family.sample(stream, "test")  # type: ignore[attr-defined]
    np.testing.assert_array_equal(tasks.take([3]).support.x[0], alone.x)  # type: ignore[attr-defined]
    assert tasks.take([3]).truth is not None  # type: ignore[attr-defined]


def test_half_of_the_ambiguous_functions_are_lines_and_half_are_waves() -> None:
    lines, waves = [], []
    for episode in episodes(AmbiguousFunctions(), 1000):
        assert episode.truth is not None
        x, y = episode.truth.astype(np.float64)
        slope, intercept = np.polyfit(x, y, 1)
        if np.abs(slope * x + intercept - y).max() < 1e-5:
            lines.append((slope, intercept))
            continue
        basis = np.stack([np.sin(x), np.cos(x)], 1)
        (sine, cosine), left, *_ = np.linalg.lstsq(basis, y, rcond=None)
        assert left < 1e-6, "neither a line nor a wave of frequency 1"
        waves.append((np.hypot(sine, cosine), np.arctan2(-cosine, sine) / np.pi))
    assert abs(len(lines) - 500) < 4 * 250**0.5
    assert 2.9 < np.abs(lines).max() < 3 and np.abs(np.mean(lines, 0)).max() < 0.3
    assert np.min(waves, 0)[0] > 0.1 - 1e-4 and np.max(waves, 0)[0] < 5 + 1e-4
    assert np.min(waves, 0)[1] > -1e-4 and np.max(waves, 0)[1] < 1 + 1e-4


def test_ambiguous_functions_are_noisy_on_support_and_queries_not_in_the_plot() -> None:
    clean = episodes(AmbiguousFunctions(noise=0.0), 200)
    noisy = episodes(AmbiguousFunctions(), 200)
    shown = np.concatenate([n.y - c.y for c, n in zip(clean, noisy, strict=True)])
    held = np.concatenate(
        [n.held_y - c.held_y for c, n in zip(clean, noisy, strict=True)]
    )
    assert np.std(shown) == pytest.approx(0.3, rel=0.1)
    assert np.std(held) == pytest.approx(0.3, rel=0.07)
    for one, two in zip(clean, noisy, strict=True):
        np.testing.assert_array_equal(one.truth, two.truth)


@pytest.mark.parametrize("kind", [Sinusoids, AmbiguousFunctions])
def test_a_limited_number_of_training_tasks_leaves_validation_and_tests_alone(
    kind: type[EpisodeFamily],
) -> None:
    family = kind(train_tasks=3)  # type: ignore[call-arg]

    def supports(of: EpisodeFamily, pool: str, replicate: int = 0) -> list[bytes]:
        rngs = [Rng(2).child(pool, replicate, task) for task in range(40)]
        return [of.sample(rng, pool).y.tobytes() for rng in rngs]

    assert len(set(supports(family, "train"))) == 3
    assert not set(supports(family, "train")) & set(supports(family, "train", 1))
    assert len(set(supports(kind(), "train"))) == 40
    for pool in ("validation", "test"):
        assert supports(family, pool) == supports(kind(), pool)


def test_a_generator_is_the_one_of_its_key() -> None:
    for task in range(50):
        rng = Rng(3).child("test", task)
        keyed = np.random.Generator(np.random.Philox(key=rng.key()))
        np.testing.assert_array_equal(generator(rng).random(7), keyed.random(7))


def test_a_sinusoid_is_drawn_in_less_than_the_time_of_a_hundred_sines() -> None:
    """A guard against loops: measured beside numpy itself, so a busy machine passes."""
    x = np.linspace(-5, 5, 1000)

    def timed(play: object) -> float:
        clock = time.perf_counter()
        for _ in range(100):
            play()  # type: ignore[operator]
        return time.perf_counter() - clock

    family, rng = Sinusoids(), Rng(1)
    one = min(timed(lambda: family.sample(rng, "train")) for _ in range(5))
    sines = min(timed(lambda: [np.sin(x) for _ in range(100)]) for _ in range(5))
    assert one < sines
