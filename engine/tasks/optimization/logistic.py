"""Logistic regression: a convex loss over the weights of a linear classifier.

Source: Li and Malik (2017), arXiv:1606.01885: logistic regression on random Gaussian
classes.
Differs: two spherical classes in d dimensions with flipped labels, and a ridge penalty,
so that every task has a finite optimum.
Helps: as the convex control: gains here do not depend on the landscape of a net.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    BatchSpec,
    Family,
    OptimizationBatch,
    Setting,
    Weights,
    generator,
)
from engine.tasks import knobs
from engine.tasks.optimization._functions import DrawnFunction, stack_functions


@register("family")
class Logistic(Family):
    """f(w, b) = mean ln(1 + exp(−y (w·x + b))) + λ/2 ‖w‖², y = ±1, x = y m + n."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    output: ClassVar[str] = "none"
    uses_net: ClassVar[bool] = False

    dimensions: int = knob(
        10,
        label="Inputs d",
        unit="inputs",
        low=1,
        high=200,
        work="size",
        help="Number of inputs; there is one weight for each, and a bias.",
    )
    distance: float = knob(
        1.0,
        label="Distance of the classes",
        unit="σ",
        low=0.0,
        high=10.0,
        help="Length of m, half the distance between the two centers.",
    )
    conditioning: float = knob(
        10.0,
        label="Condition number",
        unit="×",
        low=1.0,
        high=1e4,
        log=True,
        help="Largest over smallest variance of the inputs; more slows SGD down.",
    )
    flipped: float = knob(
        0.05,
        label="Flipped labels",
        unit="share",
        low=0.0,
        high=0.5,
        help="Share of wrong labels; a few keep the optimum close to 0.",
    )
    ridge: float = knob(
        1e-3,
        label="Ridge λ",
        low=0.0,
        high=1.0,
        help="Pulls the weights to 0 and makes the loss strongly convex.",
    )
    examples: int = knobs.examples(64)

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> OptimizationBatch:
        """Draw one data set per stream; pools differ only by their streams."""
        draws = [self._draw_function(rng) for rng in rngs]
        return stack_functions(logistic_loss, draws, setting, batch_spec)

    def _draw_function(self, rng: Rng) -> DrawnFunction:
        draw = generator(rng.child("data"))
        mean = draw.standard_normal((self.dimensions, 1))
        # A random direction of fixed length, so that tasks are equally hard.
        mean *= self.distance / np.linalg.norm(mean)
        y = 1.0 - 2.0 * (np.arange(self.examples) % 2)
        x = mean * y + draw.standard_normal((self.dimensions, self.examples))
        x *= self.conditioning ** -np.linspace(0.0, 0.5, self.dimensions)[:, None]
        y = np.where(draw.random(self.examples) < self.flipped, -y, y)
        start = 0.01 * draw.standard_normal(self.dimensions + 1)
        rows = np.concatenate([x, np.ones((1, self.examples))])
        # The loss depends on y · x alone, so labels are multiplied into the rows.
        return DrawnFunction(start, {"rows": rows * y, "ridge": np.array(self.ridge)})


def logistic_loss(weights: Tensor, constants: Weights) -> Tensor:
    """Return each member's mean log loss plus ridge penalty.

    Args:
        weights: The last one is the bias; shape (member, weight).
        constants: `rows`, y · (x, 1), shape (member, weight, example), and `ridge`.

    Returns:
        Nats; shape (member,).
    """
    margin = (weights.unsqueeze(1) @ constants["rows"]).squeeze(1)
    # The bias is not penalized.
    ridge = constants["ridge"] * weights[:, :-1].square().sum(1) / 2.0
    return F.softplus(-margin).mean(1) + ridge
