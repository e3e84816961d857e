"""Whole compiled trainings against the step-by-step code, the reference."""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
import torch

import engine.learners
from engine.contract.registry import import_modules, part
from engine.contract.rng import Rng
from engine.kernels import trainings
from engine.kernels.dense_loss import torch_only
from engine.learners.optimizer.lr_scale import LrScale
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Learner, Meta, Setting, UnrollWindow, Weights
from engine.protocol.member_chunks import join_segments
from engine.tasks.optimization._supervised import SupervisedBatch
from engine.tasks.optimization.linear import Linear
from engine.tasks.optimization.mixtures import Mixtures

import_modules(engine.learners)
# Rates are low: at the edge of stability, rounding is amplified.
HORIZON = 27  # one segment of the trace, and a piece of the next
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("sgd", {"schedule": "cosine"}),
    "momentum": ("momentum", {"lr": 0.02, "mu": 0.8, "dampening": 0.4}),
    "nesterov": ("nesterov", {"lr": 0.02, "mu": 0.8}),
    "adam": ("adam", {"lr": 0.01, "schedule": "step"}),
    "adamw": ("adamw", {"lr": 0.01, "decay": 0.3}),
    "rmsprop": ("rmsprop", {"lr": 0.003, "alpha": 0.9}),
    "adagrad": ("adagrad", {"lr": 0.05, "decay": 0.2}),
    "lr_scale": ("lr_scale", {"lr": 0.02}),
    "lr_scale, signals": (
        "lr_scale",
        {
            "lr": 0.01,
            "signals": ("grad_norm", "changes"),
            "normalize": "start",
            "hidden": 20,
        },
    ),
    "lr_scale, blind": ("lr_scale", {"lr": 0.02, "signals": ()}),
}
NETS = {
    "plain": Mlp(width=5),
    "deep": Mlp(depth=2, width=7, activation="tanh"),
    "minibatch": Mlp(width=5, batch_size=10, activation="sigmoid"),
    "regularized": Mlp(width=5, weight_decay=0.05, clip=0.3),
}


def draw(net: Mlp, family: Mixtures | Linear | None = None) -> SupervisedBatch:
    """Draw three tasks of two replicates."""
    family = family or Mixtures(examples=24, held_out=9)
    rngs = [Rng(0).child(i) for i in range(6)]
    tasks = family.draw(Setting(family, net, HORIZON), rngs, "train", BatchSpec(2))
    assert isinstance(tasks, SupervisedBatch)
    return tasks


def begin(name: str, tasks: SupervisedBatch) -> tuple[Learner, Meta]:
    """Return a learner, and meta-weights that are not its first ones."""
    of, knobs = RULES[name]
    learner = part("learner", of)(**knobs)
    assert isinstance(learner, Learner)
    meta = learner.init([Rng(1), Rng(2)], tasks)
    if not learner.trains:
        return learner, meta
    noise = torch.Generator().manual_seed(0)
    weights = {
        k: v + 0.3 * torch.randn(v.shape, generator=noise)
        for k, v in meta.weights.items()
    }
    return learner, meta._replace(weights=weights)


def train(name: str, tasks: SupervisedBatch) -> Weights:
    learner, meta = begin(name, tasks)
    return join_segments(list(learner.adapt(meta, tasks))).traces


def compare(name: str, tasks: SupervisedBatch, rtol: float = 3e-5) -> None:
    with mock.patch.object(trainings, "train_members", wraps=train_members) as calls:
        ours = train(name, tasks)
    assert calls.call_count == 2
    with torch_only():
        theirs = train(name, tasks)
    assert ours.keys() == theirs.keys()
    torch.testing.assert_close(ours, theirs, rtol=rtol, atol=3e-6)


train_members = trainings.train_members


@pytest.mark.parametrize("name", RULES)
def test_every_rule_takes_the_steps_that_it_takes_in_torch(name: str) -> None:
    compare(name, draw(NETS["plain"]))


@pytest.mark.parametrize("net", NETS)
def test_every_net_is_trained_as_in_torch(net: str) -> None:
    compare("lr_scale", draw(NETS[net]))


def test_regression_is_trained_as_in_torch() -> None:
    tasks = draw(Mlp(depth=0), Linear())
    compare("sgd", tasks)
    compare("adam", replace(tasks, measure_held_out=False))


def test_every_rule_of_the_kernels_is_compared() -> None:
    rules = pytest.importorskip("engine.kernels.update_rules")
    tasks = draw(NETS["plain"])
    used = set()
    for name in RULES:
        learner, meta = begin(name, tasks)
        with mock.patch.object(
            trainings, "train_members", wraps=train_members
        ) as calls:
            next(iter(learner.adapt(meta, tasks)))
        used.add(calls.call_args.args[3].name)
    assert used == set(rules.RULES)
    assert all(trainings.load_trainer(name) for name in used)


def test_a_rule_that_does_not_compile_is_left_to_torch() -> None:
    rules = pytest.importorskip("engine.kernels.update_rules")
    trainings.load_trainer.cache_clear()
    try:
        with mock.patch.object(rules, "find_rule", side_effect=OSError("no compiler")):
            found = train("sgd", draw(NETS["plain"]))
    finally:
        trainings.load_trainer.cache_clear()
    assert found["loss"].shape[1] == HORIZON + 1 and found["loss"].isfinite().all()


def test_what_is_not_claimed_is_left_to_torch() -> None:
    tasks = draw(NETS["plain"])
    drifting = replace(tasks, later=tasks.data, drift=(0.5, 0.5))
    layered, meta = LrScale(scope="layer"), begin("lr_scale", tasks)[1]
    hyper = part("learner", "hypergradient")()
    with mock.patch.object(trainings, "train_members", side_effect=AssertionError):
        train("sgd", drifting)
        next(iter(layered.adapt(meta, tasks)))
        next(iter(hyper.adapt(hyper.init([Rng(0)] * 2, tasks), tasks)))
        with torch_only():
            train("sgd", tasks)


def test_a_member_does_not_depend_on_the_others() -> None:
    tasks = draw(NETS["minibatch"])
    learner, meta = begin("adam", tasks)
    together = train("adam", tasks)
    alone = join_segments(
        list(learner.adapt(Meta({"lr": meta.weights["lr"][:1]}, {}), tasks.take([4])))
    )
    for metric, rows in alone.traces.items():
        assert torch.equal(rows[0], together[metric][4]), metric


def unroll(tasks: SupervisedBatch, meta: Meta, window: UnrollWindow) -> Any:
    """Return the state after a window, the objectives, and what came before them."""
    from engine.algorithms.optimization.learned_optimizer import RuleProblem

    problem = RuleProblem(LrScale(), tasks)
    return problem.segment(meta.weights, problem.begin(1), window)


def test_a_window_of_an_estimator_is_that_of_torch() -> None:
    tasks = draw(NETS["plain"])
    meta = begin("lr_scale", tasks)[1]
    window = UnrollWindow(3, 8, particles=1)
    ours = unroll(tasks, meta, window)
    with torch_only():
        theirs = unroll(tasks, meta, window)
    torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_a_member_that_diverges_harms_no_other(wrong: float) -> None:
    tasks = draw(NETS["plain"])
    good = train("adam", tasks)
    weights = tasks.weights.clone()
    weights[0, -1] = wrong
    found = train("adam", replace(tasks, weights=weights))
    assert not found["loss"][0].isfinite().any() and found["accuracy"][0].isnan().all()
    assert torch.equal(found["loss"][1:], good["loss"][1:])
    # In an unroll, what diverged stays where it is.
    meta = begin("lr_scale", tasks)[1]
    state, scores, _ = unroll(
        replace(tasks, weights=weights), meta, UnrollWindow(0, 4, particles=1)
    )
    assert scores[0].tolist() == [pytest.approx(4.60517)] * 4
    torch.testing.assert_close(state["weights"][0], weights[0], equal_nan=True)
