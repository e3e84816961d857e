"""The sigmoid controller: exactly as simple as published, and as helpless."""

import torch

from engine.contract.cards import card_of
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.learners.baseline.sgd import Sgd
from engine.learners.optimizer.sigmoid import Sigmoid
from engine.protocol import Meta, OptimizationBatch, OuterStepContext, Weights
from engine.protocol.member_chunks import join_segments
from tests.learners.bowls import Draw, random_bowls


def trained(learner: Sigmoid, tasks: OptimizationBatch, meta: Meta) -> Weights:
    outer = learner.outer(meta, tasks, OuterStepContext(0, 0, 1, ()), None)  # type: ignore[arg-type]
    assert outer.grads is None
    assert outer.weights is not None
    assert outer.info["meta_loss"].shape == (tasks.replicates,)
    return outer.weights


def published(
    learner: Sigmoid, tasks: OptimizationBatch, weights: Weights
) -> torch.nn.Module:
    """Train one controller as published code does: nn.Module, loss.backward, Adam."""
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 16),
        torch.nn.ReLU(),
        torch.nn.Linear(16, 1),
        torch.nn.Sigmoid(),
    ).double()
    for i, layer in enumerate((0, 2)):
        net.get_parameter(f"{layer}.weight").data.copy_(weights[f"w{i}"][0])
        net.get_parameter(f"{layer}.bias").data.copy_(weights[f"b{i}"][0])
    adam = torch.optim.Adam(net.parameters(), lr=learner.controller_lr)
    model, last = tasks.start().clone(), None
    for epoch in range(tasks.horizon):
        loss, grad, norm = tasks.gradient(model, epoch)
        factor = net(torch.stack([loss, norm, model.norm(dim=1)], 1))[:, 0]
        improvement = 0.0 if last is None else (last - loss).item()
        adam.zero_grad()
        (-improvement * factor).sum().backward()
        adam.step()
        model = model - learner.lr * factor.detach()[:, None] * grad
        last = loss
    return net


def test_training_is_that_of_the_published_code(draw: Draw) -> None:
    learner, tasks = Sigmoid(lr=0.1), draw(replicates=2, tasks=1, horizon=30)
    meta = learner.init([Rng(0), Rng(1)], tasks)
    found = trained(learner, tasks, meta)
    for r in range(2):
        start = {name: value[r : r + 1] for name, value in meta.weights.items()}
        net = published(learner, tasks.take([r]), start)
        assert (found["w0"][r] - net.get_parameter("0.weight")).abs().max() < 1e-9
        assert (found["b1"][r] - net.get_parameter("2.bias")).abs().max() < 1e-9
        assert (found["w0"][r] - start["w0"][0]).abs().max() > 1e-3


def test_it_starts_as_a_linear_layer_of_torch_does() -> None:
    tasks = random_bowls(1)
    weights = Sigmoid(hidden=128).init([Rng(r) for r in range(40)], tasks).weights
    for name, fan_in in (("w0", 3), ("b0", 3), ("w1", 128), ("b1", 128)):
        bound = fan_in**-0.5
        assert weights[name].abs().max() <= bound
        assert weights[name].abs().max() > 0.8 * bound
        assert abs(weights[name].mean()) < 0.25 * bound


def test_frozen_it_only_ever_brakes(draw: Draw) -> None:
    learner, tasks = Sigmoid(), draw(replicates=2, tasks=2, horizon=20)
    meta = learner.init([Rng(0), Rng(1)], tasks)
    scale = join_segments(list(learner.adapt(meta, tasks))).traces["lr_scale"]
    assert scale.shape == (4, 20)
    assert scale.min() > 0
    assert scale.max() < 1


def test_training_drives_it_toward_plain_sgd(draw: Draw) -> None:
    """Its reward is positive whenever the loss falls, whatever it answers."""
    learner, tasks = Sigmoid(lr=0.05, controller_lr=0.05), draw(tasks=1)
    meta = learner.init([Rng(0)], tasks)
    for _ in range(5):
        meta = Meta(trained(learner, tasks, meta), {})
    traces = join_segments(list(learner.adapt(meta, tasks))).traces
    assert traces["lr_scale"].min() > 0.95
    sgd = Sgd(lr=0.05)
    plain = join_segments(list(sgd.adapt(sgd.init([Rng(0)], tasks), tasks))).traces
    assert (traces["loss"][:, -1] >= plain["loss"][:, -1]).all()


def test_a_replicate_whose_task_diverges_leaves_the_others_alone(draw: Draw) -> None:
    learner, tasks = Sigmoid(lr=0.1), random_bowls(2)
    tasks.replicates = 2
    meta = learner.init([Rng(0), Rng(1)], tasks)
    alone = trained(learner, tasks, meta)
    tasks.curve = tasks.curve.clone()
    tasks.curve[0] *= 1e300
    both = trained(learner, tasks, meta)
    for name, value in both.items():
        assert value.isfinite().all()
        assert torch.equal(value[1], alone[name][1])


def test_its_training_is_one_run_on_as_many_tasks_as_the_knob_says() -> None:
    plan = Sigmoid(tasks=3).plan(Budget(), None)  # type: ignore[arg-type]
    assert (plan.steps, plan.tasks_per_step, plan.segments) == (3, 1, 1)
    traits = card_of(Sigmoid).traits
    assert traits["trains"]
    assert traits["estimators"] == []
