"""Hypergradient descent: the learning rate follows its own gradient, one step late.

Source: Baydin et al. (2018), arXiv:1703.04782, algorithms 4 to 6, and their
multiplicative form.
Differs: multiplicative with β = 0.1 by default; the authors' runs are additive, with β
= 0.001 (Adam: 10⁻⁷). A schedule, if one is chosen, multiplies the adapted rate.
Helps: corrects a badly chosen rate; it is greedy, so noise drives it to zero, and the
additive form depends on the loss's scale and can make the rate negative.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.optimization.hand_designed import (
    HandDesignedOptimizer,
    rate_knob,
)
from engine.algorithms.optimization.update_rules import (
    Direction,
    adam_step,
    nesterov_step,
    schedule_factor,
    zeros,
)
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import OptimizerInput, OptimizerUpdate, UpdateRule, Weights

# Constants of the directions; no knobs, as only the learning rate is studied here.
DECAY, BETAS, EPS = 0.9, (0.9, 0.999), 1e-8


@register("learner")
class Hypergradient(HandDesignedOptimizer):
    """ηₜ ← ηₜ₋₁ + β ⟨gₜ, dₜ₋₁⟩, or ηₜ₋₁ (1 + β cos(gₜ, dₜ₋₁)); w ← w − ηₜ dₜ."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "Hypergradient"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.1)
    direction: Literal["sgd", "nesterov", "adam"] = knob(
        "sgd", label="Direction d", help="The optimizer whose steps the rate scales."
    )
    form: Literal["multiplicative", "additive"] = knob(
        "multiplicative",
        label="Form",
        help="Multiplicative is independent of the loss's scale; additive is not.",
    )
    beta: float = knob(
        0.1,
        label="Hypergradient rate β",
        low=1e-10,
        high=10.0,
        log=True,
        help="How fast the rate changes; the additive form needs 1e-3 or less.",
    )

    def rule(self, rate: Tensor) -> UpdateRule:
        """Return the rule that starts at the given rates; shape (member, 1)."""
        return HypergradientRule(self, rate)


@dataclass(frozen=True)
class HypergradientRule(UpdateRule):
    """Hypergradient descent from initial rates, shape (member, 1)."""

    knobs: Hypergradient
    rate: Tensor

    def start(self, weights: Tensor) -> Weights:
        """Return the given rate, a last direction of zero, and zero moments."""
        own = {"sgd": (), "nesterov": ("velocity",), "adam": ("m", "v")}
        moments = zeros(weights, *own[self.knobs.direction])
        return {"rate": self.rate.clone(), "past": torch.zeros_like(weights), **moments}

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Update the rate by the gradient's agreement with the last step, then step."""
        along, moments = self._direction(inputs, state)
        rate = self._update_rate(state["rate"], inputs.grad, state["past"])
        factor = schedule_factor(self.knobs.schedule, inputs.step, inputs.horizon)
        # Relative to the given rate, as for every optimizer; a rate of 0 gives no ∞.
        scale = rate[:, 0] * factor / self.rate[:, 0].clamp(min=1e-12)
        state = {"rate": rate, "past": along, **moments}
        return OptimizerUpdate(-(rate * factor) * along, state, {"lr_scale": scale})

    def _update_rate(self, rate: Tensor, grad: Tensor, past: Tensor) -> Tensor:
        agree = (grad * past).sum(1, keepdim=True)
        if self.knobs.form == "additive":
            return rate + self.knobs.beta * agree
        size = grad.norm(dim=1, keepdim=True) * past.norm(dim=1, keepdim=True)
        # At the first step there is no direction: 0 / 1e-30 leaves the rate as it is.
        return rate * (1 + self.knobs.beta * agree / size.clamp(min=1e-30))

    def _direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        if self.knobs.direction == "sgd":
            return Direction(inputs.grad, {})
        if self.knobs.direction == "nesterov":
            return nesterov_step(inputs.grad, state, DECAY)
        return adam_step(inputs.grad, state, inputs.step, BETAS, EPS)
