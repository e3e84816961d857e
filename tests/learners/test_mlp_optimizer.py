"""The MLP optimizer: what it sees has no scale, and it learns to descend."""

import torch

from engine.algorithms.optimization.training_loop import objective, optimizer_input
from engine.contract.rng import Rng
from engine.estimators.pes import Pes
from engine.learners.optimizer.mlp_optimizer import FEATURES, MlpOptimizer, MlpRule
from engine.outers.adam import Adam
from engine.protocol import Meta, OptimizationBatch, OuterStepContext, Weights
from engine.protocol.member_chunks import join_segments
from tests.learners.bowls import Draw


def rule_on(tasks: OptimizationBatch, learner: MlpOptimizer) -> MlpRule:
    theta = learner.init([Rng(0)], tasks).weights
    theta = {k: v.repeat_interleave(tasks.members, 0) for k, v in theta.items()}
    theta["w2"] = theta["w2"] + 0.1
    rule = learner.rule(theta, tasks)
    assert isinstance(rule, MlpRule)
    return rule


def seen_by(
    rule: MlpRule, tasks: OptimizationBatch, factor: float, steps: int = 4
) -> Weights:
    """Return features and updates of some steps, gradients × a factor."""
    weights = tasks.start()
    state = rule.start(weights)
    updates, features = [], []
    for step in range(steps):
        seen = optimizer_input(tasks, weights, step)
        seen = seen._replace(grad=factor * seen.grad)
        features.append(rule._features(seen, seen.grad, state))
        move = rule.step(seen, state)
        state, weights = move.state, weights + move.update
        updates.append(move.update)
    return {"features": torch.stack(features), "updates": torch.stack(updates)}


def test_at_its_start_it_rests(draw: Draw) -> None:
    tasks, learner = draw(tasks=2, horizon=4), MlpOptimizer()
    traces = join_segments(
        list(learner.adapt(learner.init([Rng(0)], tasks), tasks))
    ).traces
    assert not traces["update_norm"].any()
    assert (traces["loss"] == traces["loss"][:, :1]).all()


def test_the_features_are_of_size_one_for_every_tensor(draw: Draw) -> None:
    tasks = draw(tasks=3)
    features = seen_by(rule_on(tasks, MlpOptimizer()), tasks, 1e3)["features"]
    assert features.shape[2] == FEATURES
    for part in features[1:, :, 0].split(tasks.layout.sizes, dim=-1):
        size = part.square().mean(-1).sqrt()
        assert ((size > 0.5) & (size < 1.0 + 1e-6)).all()


def test_a_loss_a_million_times_as_large_is_descended_alike(draw: Draw) -> None:
    tasks = draw(tasks=2)
    rule = rule_on(tasks, MlpOptimizer())
    one, two = seen_by(rule, tasks, 1e6), seen_by(rule, tasks, 1e12)
    assert (one["updates"] - two["updates"]).abs().max() < 1e-6
    assert one["updates"].abs().max() > 1e-4


def test_nan_gradients_give_a_finite_step(draw: Draw) -> None:
    tasks = draw(tasks=2)
    rule = rule_on(tasks, MlpOptimizer())
    seen = optimizer_input(tasks, tasks.start(), 0)
    seen = seen._replace(grad=torch.full_like(seen.grad, torch.nan))
    assert rule.step(seen, rule.start(seen.weights)).update.isfinite().all()


def test_a_little_training_makes_it_descend_fresh_tasks(draw: Draw) -> None:
    learner, estimator, outer = MlpOptimizer(hidden=8), Pes(unroll=8), Adam()
    tasks = draw(tasks=8, horizon=16)
    exam = draw(replicates=2, tasks=8, horizon=16).take(range(8, 16))
    meta = learner.init([Rng(0)], tasks)
    state = outer.start(meta.weights)
    for step in range(24):
        step_context = OuterStepContext(step, step % 2, 2, (Rng(2).child(step),))
        found = learner.outer(meta, tasks, step_context, estimator)
        assert found.grads is not None
        weights, state = outer.step(meta.weights, found.grads, state)
        meta = Meta(weights, found.memory)
    loss = objective(join_segments(list(learner.adapt(meta, exam))).traces["loss"])
    assert (loss[:, -1] - loss[:, 0]).mean() < -0.05
