"""iMAML: adapt near the start, and differentiate where that ends, not how.

Source: Rajeswaran, Finn, Kakade and Levine (2019), arXiv:1909.04630, algorithms 1
and 2.
Differs: adaptation at test is held to the start as in training; the outer rule is a
choice of the run.
Helps: many inner steps cost no more memory than one; it wants them to arrive.
"""

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.implicit_gradients import (
    conjugate_gradients,
    flatten_weights,
    hessian_product,
    proximal_sgd,
    unflatten_weights,
)
from engine.algorithms.few_shot.inner_loop import (
    adapt_weights,
    query_loss,
    trainable_names,
)
from engine.algorithms.few_shot.knobs import inner_rate_knob, inner_steps_knob
from engine.algorithms.few_shot.meta_gradients import (
    mean_member_gradients,
    outer_with_statistics,
)
from engine.algorithms.few_shot.running_statistics import BatchStatistics
from engine.contract.parts import knob
from engine.contract.registry import register
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
class Imaml(GradientLearner):
    """φ* = argmin L_S(φ) + λ/2 ‖φ − θ‖²; dθ = (I + ∇²L_S(φ*) / λ)⁻¹ ∇L_Q(φ*)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "pink"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob(0.005)
    inner_steps: int = inner_steps_knob(16, high=256)
    pull: float = knob(
        2.0,
        label="Pull λ",
        low=1e-4,
        high=1e8,
        log=True,
        help="How strongly adapted weights are held to the start.",
    )
    cg_steps: int = knob(
        5,
        label="Conjugate gradients",
        unit="steps",
        low=0,
        high=200,
        advanced=True,
        help="Products with the Hessian per outer gradient; 0 is first order.",
    )
    damping: float = knob(
        1.0,
        label="Damping δ",
        low=0.0,
        high=1e6,
        advanced=True,
        help="Added to λ in the inverse alone: steadier, but nearer to first order.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return the inner gradients, the queries', the Hessian's and its products'."""
        products = self.cg_steps and self.cg_steps + 1.0
        return self.inner_steps + 1.0 + products

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Descend from θ, held to it."""
        rule = proximal_sgd(self.inner_lr, self.pull, theta, self.inner_clip)
        return Adaptation(theta, rule)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Solve for the gradient at the end of adaptation."""
        return outer_with_statistics(
            meta,
            tasks,
            lambda seen: mean_member_gradients(
                meta,
                tasks,
                partial(self._implicit_gradient, seen),
                step_context.compile_gradient,
            ),
        )

    def _implicit_gradient(
        self, statistics: list[BatchStatistics], theta: Weights, batch: EpisodeBatch
    ) -> tuple[Tensor, Weights]:
        """Return the loss on the queries, and the implicit gradient in θ."""
        names = trainable_names(batch)
        rule = proximal_sgd(self.inner_lr, self.pull, theta, self.inner_clip)
        ends = adapt_weights(
            batch, theta, rule, self.inner_steps, statistics=statistics
        )
        at = ends | {n: ends[n].detach().requires_grad_() for n in names}
        loss = query_loss(batch, at, self.inner_steps, statistics)
        found = torch.autograd.grad(loss.sum(), [at[n] for n in names])
        right = flatten_weights(dict(zip(names, found, strict=True)), names)
        return loss, unflatten_weights(
            self._solve_implicit(batch, at, right), at, names
        )

    def _solve_implicit(
        self, batch: EpisodeBatch, at: Weights, right: Tensor
    ) -> Tensor:
        """Solve (I + ∇²L_S / (λ + δ)) x = right for each member."""
        if not self.cg_steps:
            return right
        bent = hessian_product(batch, at, trainable_names(batch), self.inner_steps)
        share = 1 / (self.pull + self.damping)
        return conjugate_gradients(lambda v: v + share * bent(v), right, self.cg_steps)
