"""Particles: several nets for each task, as further members of a batch.

The particles of one member are consecutive: a batch with them has its members in the
order replicate × task × particle. Meta-weights of particles have shape (replicate,
particle, …), so that each replicate's lie together.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.few_shot.running_statistics import (
    BatchStatistics,
    update_statistics,
)
from engine.algorithms.initial_weights import draw_weights
from engine.contract.rng import Rng
from engine.protocol import (
    Density,
    EpisodeBatch,
    ExampleBatch,
    Prediction,
    Weights,
    generator,
    square_root,
)

PREFIX = "particles."  # of the names of their meta-weights
NOISE = "noise_variance"  # σ², the variance of regression targets
# No density may be infinitely high, however well training targets are predicted.
LEAST_VARIANCE = 1e-6
RATE = 0.1  # of the moving average of σ²


def draw_particles(tasks: EpisodeBatch, rngs: Sequence[Rng], count: int) -> Weights:
    """Draw several nets, the first of which is that of all other learners.

    Args:
        tasks: Episodes, for the layout.
        rngs: One stream per replicate.
        count: Number of particles; more of them leave the earlier ones unchanged.

    Returns:
        By prefixed name; shape (replicate, particle, …).
    """
    streams = ["weights", *(f"weights_{number}" for number in range(1, count))]
    drawn = [
        draw_weights(tasks.net, tasks.layout, rngs, tasks.support.x, stream)
        for stream in streams
    ]
    return {
        f"{PREFIX}{name}": torch.stack([each[name] for each in drawn], 1)
        for name in drawn[0]
    }


def particle_weights(theta: Weights) -> Weights:
    """Return the nets of all particles by the net's own names.

    Args:
        theta: Meta-weights of each member; those of particles have shape (member,
            particle, …).

    Returns:
        Shape (member × particle, …).
    """
    return {
        name.removeprefix(PREFIX): value.flatten(0, 1)
        for name, value in theta.items()
        if name.startswith(PREFIX)
    }


def repeat_members(weights: Weights, count: int) -> Weights:
    """Repeat each member's weights for its particles; shape (member × particle, …)."""
    return {name: each.repeat_interleave(count, 0) for name, each in weights.items()}


def repeat_episodes(tasks: EpisodeBatch, count: int) -> EpisodeBatch:
    """Return each episode once for each particle; members are member × particle."""

    def repeat(tensor: Tensor) -> Tensor:
        return tensor.repeat_interleave(count, 0)

    return replace(
        tasks,
        support=tasks.support.map(repeat),
        query=tasks.query.map(repeat),
        truth=None if tasks.truth is None else repeat(tasks.truth),
    )


def mix_predictions(
    found: Prediction, count: int, variance: Tensor | None
) -> Prediction:
    """Return the prediction of an equal mixture of particles.

    Args:
        found: Predictions of the particles; shape (member × particle, …).
        count: Number of particles.
        variance: σ² of regression targets, shape (member,); None for classes.

    Returns:
        For regression the mean of the outputs, and the density; for classes the log of
        the mean probabilities. Losses and distances are means over particles.
    """

    def mean(value: Tensor | None) -> Tensor | None:
        return None if value is None else value.unflatten(0, (-1, count)).mean(1)

    each = found.query_outputs.unflatten(0, (-1, count))
    density = None if variance is None else mixture_density(each, variance)
    if density is None:
        outputs = each.log_softmax(2).logsumexp(1) - math.log(count)
    else:
        outputs = each.mean(1)
    return Prediction(
        found.step,
        outputs,
        mean(found.support_loss),
        mean(found.distance),
        mean(found.layer_grad_norms),
        density,
    )


def mixture_density(outputs: Tensor, variance: Tensor) -> Density:
    """Return a normal distribution around each particle's output.

    Args:
        outputs: Shape (member, particle, 1, example).
        variance: σ²; shape (member,).
    """
    mean = outputs[:, :, 0]
    sd = square_root(variance)
    return Density(mean, sd.view(-1, 1, 1).expand_as(mean))


def expected_variance(density: Density, y: Tensor) -> Tensor:
    """Return the σ² of one step of expectation maximization, by member.

    Each squared residual is weighted by the probability that its particle produced the
    target, so particles that explain the spread leave less of it to the noise.

    Args:
        density: The mixture with the present σ².
        y: Targets; shape (member, example).

    Returns:
        Shape (member,).
    """
    square = (y.unsqueeze(1) - density.mean).square()
    share = (-0.5 * square / density.sd.square()).softmax(1)
    return (share * square).sum(1).mean(1)


def update_noise(weights: Weights, found: Sequence[Tensor], replicates: int) -> Weights:
    """Move σ² toward what the queries of a meta-step say.

    Args:
        weights: Meta-weights; σ² has shape (replicate,). Without it, nothing is moved.
        found: `expected_variance`, chunk by chunk in the members' order.
        replicates: How many replicates the members belong to.
    """
    if NOISE not in weights or not found:
        return {}
    old = weights[NOISE]
    new = torch.lerp(old, torch.cat(list(found)).view(replicates, -1).mean(1), RATE)
    # A diverged replicate must not poison its noise for good.
    return {NOISE: torch.where(new.isfinite(), new.clamp(min=LEAST_VARIANCE), old)}


def update_particle_statistics(
    weights: Weights, seen: Sequence[BatchStatistics], replicates: int, count: int
) -> Weights:
    """Update the running statistics of every particle; as `update_statistics`.

    Args:
        weights: Meta-weights of particles; shape (replicate, particle, …).
        seen: Statistics of member × particle.
        replicates: How many replicates the members belong to.
        count: Number of particles.
    """
    nets = {
        name.removeprefix(PREFIX): value
        for name, value in weights.items()
        if name.startswith(PREFIX)
    }
    found = [
        update_statistics(
            {name: value[:, number] for name, value in nets.items()},
            [_of_particle(at, number, count) for at in seen],
            replicates,
        )
        for number in range(count)
    ]
    return {
        f"{PREFIX}{name}": torch.stack([each[name] for each in found], 1)
        for name in found[0]
    }


def _of_particle(at: BatchStatistics, number: int, count: int) -> BatchStatistics:
    return at._replace(values={n: v[number::count] for n, v in at.values.items()})


def standard_normals(tasks: EpisodeBatch, rngs: Sequence[Rng]) -> Weights:
    """Draw N(0, 1) for every weight of the net, once per stream.

    Returns:
        By the net's own names; shape (stream, …).
    """
    layout = tasks.layout
    rows = [generator(rng).standard_normal(layout.total) for rng in rngs]
    like = tasks.support.x
    flat = torch.stack([torch.from_numpy(row) for row in rows])
    return layout.views(flat.to(like.device, like.dtype))


def join_queries(tasks: EpisodeBatch) -> EpisodeBatch:
    """Return the episodes with their queries in the support, too."""
    one, two = tasks.support, tasks.query
    return replace(
        tasks,
        support=ExampleBatch(
            torch.cat([one.x, two.x], 2), torch.cat([one.y, two.y], 1)
        ),
    )
