"""The LSTM optimizer: its cell is torch's, each weight is alone, it learns."""

import math

import torch

from engine.algorithms.optimization.training_loop import objective, optimizer_input
from engine.contract.rng import Rng
from engine.estimators.unroll import Unroll
from engine.learners.optimizer.lstm import Lstm
from engine.nets.lstm import apply_lstm, init_lstm, preprocess, start_lstm
from engine.nets.mlp import Mlp
from engine.outers.adam import Adam
from engine.protocol import (
    BatchSpec,
    Meta,
    OptimizationBatch,
    OuterStepContext,
    Setting,
)
from engine.protocol.member_chunks import join_segments
from engine.tasks.optimization.quadratic import Quadratic
from tests.learners.bowls import Draw, random_bowls

DOUBLE = torch.float64


def test_the_stack_of_cells_is_torchs_lstm() -> None:
    hidden, steps, items = 5, 7, 4
    weights = init_lstm(2, hidden, 2, Rng(1))
    ours = {k: v[None].double() for k, v in weights.items()}
    theirs = torch.nn.LSTM(2, hidden, 2).double()
    # torch's gates: input, forget, candidate, output; its two biases add up.
    order = torch.cat([torch.arange(5 * g, 5 * g + 5) for g in (0, 1, 3, 2)])
    for i in range(2):
        rows, bias = ours[f"cell{i}.w"][0][order], ours[f"cell{i}.b"][0][order]
        split = rows.shape[1] - hidden
        theirs.get_parameter(f"weight_ih_l{i}").data.copy_(rows[:, :split])
        theirs.get_parameter(f"weight_hh_l{i}").data.copy_(rows[:, split:])
        theirs.get_parameter(f"bias_ih_l{i}").data.copy_(bias)
        theirs.get_parameter(f"bias_hh_l{i}").data.zero_()
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(steps, items, 2, generator=draw, dtype=DOUBLE)
    expected, _ = theirs(x)
    state = start_lstm(torch.zeros(1, items, dtype=DOUBLE), hidden, 2)
    for t in range(steps):
        out, state = apply_lstm(ours, x[t].T[None], state)
        assert (out[0].T - expected[t]).abs().max() < 1e-12


def test_preprocessing_is_the_papers_two_cases() -> None:
    p = 10.0
    for value in (3.0, -0.2, 1e-4, math.exp(-p), -1e-6, 1e-30, 0.0):
        grad = torch.tensor([[value]], dtype=DOUBLE)
        if abs(value) >= math.exp(-p):
            expected = [math.log(abs(value)) / p, math.copysign(1.0, value)]
        else:
            expected = [-1.0, math.exp(p) * value]
        found = preprocess(grad, p)[0, :, 0]
        assert torch.allclose(found, torch.tensor(expected, dtype=DOUBLE)), value


def test_each_weight_is_moved_by_its_own_gradient_alone() -> None:
    tasks, learner = random_bowls(2), Lstm()
    theta = learner.init([Rng(0)], tasks).weights
    theta = {k: v.repeat_interleave(2, 0) for k, v in theta.items()}
    rule, weights = learner.rule(theta, tasks), tasks.start()
    seen = optimizer_input(tasks, weights, 0)
    other = seen._replace(grad=seen.grad.clone())
    other.grad[:, 3] *= -2
    one = rule.step(seen, rule.start(weights)).update
    two = rule.step(other, rule.start(weights)).update
    changed = (one != two).any(0)
    assert changed.tolist() == [False, False, False, True, False, False]


def test_permuted_weights_are_moved_alike(draw: Draw) -> None:
    tasks, learner = random_bowls(1), Lstm()
    theta = learner.init([Rng(0)], tasks).weights
    rule, seen = learner.rule(theta, tasks), optimizer_input(tasks, tasks.start(), 0)
    shuffled = seen._replace(grad=seen.grad.flip(1))
    first = rule.step(seen, rule.start(seen.weights)).update
    second = rule.step(shuffled, rule.start(seen.weights)).update
    assert torch.allclose(first.flip(1), second, rtol=1e-12)


def quadratics(count: int, pool: str, *path: int, horizon: int) -> OptimizationBatch:
    setting = Setting(Quadratic(dimensions=4), Mlp(), horizon)
    rngs = [Rng(1).child(pool, *path, t) for t in range(count)]
    return setting.family.draw(setting, rngs, pool, BatchSpec())


def test_a_little_training_on_quadratics_lowers_the_loss_on_fresh_ones() -> None:
    learner, outer, horizon = Lstm(hidden=8), Adam(lr=0.02), 20
    exam = quadratics(32, "test", horizon=horizon)
    meta = learner.init([Rng(0)], exam)
    state = outer.start(meta.weights)

    def score() -> float:
        traces = join_segments(list(learner.adapt(meta, exam))).traces
        return float(objective(traces["loss"])[:, -1].mean())

    before = score()
    for step in range(25):
        tasks = quadratics(16, "train", step, horizon=horizon)
        step_context = OuterStepContext(step, 0, 1, (Rng(0),))
        found = learner.outer(meta, tasks, step_context, Unroll())
        assert found.grads is not None
        weights, state = outer.step(meta.weights, found.grads, state)
        meta = Meta(weights, found.memory)
    assert score() < before - 0.5
