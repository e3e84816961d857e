"""Learners that predict with a mixture of adapted nets: particles, or samples.

They share a base class because they are one algorithm (start several nets per task,
take inner steps on the support, mix their predictions) with one step left open:
`adaptation`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner, why_wrong_head
from engine.algorithms.few_shot.gradient_learner import Adaptation
from engine.algorithms.few_shot.inner_loop import (
    InnerState,
    note_statistics,
    predictions,
)
from engine.algorithms.few_shot.knobs import (
    inner_clip_knob,
    inner_rate_knob,
    inner_steps_knob,
    inner_test_steps_knob,
    particles_knob,
)
from engine.algorithms.few_shot.particles import (
    NOISE,
    PREFIX,
    expected_variance,
    mix_predictions,
    mixture_density,
    repeat_episodes,
)
from engine.algorithms.few_shot.running_statistics import BatchStatistics
from engine.protocol import (
    EpisodeBatch,
    Inspection,
    Meta,
    Prediction,
    TaskBatch,
    Weights,
)
from engine.protocol.member_chunks import broadcast_to_members

FEW = 4  # tasks per replicate that `inspect` adapts to


@dataclass
class TrainingRecord:
    """What the forward passes of a meta-step show, chunk by chunk.

    Args:
        statistics: Batch statistics of a net that keeps running ones.
        variances: Estimates of σ², the variance of regression targets, by member.
    """

    statistics: list[BatchStatistics] = field(default_factory=list)
    variances: list[Tensor] = field(default_factory=list)


class ParticleLearner(FewShotLearner):
    """A learner that predicts with an equal mixture of nets after some inner steps."""

    trains: ClassVar[bool] = True

    particles: int = particles_knob()
    inner_lr: float = inner_rate_knob()
    inner_steps: int = inner_steps_knob()
    test_steps: int = inner_test_steps_knob()
    inner_clip: float = inner_clip_knob()

    @abstractmethod
    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Return the initial weights and the update rule of all particles.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes, one per member. The initial weights have shape
                (member × particle, …).
        """

    def answer_step(self, meta: Meta) -> int:
        """Return the number of inner steps at test."""
        return self.test_steps or self.inner_steps

    def gradients_per_test(self, horizon: int) -> float:
        """Return the gradients of all particles: inner steps and one prediction."""
        return self.particles * (1.0 + max(self.answer_step(Meta({}, {})), horizon))

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Mix the predictions of all particles after 0, 1, … inner steps."""
        adaptation = self.adaptation(theta, tasks)
        many = repeat_episodes(tasks, self.particles)
        # The curve goes on to the horizon, past the scored step.
        count = max(tasks.horizon, self.answer_step(Meta({}, {})))
        inner = adaptation.steps(many, count)
        for found in predictions(many, adaptation.start, inner):
            yield mix_predictions(found, self.particles, theta.get(NOISE))

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its head does not fit the ways; None if it does."""
        assert isinstance(tasks, EpisodeBatch)
        first = {
            name.removeprefix(PREFIX): value[:, 0] if PREFIX in name else value
            for name, value in meta.weights.items()
        }
        return why_wrong_head(Meta(first, {}), tasks)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Measure how far apart the particles' predictions are after adaptation."""
        assert isinstance(tasks, EpisodeBatch)
        few = tasks.first_tasks(FEW)
        theta = broadcast_to_members(meta.weights, few.members)
        adaptation = self.adaptation(theta, few)
        many = repeat_episodes(few, self.particles)
        *_, last = adaptation.steps(many, self.answer_step(meta))
        with torch.no_grad():
            out = many.answer(last.weights, many.query, last.step)
        each = out.softmax(1) if few.has_classes else out
        rows = each.unflatten(0, (few.replicates, -1, self.particles))
        spread = rows.std(2, correction=0).flatten(1).mean(1)
        return {"particle_spread": Inspection((), spread)}


def initial_noise(rngs: Sequence[object], tasks: EpisodeBatch) -> Weights:
    """Return σ² = 1 for each replicate; nothing for classes.

    Args:
        rngs: One stream per replicate; σ² starts the same in all.
        tasks: Episodes, for what is predicted.
    """
    return {} if tasks.has_classes else {NOISE: tasks.support.x.new_ones(len(rngs))}


def adapt_in_training(
    adaptation: Adaptation,
    tasks: EpisodeBatch,
    count: int,
    steps: int,
    record: TrainingRecord,
) -> InnerState:
    """Return the particles after the inner steps, with a graph of second order.

    Args:
        adaptation: The start of all particles; shape (member × particle, …).
        tasks: The episodes, one per member.
        count: Number of particles.
        steps: Number of inner steps.
        record: Collects the batch statistics.
    """
    many = repeat_episodes(tasks, count)
    *_, last = adaptation.steps(many, steps, order=2, statistics=record.statistics)
    return last


def particle_losses(
    theta: Weights,
    tasks: EpisodeBatch,
    last: InnerState,
    count: int,
    record: TrainingRecord,
) -> Tensor:
    """Return the query loss of each particle, and record what the queries show.

    Args:
        theta: Meta-weights of each member.
        tasks: The episodes, one per member.
        last: The adapted particles.
        count: Number of particles.
        record: Collects batch statistics and estimates of σ².

    Returns:
        Shape (member, particle).
    """
    many = repeat_episodes(tasks, count)
    note_statistics(record.statistics, many, last.weights, last.step, many.query)
    out = many.answer(last.weights, many.query, last.step)
    if NOISE in theta:
        each = out.detach().unflatten(0, (-1, count))
        density = mixture_density(each, theta[NOISE].detach())
        record.variances.append(expected_variance(density, tasks.query.y))
    loss = many.each_loss(out, many.query.y).mean(1)
    return loss.unflatten(0, (-1, count))
