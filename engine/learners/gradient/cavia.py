"""CAVIA: adapt a few context parameters, and share all weights between tasks.

Source: Zintgraf, Shiarlis, Kurin, Hofmann and Whiteson (2019), arXiv:1810.03642,
algorithm 1; section 3.3 for how dense nets and nets of images take the context.
Differs: the context's columns W_φ start as PyTorch's linear layers do, and all other
weights as in every net here. In a net of images W_φ φ shifts the channels of the first
layer; the paper scales them, too, and in its third layer. The outer rule is a choice of
the run, Adam in the paper.
Helps: where tasks differ in a few numbers: a handful of parameters cannot overfit ten
points, tells what differs between tasks, and tolerates any inner rate near 1.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch

from engine.algorithms.few_shot.gradient_learner import Adaptation, GradientLearner
from engine.algorithms.few_shot.inner_rules import sgd
from engine.algorithms.few_shot.knobs import inner_rate_knob
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_through_steps
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.normalization import BATCHES
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Inspection,
    Layout,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    Weights,
    generator,
)

COLUMNS, CONTEXT = "context_columns", "context"


@register("learner")
class Cavia(GradientLearner):
    """φ_0 = 0, φ ← φ − α ∇_φ L_S(f_θ(x, φ)); θ ← θ − β ∇ mean over tasks of L_Q."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob(1.0)
    parameters: int = knob(
        5,
        label="Context parameters φ",
        unit="parameters",
        low=1,
        high=256,
        work="size",
        help="Numbers that are adapted to a task; as many as it takes to tell tasks "
        "apart are enough.",
    )

    @property
    def gradients_per_episode(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one.

        A gradient of the context counts as one: it passes through the whole net.
        """
        return 2.0 * self.inner_steps + 1.0

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return W_φ, the first layer's weights of the context as a further input.

        Returns:
            Shape (replicate, unit, parameter).

        Raises:
            Refused: If the context cannot change an answer; choose another net.
        """
        if removes_bias(tasks):
            raise Refused(
                f"{self.name} adds the same to all examples, which batch normalization "
                "subtracts again; choose another normalization",
                "net",
            )
        first = start[tasks.layout.layers[0][0]]
        units, inputs = first.shape[1], math.prod(first.shape[2:])
        bound = 1.0 / math.sqrt(inputs + self.parameters)
        rows = [
            torch.from_numpy(
                generator(rng.child(CONTEXT)).uniform(
                    -bound, bound, (units, self.parameters)
                )
            )
            for rng in rngs
        ]
        return {COLUMNS: torch.stack(rows).to(first)}

    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Start at φ = 0 and adapt φ alone; the net runs with its first bias shifted.

        W [x; φ] + b = W_x x + (W_φ φ + b): an input that all examples share is a shift.
        """
        columns, bias = theta[COLUMNS], first_bias(tasks.layout)
        kernel = lonely_kernel(tasks)
        start = {name: value for name, value in theta.items() if name != COLUMNS}
        start[CONTEXT] = columns.new_zeros(len(columns), columns.shape[2])

        def shift_bias(weights: Weights) -> Weights:
            shift = torch.bmm(columns, weights[CONTEXT].unsqueeze(2)).squeeze(2)
            if weights[bias].dim() > shift.dim():  # a row for each inner step
                shift = shift.unsqueeze(1)
            shifted = weights | {bias: weights[bias] + shift}
            if kernel:
                nothing = 0.0 * weights[CONTEXT].sum(1)
                shifted[kernel] = weights[kernel] + nothing.view(-1, 1, 1, 1, 1)
            return shifted

        rule = sgd(self.inner_lr, self.inner_clip)
        return Adaptation(start, rule, names=(CONTEXT,), through=shift_bias)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss through the steps of the context, by θ."""
        task_loss = partial(self.adapted_loss, 2)
        return outer_through_steps(
            meta, tasks, task_loss, step_context.compile_gradient
        )

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Compare first-order and second-order meta-gradients."""
        return meta_cosine(meta, tasks, self.adapted_loss)


def removes_bias(tasks: EpisodeBatch) -> bool:
    """Return whether batch normalization follows the first layer's bias."""
    layers = tasks.layout.layers
    batches = getattr(tasks.net, "normalization", "none") in BATCHES
    # A layer of weights and bias alone has no shift behind its normalization.
    return batches and len(layers) > 1 and len(layers[0]) == 2


def first_bias(layout: Layout) -> str:
    """Return the name of the first layer's bias, or of its normalization's shift."""
    return next(name for name in layout.layers[0] if name.startswith("b"))


def lonely_kernel(tasks: EpisodeBatch) -> str | None:
    """Return the convolution that must get a gradient along with the shift behind it.

    PyTorch's normalization of groups of channels-last images ends the process where the
    shift needs a gradient and the images do not.
    """
    groups = getattr(tasks.net, "normalization", "") in ("layer", "instance", "group")
    images = len(tasks.layout.shapes[0]) == 4
    return tasks.layout.layers[0][0] if groups and images else None
