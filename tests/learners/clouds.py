"""Small episodes of Gaussian classes in float64, and how to change them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import (
    BatchSpec,
    EpisodeBatch,
    ExampleBatch,
    Meta,
    OuterStepContext,
    Setting,
    Weights,
)
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from engine.tasks.few_shot.sinusoids import Sinusoids

NET = Mlp(depth=2, width=8, activation="tanh")
STREAMS = (Rng(3),)


def drawn_from(
    family: EpisodeFamily,
    tasks: int = 3,
    net: Mlp = NET,
    horizon: int = 3,
    pool: str = "train",
) -> EpisodeBatch:
    """Draw some episodes of a family, one replicate."""
    setting = Setting(family, net, horizon)
    rngs = [Rng(11).child(t) for t in range(tasks)]
    found = family.draw(setting, rngs, pool, BatchSpec(dtype=torch.float64))
    assert isinstance(found, EpisodeBatch)
    return found


def clouds(tasks: int = 3, *, net: Mlp = NET, **knobs: int) -> EpisodeBatch:
    """Draw episodes of Gaussian classes."""
    sizes = {"ways": 4, "shots": 3, "queries": 5, "dimensions": 6, **knobs}
    return drawn_from(GaussianClasses(**sizes), tasks, net)


def waves(tasks: int = 3) -> EpisodeBatch:
    """Draw episodes of sinusoids."""
    return drawn_from(Sinusoids(shots=5, queries=6), tasks)


def begun(learner: FewShotLearner, tasks: EpisodeBatch) -> Weights:
    """Return the untrained meta-weights of one replicate."""
    return learner.init(STREAMS, tasks).weights


def answered(
    learner: FewShotLearner, tasks: EpisodeBatch, weights: Weights | None = None
) -> Tensor:
    """Return the last answers to the queries; shape (member, output, query)."""
    weights = begun(learner, tasks) if weights is None else weights
    *_, last = learner.predict(broadcast_to_members(weights, tasks.members), tasks)
    return last.query_outputs


def shuffled(tasks: EpisodeBatch, order: Sequence[int]) -> EpisodeBatch:
    """Return the episodes with their supports in another order."""
    return replace(tasks, support=tasks.support.map(lambda t: t[..., list(order)]))


def relabeled(tasks: EpisodeBatch, names: Sequence[int]) -> EpisodeBatch:
    """Return the episodes with class k called `names[k]`."""
    new = torch.tensor(names)

    def renamed(shots: ExampleBatch) -> ExampleBatch:
        return replace(shots, y=new[shots.y])

    return replace(tasks, support=renamed(tasks.support), query=renamed(tasks.query))


def lesson_gradient(
    learner: FewShotLearner, meta: Meta, tasks: EpisodeBatch
) -> Weights:
    """Return the gradient of a lesson's loss in the meta-weights."""
    found = learner.outer(meta, tasks, OuterStepContext(0, 0, 1, STREAMS), None)  # type: ignore[arg-type]
    assert found.grads is not None
    return found.grads


def slope(
    learner: FewShotLearner,
    weights: Weights,
    tasks: EpisodeBatch,
    name: str,
    loss: Callable[[Weights], float],
    step: float = 1e-6,
) -> tuple[Tensor, Tensor]:
    """Return a weight's gradient, and what finite differences say it is."""
    found = lesson_gradient(learner, Meta(weights, {}), tasks)[name].flatten()
    count = min(8, found.numel())
    slopes = []
    for i in range(count):
        ends = []
        for sign in (1, -1):
            moved = weights[name].clone().flatten()
            moved[i] += sign * step
            ends.append(loss(weights | {name: moved.view_as(weights[name])}))
        slopes.append((ends[0] - ends[1]) / (2 * step))
    return found[:count], torch.tensor(slopes, dtype=found.dtype)
