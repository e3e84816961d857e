"""SGD: the plain outer rule.

Source: Robbins and Monro (1951).
Differs: gradients are clipped per replicate, and one that is not finite counts as
zero.
Helps: where the size of the outer gradient should matter.
"""

from typing import ClassVar

from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.outers._clipping import clip_per_replicate
from engine.outers._schedules import (
    OuterSchedule,
    decay_knob,
    outer_factor,
    schedule_knob,
)
from engine.protocol import OuterRule, Weights


@register("outer")
class Sgd(OuterRule):
    """θ ← θ − β ĝ."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot", "rl"})

    lr: float = knob(
        0.1,
        label="Outer rate β",
        unit="per outer step",
        low=1e-7,
        high=100.0,
        log=True,
        help="Learning rate of the meta-weights.",
    )
    clip: float = knob(
        1.0,
        label="Outer clip",
        unit="L2",
        low=0.0,
        high=1e6,
        help="Largest norm of the outer gradient per replicate; 0 disables clipping.",
    )
    schedule: OuterSchedule = schedule_knob()
    weight_decay: float = decay_knob()

    def start(self, weights: Weights) -> Weights:
        """Return an empty state."""
        return {}

    def step(
        self,
        weights: Weights,
        grads: Weights,
        state: Weights,
        done: float | Tensor = 0.0,
    ) -> tuple[Weights, Weights]:
        """Move each replicate against its clipped gradient."""
        grads = clip_per_replicate(grads, self.clip)
        rate = self.lr * outer_factor(self.schedule, done)
        # Decoupled: the decay is not clipped with the gradient.
        kept = 1.0 - rate * self.weight_decay
        after = {k: kept * w - rate * grads[k] for k, w in weights.items()}
        return after, state
