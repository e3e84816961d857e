"""Linear regression: a random linear function of Gaussian inputs, with noise.

Source: ordinary least squares; inputs of chosen condition number are ours.
Differs: input variances fall geometrically, which sets the condition number.
Helps: with a base learner of depth 0 the landscape is a known quadratic.
"""

from typing import ClassVar

import numpy as np

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, generator
from engine.tasks import knobs
from engine.tasks.optimization._supervised import DataFamily


@register("family")
class Linear(DataFamily):
    """y = w·z/√d + b + ε n, x = diag(s) z, z ~ N(0, I), w, b ~ N(0, 1)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    output: ClassVar[str] = "value"
    rate: ClassVar[float] = 0.3

    dimensions: int = knob(
        8,
        label="Inputs d",
        unit="inputs",
        low=1,
        high=256,
        work="size",
        help="Number of inputs.",
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
    noise: float = knob(
        0.1,
        label="Noise ε",
        low=0.0,
        high=10.0,
        help="Standard deviation of the noise on the targets.",
    )
    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(64)

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw a linear function, then examples of it."""
        draw = generator(rng.child("data"))
        w, bias = draw.standard_normal(self.dimensions), draw.standard_normal()
        # Deviations from 1 to 1/√number: variances span the condition number.
        scale = self.conditioning ** -np.linspace(0.0, 0.5, self.dimensions)
        z = draw.standard_normal((self.dimensions, self.examples))
        n = draw.standard_normal(self.examples)
        held_z = draw.standard_normal((self.dimensions, self.held_out))
        held_n = draw.standard_normal(self.held_out)
        w = w / np.sqrt(self.dimensions)
        return Sample(
            (scale[:, None] * z).astype(np.float32),
            (w @ z + bias + self.noise * n).astype(np.float32),
            (scale[:, None] * held_z).astype(np.float32),
            (w @ held_z + bias + self.noise * held_n).astype(np.float32),
            outputs=1,
        )
