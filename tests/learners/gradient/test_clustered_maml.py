"""One start is MAML; of several, those count that fit a task's support."""

import pytest
import torch

from engine.learners.gradient.clustered_maml import ClusteredMaml
from engine.learners.gradient.maml import Maml
from engine.protocol import EpisodeBatch, Learner, Meta, Prediction, Weights
from tests.learners.gradient.made import classes, meta_gradient, meta_step, sines, start

KNOBS = {"inner_lr": 0.1, "inner_steps": 2}


def predicted(
    learner: Learner, theta: Weights, tasks: EpisodeBatch
) -> list[Prediction]:
    each = tasks.members // tasks.replicates
    rows = {name: value.repeat_interleave(each, 0) for name, value in theta.items()}
    return list(learner.predict(rows, tasks))  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [sines, classes], ids=["values", "classes"])
def test_one_start_is_maml_bit_for_bit(make: object) -> None:
    tasks = make()  # type: ignore[operator]
    maml, one = Maml(**KNOBS), ClusteredMaml(starts=1, **KNOBS)
    theta = start(maml, tasks)
    assert all(map(torch.equal, theta.values(), start(one, tasks).values()))
    for mine, theirs in zip(
        predicted(one, theta, tasks), predicted(maml, theta, tasks), strict=True
    ):
        assert torch.equal(mine.query_outputs, theirs.query_outputs)
    found = meta_gradient(one, tasks, theta)
    for name, grad in meta_gradient(maml, tasks, theta).items():
        assert torch.equal(found[name], grad), name


def test_answers_are_those_of_each_start_weighted_by_its_fit() -> None:
    tasks = sines()
    learner = ClusteredMaml(starts=2, temperature=0.3, **KNOBS)
    theta = start(learner, tasks)
    names = tasks.layout.names
    each = [{n: theta[n] for n in names}, {n: theta[f"start1.{n}"] for n in names}]
    alone = [predicted(Maml(**KNOBS), start, tasks) for start in each]
    for step, found in enumerate(predicted(learner, theta, tasks)[:-1]):
        losses = torch.stack([one[step].support_loss for one in alone])  # type: ignore[misc]
        share = torch.exp(-losses / 0.3) / torch.exp(-losses / 0.3).sum(0)
        outputs = torch.stack([one[step].query_outputs for one in alone])
        want = (share.view(2, -1, 1, 1) * outputs).sum(0)
        torch.testing.assert_close(found.query_outputs, want, rtol=0, atol=1e-12)


def test_the_gradient_through_the_assignment_is_a_finite_difference() -> None:
    tasks, learner = sines(), ClusteredMaml(starts=3, **KNOBS)
    theta = start(learner, tasks)
    grads = meta_gradient(learner, tasks, theta)
    draw = torch.Generator().manual_seed(4)
    way = {
        n: torch.randn(v.shape, generator=draw, dtype=v.dtype) for n, v in theta.items()
    }
    up, down = (
        meta_step(learner, tasks, {n: v + s * way[n] for n, v in theta.items()}).info[
            "lesson_loss"
        ]
        for s in (1e-6, -1e-6)
    )
    slope = sum((grads[n] * way[n]).flatten(1).sum(1) for n in theta)
    torch.testing.assert_close(slope, (up - down) / 2e-6, rtol=1e-5, atol=1e-7)


def test_inspect_tells_which_starts_have_tasks() -> None:
    tasks, learner = sines(), ClusteredMaml(starts=3, temperature=1e-3, **KNOBS)
    theta = start(learner, tasks)
    seen = learner.inspect(Meta(theta, {}), tasks)
    shares = seen["start_share"].values
    torch.testing.assert_close(shares.sum(1), torch.ones(2, dtype=shares.dtype))
    # A start that answers far off has no task.
    theta["start2.b2"] += 100.0
    seen = learner.inspect(Meta(theta, {}), tasks)
    assert (seen["start_share"].values[:, 2] < 1e-9).all()
    assert (seen["starts_in_use"].values <= 2.0 + 1e-9).all()
    assert (seen["starts_in_use"].values >= 1.0 - 1e-9).all()
