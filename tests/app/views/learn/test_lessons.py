"""The live figures of the lessons compute what they say they compute."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from app.client import recorded_examples
from app.client.catalogue import Catalogue
from app.figures.figure_types import Floats
from app.views.learn import claimed_spread, sine_net, smooth_functions
from app.views.learn.lessons import LESSONS
from app.views.learn.simulated_search import Setting, Table, evolution, random_search
from app.views.learn.valley import (
    Valleys,
    descend,
    learn_rates,
    log_loss_gradient,
    losses,
    mean_losses,
    tune_rate,
)
from tests.app.conftest import ROOT


def recorded_film(kind: str) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return the arrays of a film, and those of the frozen MAML where there is one."""
    run = recorded_examples.read_recorded(ROOT / f"app/recorded/{kind}.zip")
    frozen = run.films.get("maml")
    return dict(run.films["film"].arrays), dict(frozen.arrays) if frozen else {}


def test_descent_follows_the_gradient() -> None:
    valleys = Valleys(np.array([[0.2, 1.5]]), np.array([[-2.0, 1.0]]))
    w, rate, path = valleys.start[0], 0.7, [valleys.start[0]]
    for _ in range(5):
        w = w - rate * valleys.curvature[0] * w
        path.append(w)
    assert np.allclose(descend(valleys, np.full(5, rate))[0], path)
    expected = 0.5 * (0.2 * path[3][0] ** 2 + 1.5 * path[3][1] ** 2)
    assert losses(valleys, np.array([path]))[0, 3] == pytest.approx(expected)


def test_the_meta_gradient_is_that_of_finite_differences() -> None:
    valleys = Valleys.draw(np.random.default_rng(5), 16)
    rates, small = np.geomspace(0.5, 4.0, 6), 1e-6

    def value(logs: Floats) -> float:
        return float(np.log(mean_losses(valleys, np.exp(logs))[-1]))

    steps = small * np.eye(6)
    found = [
        (value(np.log(rates) + step) - value(np.log(rates) - step)) / (2 * small)
        for step in steps
    ]
    assert np.allclose(log_loss_gradient(valleys, rates), found, rtol=1e-5)


def test_learned_step_sizes_win_on_new_valleys_but_not_on_steeper_ones() -> None:
    trained_on = Valleys.draw(np.random.default_rng(0), 64)
    learned = learn_rates(trained_on, 8, 200)[-1]
    tuned = np.full(8, tune_rate(trained_on, 8))
    for stretch, is_better in ((1.0, True), (2.0, False)):
        new = Valleys.draw(np.random.default_rng(1), 500, stretch)
        ends = [mean_losses(new, rates)[-1] for rates in (learned, tuned)]
        assert bool(ends[0] < ends[1]) is is_better


def test_the_net_of_the_page_adapts_as_the_recorded_run_did() -> None:
    film, weights = recorded_film("few_shot")
    net = sine_net.first_net(weights)
    x = film["x"].astype(np.float64)
    for task in range(3):
        given, targets = film["support_x"][task], film["support_y"][task]
        for place, steps in enumerate(film["maml/steps"]):
            adapted = sine_net.adapt(net, given, targets, 0.01, int(steps))
            recorded = film["maml/curve"][task, place]
            assert np.allclose(sine_net.answer(adapted, x), recorded, atol=1e-3)


@pytest.fixture(scope="module")
def table() -> Table:
    film, _ = recorded_film("search")
    return Table(film["scores"].astype(np.float64), (3, 4, 4, 3, 2, 3, 3))


def test_random_search_has_the_expected_regret(table: Table) -> None:
    found = random_search(table, Setting(4000, evaluations=10))
    # E[max of n draws] from the distribution of the scores.
    ordered = np.sort(table.scores)
    ranks = np.arange(len(ordered) + 1) / len(ordered)
    expected = float((ordered * np.diff(ranks**10)).sum())
    error = found[:, -1].std() / np.sqrt(4000)
    assert abs(table.scores.max() - expected - found[:, -1].mean()) < 4 * error


def test_evolution_beats_random_search_and_starts_like_it(table: Table) -> None:
    setting = Setting(100)
    alone, evolved = random_search(table, setting), evolution(table, setting)
    assert np.array_equal(alone[:, :20], evolved[:, :20])
    assert evolved[:, -1].mean() < alone[:, -1].mean()
    assert np.all(np.diff(evolved) <= 0)  # without noise, regret never rises


def test_noise_makes_a_search_choose_worse(table: Table) -> None:
    clean, noisy = (evolution(table, Setting(100, noise=n)) for n in (0.0, 0.05))
    assert noisy[:, -1].mean() > clean[:, -1].mean()
    more = evolution(table, Setting(200, noise=0.05))
    assert more.shape == (200, 100)


def test_likelihood_and_coverage_are_those_of_many_draws() -> None:
    draws = np.random.default_rng(0).normal(size=400_000)
    for claimed in (0.5, 1.0, 2.0):
        nll = 0.5 * np.log(2 * np.pi) + np.log(claimed) + 0.5 * (draws / claimed) ** 2
        known = claimed_spread.expected_nll(np.array([claimed]))[0]
        assert known == pytest.approx(nll.mean(), abs=0.02)
        inside = np.abs(draws) < 1.6448536 * claimed
        covered = claimed_spread.coverage(claimed, np.array([0.9]))[0]
        assert covered == pytest.approx(inside.mean(), abs=0.003)
    assert claimed_spread.calibration_error(1.0) == pytest.approx(0.0, abs=1e-9)


def test_the_belief_of_smooth_functions_is_that_of_scikit_learn() -> None:
    x = np.linspace(-3, 3, 31)
    given = np.array([[-2.0, 0.3, 1.7], [0.5, -1.0, 0.2]])
    kernel = RBF(0.7)
    reference = GaussianProcessRegressor(kernel, alpha=1e-6, optimizer=None)
    reference.fit(given[0][:, None], given[1])
    mean, spread = reference.predict(x[:, None], return_std=True)
    found = smooth_functions.believe(x, given, 0.7)
    assert np.allclose(found.mean, mean, atol=1e-6)
    assert np.allclose(found.spread, spread, atol=1e-4)
    nothing = smooth_functions.believe(x, np.zeros((2, 0)), 0.7)
    assert np.allclose(nothing.spread, 1.0)


def test_lessons_lead_to_experiments_that_are_shipped(known: Catalogue) -> None:
    shipped = {preset.name for preset in known.presets}
    for lesson in LESSONS.values():
        assert {name for step in lesson.steps for name in step.shown} <= shipped
        assert any(step.draw for step in lesson.steps), lesson.title
