"""MAML++: more stable MAML, by multi-step losses, learned rates and annealing.

Source: Antoniou, Edwards and Storkey (2019), arXiv:1810.09502, section 4, whose parts
it calls MSL, LSLR and DA.
Differs: shares of training replace the paper's epochs (MSL: 15 of 100 in its
miniImageNet configuration; DA: the first 50); one checkpoint predicts, not an ensemble
of five. α starts at 0.01; Omniglot's configuration has 0.1. The outer rate's decay
belongs to the outer rule, and per-step batch statistics to the net (normalization
meta_batch).
Helps: deep nets and several inner steps, where plain MAML trains unstably.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_loop import query_loss
from engine.algorithms.few_shot.inner_rules import sgd_with_rates
from engine.algorithms.few_shot.knobs import inner_steps_knob, training_share_knob
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_through_steps
from engine.algorithms.few_shot.outer_gradient import TaskLoss
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

FLOOR = 0.03  # times 1/k: the smallest weight of an earlier step's loss


@register("learner")
class MamlPlus(GradientLearner):
    """Descend Σ_i v_i L_Q(φ_i) in (θ, a), φ_{i+1} = φ_i − a_{layer,i} ∇L_S(φ_i)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "start"

    inner_steps: int = inner_steps_knob(5, low=1)
    learned_rates: bool = knob(
        True,
        label="Learned rates",
        help="Whether to learn an inner rate for each layer and each inner step.",
    )
    multi_step_share: float = training_share_knob(
        0.15,
        label="Multi-step loss",
        help="For this first share of training the loss after every inner step counts, "
        "with more and more weight on the last; afterwards only the last.",
    )
    first_order_share: float = training_share_knob(
        0.3,
        label="First order",
        help="For this first share of training inner gradients count as constants.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return the gradient evaluations of an episode, averaged over training.

        They are k inner gradients, differentiated again once the first-order share is
        over, and one gradient per query loss that counts.
        """
        k, many = self.inner_steps, self.multi_step_share
        return k + k * (1 - self.first_order_share) + k * many + (1 - many)

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return a rate for each layer and inner step, all initially equal."""
        if not self.learned_rates:
            return {}
        shape = (len(rngs), len(tasks.layout.layers), self.inner_steps)
        return {"alpha": tasks.support.x.new_full(shape, self.inner_lr)}

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at θ with a rate per layer and step; later steps use the last one."""
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
        """Differentiate the weighted sum of query losses."""
        order = 1 if step_context.share_done < self.first_order_share else 2
        task_loss = partial(self._weighted_loss, step_context.share_done, order)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Compare first- and second-order meta-gradients; return the learned rates."""
        seen = meta_cosine(meta, tasks, partial(self._weighted_loss, 1.0))
        if self.learned_rates:
            axes = ("layer", "inner_step")
            seen["inner_lr"] = Inspection(axes, meta.weights["alpha"])
        return seen

    def _weighted_loss(
        self, done: float, order: int, statistics: list[BatchStatistics] | None = None
    ) -> TaskLoss:
        # Steps of weight 0 are skipped below: their forward pass would be for nothing.
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
    """Return the weight of the query loss after 0, 1, …, `steps` inner steps.

    At first all steps count equally, except step 0, which never counts. Weight then
    moves linearly from the earlier steps to the last, down to a floor; from `until` on
    only the last counts.

    Args:
        steps: Inner steps k; at least 1.
        done: Share of meta-training that is done, 0 to 1.
        until: Share at which the multi-step loss ends.

    Returns:
        Weights of sum 1; length steps + 1.

    >>> step_shares(2, 0.0, 0.5), step_shares(2, 0.25, 0.5), step_shares(2, 0.5, 0.5)
    ([0.0, 0.5, 0.5], [0.0, 0.25, 0.75], [0.0, 0.0, 1.0])
    """
    if done >= until:
        return [0.0] * steps + [1.0]
    early = max(1 - done / until, FLOOR) / steps
    return [0.0] + [early] * (steps - 1) + [1 - early * (steps - 1)]
