"""Evolution strategies, whole, truncated and persistent, against known gradients."""

import pytest
import torch

from engine.algorithms.optimization.learned_optimizer import RuleProblem
from engine.algorithms.optimization.perturbations import draw_noise, perturb_weights
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.estimators.es import Es
from engine.estimators.pes import Pes
from engine.estimators.unroll import Unroll
from engine.learners.optimizer.lr_scale import LrScale
from engine.nets.mlp import Mlp
from engine.outers.sgd import Sgd
from engine.protocol import BatchSpec, Estimator, Meta, Setting, Weights
from engine.tasks.optimization.mixtures import Mixtures
from tests.estimators.worlds import DOUBLE, Influence, estimates, lesson_of

STEPS = 40
CONTROLLER = LrScale(lr=0.1)
# What it sees is no function of its own past, so that its unroll is exact.
BLIND = LrScale(lr=0.1, signals=("progress",))


def true_slope(problem: Influence, theta: float, steps: int) -> float:
    """Return d Σ loss / dθ over a whole run, by differentiating all of it."""
    exact = Unroll(length=steps, order="second", equal=False)
    grads = estimates(exact, problem, problem.start(theta), 1)[0].grads
    assert grads is not None
    return steps * grads["theta"][0, 0].item()


def sum_of_slopes(estimator: Estimator, problem: Influence) -> torch.Tensor:
    """Return the summed estimates of a run in windows; one per replicate."""
    span = estimator.window_length(problem.horizon)
    found = estimates(estimator, problem, problem.start(0.5), problem.horizon // span)
    grads = [outer.grads["theta"][:, 0] for outer in found if outer.grads is not None]
    return span * torch.stack(grads).sum(0)


def test_pes_one_step_at_a_time_is_unbiased_and_truncated_es_is_not() -> None:
    problem = Influence(replicates=64, horizon=STEPS)
    truth = true_slope(Influence(horizon=STEPS), 0.5, STEPS)
    persistent = sum_of_slopes(Pes(sigma=0.1, pairs=64, unroll=1, shared=True), problem)
    truncated = sum_of_slopes(Es(sigma=0.1, pairs=64, unroll=1, shared=True), problem)
    error = persistent.std() / 8
    assert abs(persistent.mean() - truth) < 4 * error
    assert abs(truncated.mean() - truth) > 20 * error


def test_truncated_es_is_the_truncated_unroll_on_average() -> None:
    truncated = sum_of_slopes(
        Es(sigma=0.1, pairs=64, unroll=2, shared=True),
        Influence(replicates=64, horizon=STEPS),
    )
    exact = sum_of_slopes(Unroll(length=2, equal=False), Influence(horizon=STEPS))
    error = truncated.std() / 8
    assert abs(truncated.mean() - exact[0]) < 4 * error
    assert error < abs(exact[0]) / 20


def test_pes_finds_the_balance_and_truncated_es_runs_from_it() -> None:
    """Published size: 1000 particles, 3000 steps; tests/benchmarks has it."""
    ends = {}
    for name, estimator in {
        "pes": Pes(unroll=1),
        "es": Es(unroll=1),
    }.items():
        problem = Influence(tasks=100, horizon=1200)
        weights, memory = problem.start(0.5), {}
        for step in range(problem.horizon):
            step_context = lesson_of(problem, step, problem.horizon)
            outer = estimator.estimate(Meta(weights, memory), problem, step_context)
            assert outer.grads is not None
            weights, _ = Sgd(lr=1e-4, clip=0.0).step(weights, outer.grads, {})
            memory = outer.memory
        ends[name] = weights["theta"].item()
    assert abs(ends["pes"] + 1 / 6) < 0.02
    assert ends["es"] > 0.6


@pytest.mark.parametrize(
    ("window", "right"),
    [(1, False), (10, False), (30, False), (100, False), (200, True)],
)
def test_an_unroll_of_up_to_100_steps_pushes_influence_the_wrong_way(
    window: int, right: bool
) -> None:
    """From rest at θ = 0.5 the balance lies below, so a right slope is positive."""
    problem = Influence(horizon=2000)
    estimator = Unroll(length=window, equal=False)
    meta = Meta(problem.start(0.5), problem.at_rest(0.5))
    step_context = lesson_of(problem, 1, 2000 // window)
    grads = estimator.estimate(meta, problem, step_context).grads
    assert grads is not None
    assert (grads["theta"].item() > 0) is right


def controlled(
    replicates: int = 2, tasks: int = 3, learner: LrScale = CONTROLLER
) -> tuple[RuleProblem, Weights]:
    """Return the controller on small mixtures, its net not at rest."""
    horizon = 6
    setting = Setting(Mixtures(examples=8, held_out=2), Mlp(width=3), horizon)
    rngs = [Rng(3).child(r, t) for r in range(replicates) for t in range(tasks)]
    place = BatchSpec(replicates, dtype=DOUBLE)
    batch = setting.family.draw(setting, rngs, "train", place)
    weights = learner.init([Rng(r) for r in range(replicates)], batch).weights
    draw = torch.Generator().manual_seed(0)
    shaken = {
        k: v + 0.3 * torch.randn(v.shape, generator=draw, dtype=DOUBLE)
        for k, v in weights.items()
    }
    return RuleProblem(learner, batch), shaken


@pytest.mark.parametrize("shared", [False, True])
def test_pes_over_the_whole_horizon_is_es(shared: bool) -> None:
    problem, weights = controlled()
    one = estimates(Pes(unroll=6, pairs=2, shared=shared), problem, weights, 1)[0]
    two = estimates(Es(unroll=6, pairs=2, shared=shared), problem, weights, 1)[0]
    assert one.grads is not None
    assert two.grads is not None
    assert one.grads["w0"].abs().max() > 1e-3
    for name, grad in one.grads.items():
        torch.testing.assert_close(grad, two.grads[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "estimator", [Pes(), Pes(shared=True), Es(), Es(unroll=2), Unroll()]
)
def test_what_only_the_noise_depends_on_is_left_alone(estimator: Estimator) -> None:
    problem, weights = controlled()
    outer = estimates(estimator, problem, weights, 1)[0]
    assert outer.grads is not None
    assert outer.grads.keys() == weights.keys()
    assert not outer.grads["log_std"].any()
    assert outer.grads["b1"].all()


def test_es_is_the_slope_of_the_loss_in_its_own_directions() -> None:
    """With little noise L⁺ − L⁻ = 2σ ⟨ε, ∇L⟩, by a finite difference per member."""
    problem, weights = controlled(1, 2, BLIND)
    sigma = 1e-4
    outer = estimates(
        Es(sigma=sigma, pairs=3, unroll=6, shared=True), problem, weights, 1
    )[0]
    moving = {k: v for k, v in weights.items() if k != "log_std"}
    noise = draw_noise(moving, lesson_of(problem, 0, 1).rngs, (3, 2))
    exact = Unroll(length=6, order="second", equal=False)
    expected = torch.zeros_like(weights["b1"])
    for task in range(2):
        alone = RuleProblem(problem.learner, problem.batch.take([task]))
        slope = estimates(exact, alone, weights, 1)[0].grads
        assert slope is not None
        for pair in range(3):
            along = sum((noise[k][0, pair, task] * slope[k][0]).sum() for k in moving)
            expected += noise["b1"][:, pair, task] * along / 6
    assert outer.grads is not None
    torch.testing.assert_close(outer.grads["b1"], expected, rtol=1e-4, atol=0)


def test_particles_are_mirror_images() -> None:
    weights = {"a": torch.ones(2, 4, dtype=DOUBLE), "b": torch.zeros(2, 1)}
    noise = draw_noise({"a": weights["a"]}, (Rng(0), Rng(1)), (3, 5))
    above, below = perturb_weights(weights, noise, 0.1)["a"].chunk(2, dim=1)
    torch.testing.assert_close(above + below, torch.full((2, 15, 4), 2.0, dtype=DOUBLE))
    assert (above - below).abs().min() > 0
    assert not perturb_weights(weights, noise, 0.1)["b"].any()


def test_a_pair_on_a_task_of_its_own_costs_what_a_shared_task_does() -> None:
    budget = Budget()
    learner = LrScale()
    for own, shared in ((Pes(), Pes(shared=True)), (Es(), Es(shared=True))):
        one, two = (learner.plan(budget, estimator) for estimator in (own, shared))
        assert one.steps == two.steps
        assert one.tasks_per_step == 4 * two.tasks_per_step
        assert one.tasks_per_step * one.cost == two.tasks_per_step * two.cost


def test_the_default_experiment_takes_130_updates_of_pes() -> None:
    assert LrScale().plan(Budget(), Pes()).steps == 130
