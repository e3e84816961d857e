"""MAML++: MAML made steadier, by losses at every step, learned rates and annealing.

Source: Antoniou, Edwards and Storkey (2019), arXiv:1810.09502, sections 4.1 to 4.6.
Differs: shares of training stand for the paper's epochs; one checkpoint answers, not
an ensemble of five. The falling outer rate is the outer rule's, and statistics by
inner step are the net's (normalization meta_batch).
Helps: deep nets and several inner steps, where plain MAML's training shakes.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import TaskLoss
from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_loop import query_loss, sgd_with_rates
from engine.algorithms.few_shot.knobs import inner_steps_knob, training_share_knob
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_through_steps
from engine.algorithms.few_shot.running_statistics import BatchStatistics
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Inspection,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
)

FLOOR = 0.03  # what is left of an earlier step's weight, times k


@register("learner")
class MamlPlus(GradientLearner):
    """Descend Σ_i v_i L_Q(φ_i) in (θ, a), φ_{i+1} = φ_i − a_{layer,i} ∇L_S(φ_i)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True

    inner_steps: int = inner_steps_knob(5, low=1)
    learned_rates: bool = knob(
        True,
        label="Learned rates",
        help="Whether each layer has a rate for each step that is learned along.",
    )
    multi_step_share: float = training_share_knob(
        0.15,
        label="Losses at every step",
        help="For this share of training every inner step's loss counts, the last one "
        "more and more; then it alone.",
    )
    first_order_share: float = training_share_knob(
        0.3,
        label="First order",
        help="For this share of training the inner gradients are taken as given.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return what an episode costs, on the mean over training.

        k inner gradients, differentiated again except at first, and a gradient of
        each query loss that counts.
        """
        k, many = self.inner_steps, self.multi_step_share
        return k + k * (1 - self.first_order_share) + k * many + (1 - many)

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return a rate for each layer and step, all the same at first."""
        if not self.learned_rates:
            return {}
        shape = (len(rngs), len(tasks.layout.layers), self.inner_steps)
        return {"alpha": tasks.support.x.new_full(shape, self.inner_lr)}

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Descend at each layer's and step's rate; later steps have the last one's."""
        start = {name: value for name, value in theta.items() if name != "alpha"}
        like = start[tasks.layout.names[0]]
        fixed = like.new_full((1, len(tasks.layout.layers), 1), self.inner_lr)
        alpha = theta.get("alpha", fixed)
        rows = {n: i for i, layer in enumerate(tasks.layout.layers) for n in layer}
        ranks = {name: [-1] + [1] * (start[name].dim() - 1) for name in rows}

        def rates(step: int) -> Weights:
            now = alpha[:, :, min(step, alpha.shape[2] - 1)].unbind(1)
            return {name: now[row].view(ranks[name]) for name, row in rows.items()}

        return Adaptation(start, sgd_with_rates(rates, self.inner_clip))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the weighted losses of the queries."""
        order = 1 if step_context.share_done < self.first_order_share else 2
        task_loss = partial(self._weighted_loss, step_context.share_done, order)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Say what second derivatives change, and the rates."""
        seen = meta_cosine(meta, tasks, partial(self._weighted_loss, 1.0))
        if self.learned_rates:
            axes = ("layer", "inner_step")
            seen["inner_lr"] = Inspection(axes, meta.weights["alpha"])
        return seen

    def _weighted_loss(
        self, done: float, order: int, statistics: list[BatchStatistics] | None = None
    ) -> TaskLoss:
        shares = step_shares(self.inner_steps, done, self.multi_step_share)

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            adaptation = self.adaptation(theta, batch)
            inner = adaptation.steps(
                batch, self.inner_steps, order=order, statistics=statistics
            )
            parts = [
                shares[at.step] * query_loss(batch, at.weights, at.step, statistics)
                for at in inner
                if shares[at.step]
            ]
            return sum(parts[1:], parts[0])

        return task_loss


def step_shares(steps: int, done: float, until: float) -> list[float]:
    """Return what the loss after 0, 1, …, `steps` inner steps counts.

    All steps but the start count the same at first; what the earlier ones lose goes
    to the last, down to a floor; from `until` on the last counts alone.

    >>> step_shares(2, 0.0, 0.5), step_shares(2, 0.25, 0.5), step_shares(2, 0.5, 0.5)
    ([0.0, 0.5, 0.5], [0.0, 0.25, 0.75], [0.0, 0.0, 1.0])
    """
    if done >= until:
        return [0.0] * steps + [1.0]
    early = max(1 - done / until, FLOOR) / steps
    return [0.0] + [early] * (steps - 1) + [1 - early * (steps - 1)]
