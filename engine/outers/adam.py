"""Adam: the usual outer rule.

Source: Kingma and Ba (2015), arXiv:1412.6980, algorithm 1.
Differs: β is 0.02 for learned optimizers by default; few-shot families have the paper's
0.001. Gradients are clipped per replicate, and one that is not finite counts as zero.
Helps: the usual choice; it is insensitive to the scale of an estimator's gradient.
"""

from typing import ClassVar

import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.outers._clipping import clip_factor, from_rows, to_rows
from engine.outers._schedules import (
    OuterSchedule,
    decay_knob,
    outer_factor,
    schedule_knob,
)
from engine.protocol import OuterRule, Weights
from engine.protocol.adam_moments import advance_moments


@register("outer")
class Adam(OuterRule):
    """θ ← θ − β m̂ / (√v̂ + ε)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot", "rl"})

    lr: float = knob(
        0.02,
        label="Outer rate β",
        unit="per outer step",
        low=1e-7,
        high=10.0,
        log=True,
        help="Learning rate of the meta-weights.",
        follows="outer_rate",
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
        """Return zero moments and a step count of 0, per replicate."""
        rows = to_rows(weights)
        zero = torch.zeros_like(rows)
        return {"m": zero, "v": zero, "t": rows.new_zeros(len(rows))}

    def step(
        self,
        weights: Weights,
        grads: Weights,
        state: Weights,
        done: float | Tensor = 0.0,
    ) -> tuple[Weights, Weights]:
        """Update each replicate by its own moments, all its weights in one row."""
        factor = clip_factor(grads, self.clip).unsqueeze(1)
        grad = torch.nan_to_num(to_rows(grads), 0.0, 0.0, 0.0) * factor
        rate = self.lr * outer_factor(self.schedule, done)
        t = state["t"] + 1
        # Not `adam_step`: each replicate has its own step count, and correcting the
        # bias under the root rounds differently.
        now = advance_moments(grad, state["m"], state["v"], t.unsqueeze(1))
        # Decoupled: the decay acts on the weights, not through the moments.
        kept = (1.0 - rate * self.weight_decay) * to_rows(weights)
        after = kept - rate * now.m / now.correction / now.root
        return from_rows(after, weights), {"m": now.m, "v": now.v, "t": t}
