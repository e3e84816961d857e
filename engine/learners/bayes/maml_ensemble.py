"""MAML ensemble: several MAMLs from different initial weights predict together.

Source: Lakshminarayanan, Pritzel and Blundell (2017), arXiv:1612.01474, for ensembles;
EMAML, the comparator of Yoon et al. (2018), arXiv:1806.03836, section 5.
Differs: the nets share their episodes, and the outer clip acts on all of them together.
The noise of regression targets is one number per replicate: the moving average, over
meta-training's queries, of expectation maximization for the mixture; no validation
episode is needed. Nets are not trained adversarially, and predict no variance.
Helps: as the comparator of every Bayesian learner: where members that were trained
apart disagree, none of them knows. Costs as many gradients as M MAMLs.
"""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.algorithms.few_shot.particle_learner import (
    ParticleLearner,
    TrainingRecord,
    adapt_in_training,
    initial_noise,
    particle_losses,
)
from engine.algorithms.few_shot.particles import (
    draw_particles,
    particle_weights,
    update_noise,
    update_particle_statistics,
)
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
class MamlEnsemble(ParticleLearner):
    """p(y | x, S) = 1/M Σ_m p(y | x, φ_m), φ_m adapted from θ_m; each θ_m is a MAML."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True

    @property
    def gradients_per_episode(self) -> float:
        """Return the gradients of M MAMLs."""
        return self.particles * (2.0 * self.inner_steps + 1.0)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw M nets per replicate; the first is that of a single MAML."""
        assert isinstance(tasks, EpisodeBatch)
        nets = draw_particles(tasks, rngs, self.particles)
        return Meta(nets | initial_noise(rngs, tasks), {})

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start each net at its own θ_m and take SGD steps."""
        return Adaptation(particle_weights(theta), sgd(self.inner_lr, self.inner_clip))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Give each net the gradient of its own query loss."""
        record, count = TrainingRecord(), self.particles

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            start = self.adaptation(theta, batch)
            last = adapt_in_training(start, batch, count, self.inner_steps, record)
            return particle_losses(theta, batch, last, count, record).mean(1)

        found = outer_gradient(meta, tasks, task_loss)
        assert found.grads is not None
        return found._replace(
            # The loss is a mean over nets; each has the whole gradient of its own.
            grads={name: count * grad for name, grad in found.grads.items()},
            statistics=update_noise(meta.weights, record.variances, tasks.replicates)
            | update_particle_statistics(
                meta.weights, record.statistics, tasks.replicates, count
            ),
        )
