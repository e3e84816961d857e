"""The gradient through an unroll, against finite differences and a closed form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

import engine.estimators
import engine.learners
from engine.algorithms.optimization.learned_optimizer import (
    LearnedOptimizer,
    RuleProblem,
)
from engine.algorithms.optimization.training_loop import objective
from engine.contract.registry import import_modules, part
from engine.contract.rng import Rng
from engine.estimators.unroll import Unroll
from engine.nets.mlp import Mlp
from engine.protocol import (
    BatchSpec,
    Meta,
    OptimizationBatch,
    OptimizerInput,
    OptimizerUpdate,
    OuterStepContext,
    Setting,
    UnrollWindow,
    UpdateRule,
    Weights,
)
from engine.protocol.member_chunks import join_segments
from engine.tasks.optimization.mixtures import Mixtures
from tests.learners.bowls import random_bowls

import_modules(engine.learners)
import_modules(engine.estimators)
DOUBLE = torch.float64
STEPS, NUDGE = 6, 1e-6
# An LSTM whose answers depend on the gradients enough for second order to matter.
TOUCHY: dict[str, object] = {"hidden": 3, "scale": 1.0, "p": 2.0}


def small_tasks(
    replicates: int = 2, tasks: int = 2, weight_decay: float = 0.0
) -> OptimizationBatch:
    net = Mlp(width=4, activation="tanh", weight_decay=weight_decay)
    setting = Setting(Mixtures(examples=12, held_out=4), net, STEPS)
    rngs = [Rng(9).child(r, t) for r in range(replicates) for t in range(tasks)]
    return setting.family.draw(
        setting, rngs, "train", BatchSpec(replicates, dtype=DOUBLE)
    )


def shaken(weights: Weights, size: float = 0.2) -> Weights:
    """Move away from the start, where an answer of 0 hides most of the gradient."""
    draw = torch.Generator().manual_seed(2)
    return {
        name: value + size * torch.randn(value.shape, generator=draw, dtype=DOUBLE)
        for name, value in weights.items()
    }


def grads_of(learner: LearnedOptimizer, weights: Weights, order: str) -> Weights:
    step_context = OuterStepContext(0, 0, 1, (Rng(0), Rng(1)))
    estimator = Unroll(length=STEPS, order=order, equal=False)
    outer = learner.outer(Meta(weights, {}), small_tasks(), step_context, estimator)
    assert outer.grads is not None
    return outer.grads


def meta_loss(learner: LearnedOptimizer, weights: Weights) -> Tensor:
    """Return the mean log loss after each step, by the public way: adapt."""
    traces = join_segments(list(learner.adapt(Meta(weights, {}), small_tasks()))).traces
    return objective(traces["loss"])[:, 1:].mean(1).unflatten(0, (2, -1)).mean(1)


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        # Signals of the state are taken as given; progress alone is given anyway.
        ("lr_scale", {"signals": ("progress",), "bound": 5.0}),
        ("lstm", TOUCHY),
    ],
)
def test_the_second_order_gradient_is_a_finite_difference(
    name: str, knobs: dict[str, object]
) -> None:
    learner = part("learner", name)(**knobs)
    assert isinstance(learner, LearnedOptimizer)
    start = learner.init([Rng(0), Rng(1)], small_tasks()).weights
    weights = shaken(start, 0.5)
    weights |= {k: start[k] for k in start if k == "log_std"}
    grads = grads_of(learner, weights, "second")
    draw = torch.Generator().manual_seed(4)
    for _ in range(3):
        way = {
            k: torch.randn(v.shape, generator=draw, dtype=DOUBLE)
            for k, v in weights.items()
        }
        up = meta_loss(learner, {k: v + NUDGE * way[k] for k, v in weights.items()})
        down = meta_loss(learner, {k: v - NUDGE * way[k] for k, v in weights.items()})
        slope = sum((grads[k] * way[k]).flatten(1).sum(1) for k in weights)
        assert isinstance(slope, Tensor)
        found = (up - down) / (2 * NUDGE)
        assert ((slope - found) / found).abs().max() < 1e-5


def test_the_first_order_gradient_is_another_one() -> None:
    learner = part("learner", "lstm")(**TOUCHY)
    assert isinstance(learner, LearnedOptimizer)
    weights = shaken(learner.init([Rng(0), Rng(1)], small_tasks()).weights, 0.5)
    first = grads_of(learner, weights, "first")["answer.w"]
    second = grads_of(learner, weights, "second")["answer.w"]
    assert ((first - second).norm() / second.norm()) > 1e-3


@dataclass(frozen=True)
class RateRule(UpdateRule):
    """w ← w − ηₜ g: the weights of the meta-learner are the rates themselves."""

    rates: Tensor

    def start(self, weights: Tensor) -> Weights:
        return {}

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        rate = self.rates[:, inputs.step, None]
        return OptimizerUpdate(-rate * inputs.grad, state, {})


class Rates(LearnedOptimizer):
    """One rate per step."""

    version: ClassVar[int] = 1

    def init(self, rngs: Sequence[Rng], tasks: OptimizationBatch) -> Meta:
        rates = torch.full((len(rngs), tasks.horizon), 0.05, dtype=DOUBLE)
        return Meta({"rates": rates}, {})

    def rule(
        self, theta: Weights, tasks: OptimizationBatch, noise: tuple[Rng, ...] = ()
    ) -> UpdateRule:
        return RateRule(theta["rates"])


@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_the_first_order_gradient_of_a_rate_is_minus_g_dot_later_ones(
    decay: float,
) -> None:
    """d Σ ln L_s / d ηₜ = −⟨gₜ, Σ_{s>t} ∇L_s / L_s⟩, the inner gradient held fixed."""
    learner = Rates()
    tasks = small_tasks(weight_decay=decay) if decay else random_bowls(4, STEPS)
    meta = learner.init([Rng(0)], tasks)
    tasks.replicates = 1
    step_context = OuterStepContext(0, 0, 1, (Rng(0),))
    outer = learner.outer(meta, tasks, step_context, Unroll(length=STEPS, equal=False))
    assert outer.grads is not None
    path = join_segments(list(learner.adapt(meta, tasks, path=True))).path
    assert path is not None
    seen = [tasks.gradient(path[:, t], t) for t in range(STEPS + 1)]
    slopes = [
        (s.grad - decay * path[:, t]) / s.loss[:, None] for t, s in enumerate(seen)
    ]
    for t in range(STEPS):
        later = torch.stack(slopes[t + 1 :]).sum(0)
        closed = -(seen[t].grad * later).sum(1).mean() / STEPS
        assert outer.grads["rates"][0, t] == pytest.approx(closed.item(), rel=1e-9)


def test_segments_of_an_unroll_follow_the_run_of_adapt() -> None:
    learner = part("learner", "lstm")(hidden=3)
    assert isinstance(learner, LearnedOptimizer)
    tasks = small_tasks(replicates=1)
    meta = learner.init([Rng(0)], tasks)
    problem = RuleProblem(learner, tasks)
    state = problem.begin(1)
    pieces = []
    for start, length in ((0, 2), (2, 3), (5, 1)):
        state, scores, _ = problem.segment(
            meta.weights, state, UnrollWindow(start, length)
        )
        pieces.append(scores)
    traces = join_segments(list(learner.adapt(meta, tasks))).traces
    assert torch.allclose(torch.cat(pieces, 1), objective(traces["loss"])[:, 1:])


@pytest.mark.parametrize("name", ["lr_scale", "lstm", "mlp_optimizer"])
def test_particles_lie_between_replicate_and_task(name: str) -> None:
    """Each particle's members, wherever they lie, are its own run on each task."""
    learner = part("learner", name)()
    assert isinstance(learner, LearnedOptimizer)
    tasks, particles = small_tasks(replicates=2, tasks=3), 4
    start = learner.init([Rng(r) for r in range(2)], tasks).weights
    theta = shaken({k: v.repeat_interleave(particles, 0) for k, v in start.items()})
    problem = RuleProblem(learner, tasks)
    _, scores, _ = problem.segment(
        theta, problem.begin(particles), UnrollWindow(0, STEPS, particles=particles)
    )
    scores = scores.reshape(2, particles, 3, STEPS)
    for r, p, t in ((0, 0, 0), (0, 3, 1), (1, 2, 0), (1, 3, 2)):
        row = r * particles + p
        alone = Meta({k: v[row : row + 1] for k, v in theta.items()}, {})
        traces = join_segments(
            list(learner.adapt(alone, tasks.take([3 * r + t])))
        ).traces
        assert torch.allclose(scores[r, p, t], objective(traces["loss"])[0, 1:])
