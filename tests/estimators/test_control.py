"""Every training of the controller learns to speed up a rate ten times too small.

`tests/benchmarks/control.py` measures how much, at the default budget.
"""

import pytest
import torch
from torch import Tensor

from engine.algorithms.optimization.training_loop import objective
from engine.contract.rng import Rng
from engine.estimators.es import Es
from engine.estimators.pes import Pes
from engine.estimators.policy_gradient import PolicyGradient
from engine.estimators.ppo import Ppo
from engine.estimators.unroll import Unroll
from engine.learners.optimizer.lr_scale import LrScale
from engine.nets.mlp import Mlp
from engine.outers.adam import Adam
from engine.protocol import (
    BatchSpec,
    Estimator,
    Learner,
    Meta,
    OptimizationBatch,
    Setting,
    Weights,
)
from engine.protocol.member_chunks import join_segments
from engine.tasks.optimization.mixtures import Mixtures
from tests.estimators.worlds import lesson_of

REPLICATES, HORIZON, RATE = 4, 30, 0.03
SETTING = Setting(Mixtures(held_out=2), Mlp(width=16), HORIZON)


def drawn(pool: str, place: int, tasks: int) -> OptimizationBatch:
    streams = [Rng(2).child(pool, r, place) for r in range(REPLICATES)]
    rngs = [stream.child(t) for stream in streams for t in range(tasks)]
    return SETTING.family.draw(
        SETTING, rngs, pool, BatchSpec(REPLICATES, measure_held_out=False)
    )


def runs(
    learner: Learner, weights: Weights, tasks: OptimizationBatch
) -> tuple[Tensor, Tensor]:
    """Return the mean log loss of each task, (member,), and the scales."""
    traces = join_segments(list(learner.adapt(Meta(weights, {}), tasks))).traces
    return objective(traces["loss"]).mean(1), traces["lr_scale"]


def trained(learner: LrScale, estimator: Estimator, updates: int) -> Weights:
    """Meta-train from the learner's start; return the last meta-weights."""
    outer = Adam(lr=0.04)
    weights = learner.init([Rng(r) for r in range(REPLICATES)], drawn("train", 0, 1))
    meta, state = weights, outer.start(weights.weights)
    segments = -(-HORIZON // estimator.window_length(HORIZON))
    for step in range(updates):
        tasks = drawn("train", step // segments, 4 * estimator.task_multiplier)
        step_context = lesson_of(tasks, step, segments)
        found = learner.outer(meta, tasks, step_context, estimator)
        if found.grads is not None:
            moved, state = outer.step(meta.weights, found.grads, state)
        else:
            assert found.weights is not None
            moved = found.weights
        meta = Meta(moved, found.memory)
    return meta.weights


@pytest.mark.parametrize(
    ("estimator", "updates"),
    [
        (Pes(unroll=15), 50),
        (Es(), 45),
        (Unroll(), 25),
        (PolicyGradient(), 120),  # with fewer, the luck of the rollouts decides
        (Ppo(lr=0.04), 15),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_little_training_lowers_the_loss_of_held_out_tasks(
    estimator: Estimator, updates: int
) -> None:
    learner = LrScale(lr=RATE)
    exam = drawn("test", 0, 96)  # so many that rounding cannot decide the test
    start = learner.init([Rng(r) for r in range(REPLICATES)], exam).weights
    before, flat = runs(learner, start, exam)
    after, scales = runs(learner, trained(learner, estimator, updates), exam)
    gain = before - after
    error = gain.std() / len(gain) ** 0.5
    assert gain.mean() > 3 * error
    assert torch.equal(flat, torch.ones_like(flat))
    assert scales.log().std() > 0.1
