"""Bayesian MAML: particles that sample the posterior of each task by Stein descent.

Source: Yoon, Kim, Dia, Kim, Bengio and Ahn (2018), arXiv:1806.03836, algorithms 2 and
3, equations 2 and 8.
Differs: the posterior is that of a flat prior and of noise of one learned variance,
where the paper has Gamma priors on the precisions of noise and weights and samples
these, too. Losses are means over examples as in MAML, so the repulsion is divided by
the number of examples instead. Without the chaser loss the particles' mean query loss
is descended (their code's BFA loss is the log of the mean likelihood); one particle is
then MAML. α = 0.1, as each of M particles takes about an M-th of a step.
Helps: where tasks are few or a support leaves several functions open: the particles
are kept apart, and the chaser loss does not fit the queries alone.
"""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation
from engine.algorithms.few_shot.inner_loop import InnerState, adapt_weights
from engine.algorithms.few_shot.inner_rules import InnerRule
from engine.algorithms.few_shot.knobs import inner_rate_knob
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.algorithms.few_shot.particle_learner import (
    ParticleLearner,
    TrainingRecord,
    adapt_in_training,
    initial_noise,
    particle_losses,
)
from engine.algorithms.few_shot.particles import (
    NOISE,
    draw_particles,
    join_queries,
    particle_weights,
    repeat_episodes,
    update_noise,
    update_particle_statistics,
)
from engine.algorithms.few_shot.stein_gradient import stein_descent
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
)


@register("learner")
class BayesianMaml(ParticleLearner):
    """φ_m ← φ_m + α/M Σ_j [k(φ_j, φ_m) ∇ log p(φ_j | S) + ∂k(φ_j, φ_m)/∂φ_j].

    The chaser loss is Σ_m ‖φ_m − stop(φ′_m)‖², φ′ being φ after more steps on S ∪ Q.
    """

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "purple"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob(0.1)
    chaser: bool = knob(
        True,
        label="Chaser loss",
        help="Meta-train the particles to go where more steps on support and queries "
        "would lead them; off descends their query loss.",
    )
    leader_steps: int = knob(
        1,
        label="Leader steps",
        unit="steps",
        low=1,
        high=64,
        advanced=True,
        work="train_steps",
        help="Steps on support and queries that lead on from the adapted particles.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return inner gradients, differentiated again, and the leader's or outer."""
        last = self.leader_steps if self.chaser else 1
        return self.particles * (2.0 * self.inner_steps + last)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw M nets per replicate; the first is that of a single MAML."""
        assert isinstance(tasks, EpisodeBatch)
        nets = draw_particles(tasks, rngs, self.particles)
        return Meta(nets | initial_noise(rngs, tasks), {})

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at the learned particles and take Stein steps."""
        return Adaptation(particle_weights(theta), self._rule(theta, tasks))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the chaser loss, or the query loss, through the Stein steps."""
        record, count = TrainingRecord(), self.particles

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            start = self.adaptation(theta, batch)
            last = adapt_in_training(start, batch, count, self.inner_steps, record)
            losses = particle_losses(theta, batch, last, count, record)
            return self._chase(theta, batch, last) if self.chaser else losses.mean(1)

        found = outer_gradient(meta, tasks, task_loss)
        return found._replace(
            statistics=update_noise(meta.weights, record.variances, tasks.replicates)
            | update_particle_statistics(
                meta.weights, record.statistics, tasks.replicates, count
            )
        )

    def _rule(self, theta: Weights, tasks: EpisodeBatch) -> InnerRule:
        """Return Stein steps on the posterior of the support."""
        count = tasks.support.count
        # log p(S | φ) is −count · L for classes, and −count · L / 2σ² for values.
        variance = 0.5 if tasks.has_classes else theta[NOISE].detach()
        temperature = tasks.support.x.new_full((tasks.members,), 2.0 / count) * variance
        return stein_descent(
            self.inner_lr, self.particles, temperature, self.inner_clip
        )

    def _chase(
        self, theta: Weights, tasks: EpisodeBatch, follower: InnerState
    ) -> Tensor:
        """Return the squared distance from the leader; shape (member,)."""
        more = join_queries(tasks)
        leader = adapt_weights(
            repeat_episodes(more, self.particles),
            {name: value.detach() for name, value in follower.weights.items()},
            self._rule(theta, more),
            self.leader_steps,
        )
        squares = [
            (value - leader[name].detach()).flatten(1).square().sum(1)
            for name, value in follower.weights.items()
        ]
        total = sum(squares[1:], squares[0])
        return total.unflatten(0, (-1, self.particles)).sum(1)
