"""LSTM optimizer: one small LSTM, shared by all weights, outputs each one's update.

Source: Andrychowicz et al. (2016), arXiv:1606.04474, section 2 and appendix A.
Differs: s = 0.1 by default, 0.01 for nets in the authors' code, whose p is 5 (10 in the
paper); the output layer starts small, so that the untrained optimizer hardly moves; its
objective is the mean log loss, as for all optimizers here, not the sum.
Helps: beats hand-designed rules on the tasks it was trained on, quadratics above all;
other activations and much longer runs break it.
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
from engine.nets.dense import init_dense, stack_members
from engine.nets.lstm import apply_lstm, init_lstm, preprocess, start_lstm
from engine.protocol import (
    Meta,
    OptimizationBatch,
    OptimizerInput,
    OptimizerUpdate,
    UpdateRule,
    Weights,
)


@register("learner")
class Lstm(LearnedOptimizer):
    """wᵢ ← wᵢ + s·(V hᵢ + b), hᵢ, cᵢ ← LSTM(log|gᵢ|/p, sign gᵢ; hᵢ, cᵢ)."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "LSTM"
    hue: ClassVar[str] = "green"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    estimators: ClassVar[tuple[str, ...]] = ("unroll", "pes", "es")

    hidden: int = knob(
        20,
        label="Hidden units",
        unit="units",
        low=1,
        high=128,
        work="size",
        help="Width of each LSTM layer.",
    )
    layers: int = knob(
        2,
        label="LSTM layers",
        unit="layers",
        low=1,
        high=4,
        work="passes",
        help="Number of stacked layers.",
    )
    scale: float = knob(
        0.1,
        label="Output scale s",
        low=1e-5,
        high=10.0,
        log=True,
        help="Factor on the LSTM's output; smaller for nets with many weights.",
    )
    p: float = knob(
        10.0,
        label="Gradient range p",
        low=0.5,
        high=50.0,
        advanced=True,
        help="Gradients below e⁻ᵖ enter linearly, larger ones as log and sign.",
    )

    def init(self, rngs: Sequence[Rng], tasks: OptimizationBatch) -> Meta:
        """Draw an LSTM and a small output layer for each replicate."""
        nets = [self._draw_weights(rng.child("lstm")) for rng in rngs]
        start = tasks.start()
        weights = stack_members(nets)
        return Meta(
            {k: v.to(start.device, start.dtype) for k, v in weights.items()}, {}
        )

    def _draw_weights(self, rng: Rng) -> Weights:
        # Small, so that the untrained optimizer hardly moves, yet not 0: the LSTM below
        # would get no gradient.
        answer = init_dense((self.hidden, 1), rng.child("answer"), last=0.1)
        cells = init_lstm(2, self.hidden, self.layers, rng.child("cells"))
        return cells | {"answer.w": answer["w0"], "answer.b": answer["b0"]}

    def rule(
        self, theta: Weights, tasks: OptimizationBatch, noise: tuple[Rng, ...] = ()
    ) -> UpdateRule:
        """Return the rule; it has no exploration noise."""
        return LstmRule(self, theta)


@dataclass(frozen=True)
class LstmRule(UpdateRule):
    """The LSTM with frozen meta-weights; every weight has its own hidden state."""

    knobs: Lstm
    theta: Weights

    def start(self, weights: Tensor) -> Weights:
        """Return hidden states of zero."""
        return start_lstm(weights, self.knobs.hidden, self.knobs.layers)

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Feed each gradient entry to the LSTM; its output is the update."""
        out, state = apply_lstm(
            self.theta, preprocess(inputs.grad, self.knobs.p), state
        )
        bias = self.theta["answer.b"].unsqueeze(-1)
        answer = torch.baddbmm(bias, self.theta["answer.w"], out)[:, 0]
        return OptimizerUpdate(self.knobs.scale * answer, state, {})
