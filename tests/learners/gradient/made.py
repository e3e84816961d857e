"""Episodes in float64 on which an identity can be told from a coincidence."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.estimators.unroll import Unroll
from engine.nets.mlp import Mlp
from engine.protocol import (
    BatchSpec,
    EpisodeBatch,
    ExampleBatch,
    Learner,
    Meta,
    Outer,
    OuterStepContext,
    Setting,
    Weights,
)
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from engine.tasks.few_shot.sinusoids import Sinusoids

DOUBLE = torch.float64
NET = Mlp(depth=2, width=5, activation="tanh")


def sines(replicates: int = 2, tasks: int = 3, net: Mlp = NET) -> EpisodeBatch:
    """Draw a few waves."""
    return _drawn(Sinusoids(shots=6, queries=5), replicates, tasks, net)


def classes(ways: int = 3) -> EpisodeBatch:
    """Draw a few classifications."""
    return _drawn(GaussianClasses(ways=ways, shots=2, queries=2), 2, 3, NET)


def _drawn(family: object, replicates: int, tasks: int, net: Mlp) -> EpisodeBatch:
    rngs = [Rng(5).child(r, t) for r in range(replicates) for t in range(tasks)]
    place = BatchSpec(replicates, dtype=DOUBLE)
    return family.draw(Setting(family, net, 3), rngs, "train", place)  # type: ignore


def bowls(tasks: int = 4, features: int = 3, examples: int = 7) -> EpisodeBatch:
    """Make linear regressions: each loss is a quadratic, of support and queries."""
    draw = torch.Generator().manual_seed(3)
    size = torch.rand(tasks, features, 1, generator=draw, dtype=DOUBLE) + 0.5
    x = size * torch.randn(tasks, features, examples, generator=draw, dtype=DOUBLE)
    slopes = torch.randn(tasks, features, generator=draw, dtype=DOUBLE)
    y = torch.einsum("tf,tfe->te", slopes, x) + slopes[:, :1]
    shots = ExampleBatch(x, y)
    net = Mlp(depth=0)
    # Queries are shots of their own, though the numbers are the same.
    return EpisodeBatch(
        net, (features,), 1, False, 0, 1, 3, shots, ExampleBatch(x.clone(), y.clone())
    )


def curvatures(tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
    """Return A and c of ½ (φ − c)' A (φ − c); (task, φ, φ) and (task, φ, 1)."""
    x = tasks.support.x
    rows = torch.cat([x, torch.ones_like(x[:, :1])], 1)
    a = 2 * rows @ rows.mT / x.shape[2]
    c = torch.linalg.solve(a, 2 * rows @ tasks.support.y.unsqueeze(2) / x.shape[2])
    return a, c


def lesson(tasks: EpisodeBatch, done: float = 1.0) -> OuterStepContext:
    """Return the place of an outer step."""
    return OuterStepContext(
        4, 0, 1, tuple(Rng(8).child(r) for r in range(tasks.replicates)), done
    )


def start(learner: Learner, tasks: EpisodeBatch, shake: float = 0.3) -> Weights:
    """Return the learner's start, its net shaken so that biases are not 0."""
    rngs = [Rng(9).child(r) for r in range(tasks.replicates)]
    weights = learner.init(rngs, tasks).weights
    draw = torch.Generator().manual_seed(1)
    return {
        name: value + shake * torch.randn(value.shape, generator=draw, dtype=DOUBLE)
        if name in tasks.layout.names
        else value
        for name, value in weights.items()
    }


def meta_step(
    learner: Learner, tasks: EpisodeBatch, weights: Weights, done: float = 1.0
) -> Outer:
    """Return what a learner makes of its lessons."""
    return learner.outer(Meta(weights, {}), tasks, lesson(tasks, done), Unroll())


def meta_gradient(
    learner: Learner, tasks: EpisodeBatch, weights: Weights, done: float = 1.0
) -> Weights:
    """Return the outer gradient."""
    grads = meta_step(learner, tasks, weights, done).grads
    assert grads is not None
    return grads


def joined(grads: Weights, tasks: EpisodeBatch) -> Tensor:
    """Return the gradient of the net's weights in a row; (replicate, weight)."""
    return torch.cat([grads[name].flatten(1) for name in tasks.layout.names], 1)


def mean_gradient(
    tasks: EpisodeBatch, weights: Weights, shots: Callable[[EpisodeBatch], ExampleBatch]
) -> Weights:
    """Return the mean over tasks of a loss's gradient at the start, by plain loops."""
    each = tasks.members // tasks.replicates
    rows = []
    for r in range(tasks.replicates):
        at = {n: v[r : r + 1].clone().requires_grad_() for n, v in weights.items()}
        loss = torch.zeros((), dtype=DOUBLE)
        for t in range(each):
            one = tasks.take([r * each + t])
            loss = loss + one.loss(at, shots(one))[0] / each
        rows.append(torch.autograd.grad(loss, list(at.values())))
    return {n: torch.cat(parts) for n, *parts in zip(weights, *rows, strict=True)}


def learned_together(tasks: EpisodeBatch) -> EpisodeBatch:
    """Return episodes whose support is support and queries."""
    one, two = tasks.support, tasks.query
    both = ExampleBatch(torch.cat([one.x, two.x], 2), torch.cat([one.y, two.y], 1))
    return replace(tasks, support=both)
