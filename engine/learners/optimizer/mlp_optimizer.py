"""MLP optimizer: one small net computes each weight's update from its features.

Source: Metz et al. (2020), arXiv:2009.11243, the per-parameter network; Metz et al.
(2022), arXiv:2203.11860, its small form.
Differs: three momenta instead of six, progress instead of a step-count embedding,
and larger output multipliers, since horizons and budgets here are short.
Helps: more expressive than a learned rate, far cheaper than an LSTM; needs long
training, by evolution strategies, because unrolling it is chaotic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.optimization.learned_optimizer import LearnedOptimizer
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.protocol import (
    Layout,
    Meta,
    OptimizationBatch,
    OptimizerInput,
    OptimizerUpdate,
    UpdateRule,
    Weights,
)

DECAYS = (0.5, 0.9, 0.99)
SQUARES = 0.99
# Gradient and weight, momenta, two adaptive directions, progress.
FEATURES = 2 + len(DECAYS) + 2 + 1
# Floors under mean squares: of a tensor's features, and of one weight's gradient.
FLOOR, TINY = 1e-5, 1e-10


@register("learner")
class MlpOptimizer(LearnedOptimizer):
    """wᵢ ← wᵢ − a·d exp(b·m), (d, m) = net(gᵢ, wᵢ, momenta, gᵢ/√vᵢ, progress)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "magenta"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    hidden: int = knob(
        32,
        label="Hidden units",
        unit="units",
        low=1,
        high=128,
        work="size",
        help="Width of each hidden layer of the net.",
    )
    layers: int = knob(
        2,
        label="Hidden layers",
        unit="layers",
        low=1,
        high=4,
        work="passes",
        help="Number of hidden layers of the net.",
    )
    step_mult: float = knob(
        0.01,
        label="Step multiplier a",
        low=1e-5,
        high=10.0,
        log=True,
        help="Factor on each update; smaller is safer and slower.",
    )
    exp_mult: float = knob(
        0.1,
        label="Exponent multiplier b",
        low=1e-5,
        high=10.0,
        log=True,
        advanced=True,
        help="How strongly the net's second output m scales the update.",
    )

    def init(self, rngs: Sequence[Rng], tasks: OptimizationBatch) -> Meta:
        """Draw a net per replicate whose initial output is 0: weights do not move."""
        sizes = (FEATURES, *[self.hidden] * self.layers, 2)
        weights = stack_members([init_dense(sizes, rng.child("net")) for rng in rngs])
        start = tasks.start()
        return Meta(
            {k: v.to(start.device, start.dtype) for k, v in weights.items()}, {}
        )

    def rule(
        self, theta: Weights, tasks: OptimizationBatch, noise: tuple[Rng, ...] = ()
    ) -> UpdateRule:
        """Return the rule; it has no exploration noise."""
        return MlpRule(self, theta, tasks.layout)


@dataclass(frozen=True)
class MlpRule(UpdateRule):
    """The net with frozen meta-weights; `layout` tells which weights form a tensor."""

    knobs: MlpOptimizer
    theta: Weights
    layout: Layout

    def start(self, weights: Tensor) -> Weights:
        """Return momenta and mean squares of zero."""
        momenta = weights.new_zeros(weights.shape[0], len(DECAYS), weights.shape[1])
        return {"momenta": momenta, "squares": torch.zeros_like(weights)}

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Compute every weight's features and update."""
        # A NaN would stay in momenta and squares for the rest of the run.
        grad = torch.nan_to_num(inputs.grad)
        decays = grad.new_tensor(DECAYS)[:, None]
        momenta = state["momenta"] * decays + (1 - decays) * grad[:, None]
        squares = torch.lerp(state["squares"], grad.square(), 1 - SQUARES)
        state = {"momenta": momenta, "squares": squares}
        seen = self._features(inputs, grad, state)
        answer = apply_dense(self.theta, seen, act=torch.relu)
        # Clamped before exp, so that an untrained net cannot overflow.
        size = (self.knobs.exp_mult * answer[:, 1]).clamp(-10, 10).exp()
        return OptimizerUpdate(-self.knobs.step_mult * answer[:, 0] * size, state, {})

    def _features(self, inputs: OptimizerInput, grad: Tensor, state: Weights) -> Tensor:
        """Return the net's inputs, of about 1; shape (member, feature, weight)."""
        t = inputs.step + 1
        raw = torch.stack([grad, inputs.weights], 1)
        scaled = self._normalize_features(torch.cat([raw, state["momenta"]], 1))
        # Both are corrected for their zero start, as in Adam.
        root = (state["squares"] / (1 - SQUARES**t) + TINY).rsqrt()
        fast = state["momenta"][:, 1] / (1 - DECAYS[1] ** t)
        adaptive = torch.stack([grad * root, fast * root], 1)
        progress = torch.full_like(grad[:, None], 2 * inputs.step / inputs.horizon - 1)
        # Outliers would drive the net far from what it was trained on.
        return torch.cat([scaled, adaptive, progress], 1).clamp(-5, 5)

    def _normalize_features(self, features: Tensor) -> Tensor:
        """Divide each feature by its root mean square over the weight's tensor."""
        parts = features.split(self.layout.sizes, dim=2)
        means = [part.square().mean(2, keepdim=True) for part in parts]
        scaled = [p * (m + FLOOR).rsqrt() for p, m in zip(parts, means, strict=True)]
        return torch.cat(scaled, 2)
