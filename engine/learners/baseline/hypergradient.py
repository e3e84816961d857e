"""Hypergradient descent: the learning rate itself descends, one step behind.

Source: Baydin et al. (2018), arXiv:1703.04782, algorithms 4 to 6, and their
multiplicative form.
Differs: a schedule, where one is chosen, multiplies the adapted rate.
Helps: mends a badly chosen rate; it is greedy, so noise pulls it to zero, and the
additive form depends on the loss's scale and can turn the rate negative.
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

DECAY, BETAS, EPS = 0.9, (0.9, 0.999), 1e-8


@register("learner")
class Hypergradient(HandDesignedOptimizer):
    """ηₜ ← ηₜ₋₁ + β ⟨gₜ, dₜ₋₁⟩, or ηₜ₋₁ (1 + β cos(gₜ, dₜ₋₁)); w ← w − ηₜ dₜ."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Hypergradient"
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    lr: float = rate_knob(0.1)
    direction: Literal["sgd", "nesterov", "adam"] = knob(
        "sgd", label="Direction d", help="Which optimizer's steps the rate scales."
    )
    form: Literal["multiplicative", "additive"] = knob(
        "multiplicative",
        label="Form",
        help="Multiplicative does not depend on the loss's scale; additive does.",
    )
    beta: float = knob(
        0.1,
        label="Hypergradient rate β",
        low=1e-10,
        high=10.0,
        log=True,
        help="How fast the rate moves; the additive form wants 1e-3 and less.",
    )

    def rule(self, rate: Tensor) -> UpdateRule:
        """Return the rule that starts at given rates."""
        return HypergradientRule(self, rate)


@dataclass(frozen=True)
class HypergradientRule(UpdateRule):
    """Hypergradient descent from initial rates, shape (member, 1)."""

    knobs: Hypergradient
    rate: Tensor

    def start(self, weights: Tensor) -> Weights:
        """Begin at the given rate, with no direction taken yet."""
        own = {"sgd": (), "nesterov": ("velocity",), "adam": ("m", "v")}
        moments = zeros(weights, *own[self.knobs.direction])
        return {"rate": self.rate.clone(), "past": torch.zeros_like(weights), **moments}

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Move the rate by how the gradient lies to the last direction, then step."""
        along, moments = self._direction(inputs, state)
        rate = self._update_rate(state["rate"], inputs.grad, state["past"])
        factor = schedule_factor(self.knobs.schedule, inputs.step, inputs.horizon)
        scale = rate[:, 0] * factor / self.rate[:, 0].clamp(min=1e-12)
        state = {"rate": rate, "past": along, **moments}
        return OptimizerUpdate(-(rate * factor) * along, state, {"lr_scale": scale})

    def _update_rate(self, rate: Tensor, grad: Tensor, past: Tensor) -> Tensor:
        agree = (grad * past).sum(1, keepdim=True)
        if self.knobs.form == "additive":
            return rate + self.knobs.beta * agree
        size = grad.norm(dim=1, keepdim=True) * past.norm(dim=1, keepdim=True)
        return rate * (1 + self.knobs.beta * agree / size.clamp(min=1e-30))

    def _direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        if self.knobs.direction == "sgd":
            return Direction(inputs.grad, {})
        if self.knobs.direction == "nesterov":
            return nesterov_step(inputs.grad, state, DECAY)
        return adam_step(inputs.grad, state, inputs.step, BETAS, EPS)
