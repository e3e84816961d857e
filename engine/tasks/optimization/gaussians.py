"""Gaussian classes: one Gaussian per class, in any number of dimensions.

Source: the two-class tasks of the published sigmoid controller; the rest is ours.
Differs: the first preset of the sigmoid controller is this family at its defaults:
centers U(−5, 5)², unit covariance plus noise 0.1, 100 + 100 points.
Helps: as a first example and a control: with two classes in the plane, tuned SGD solves
most tasks at once, so there is little to gain; an offset makes them harder.
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
class Gaussians(DataFamily):
    """x = c_k + ς n + ε m + o, c_k ~ U(−r, r)^d, o ~ U(−b, b)^d, n, m ~ N(0, I)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    plane: ClassVar[bool] = True

    dimensions: int = knob(
        2,
        label="Inputs d",
        unit="inputs",
        low=1,
        high=256,
        work="size",
        help="Number of inputs; the film needs two of them and two classes.",
    )
    classes: int = knob(
        2,
        label="Classes k",
        unit="classes",
        low=2,
        high=32,
        help="Number of classes; more of them overlap more.",
    )
    radius: float = knob(
        5.0,
        label="Spread of centers r",
        low=0.0,
        high=50.0,
        help="Centers are drawn from the cube of this half-width.",
    )
    width: float = knob(
        1.0,
        label="Class width ς",
        low=0.0,
        high=20.0,
        help="Standard deviation of each class; more makes classes overlap.",
    )
    noise: float = knob(
        0.1,
        label="Extra noise ε",
        low=0.0,
        high=20.0,
        help="Standard deviation of additional noise.",
    )
    offset: float = knob(
        0.0,
        label="Offset b",
        low=0.0,
        high=100.0,
        help="All classes of a task are shifted together by U(−b, b) in each input.",
    )
    examples: int = knobs.examples(200)
    held_out: int = knobs.held_out(64)

    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw centers, offset, then points; the draws do not depend on the widths."""
        draw = generator(rng.child("data"))
        centers = self.radius * draw.uniform(-1, 1, (self.dimensions, self.classes))
        centers += self.offset * draw.uniform(-1, 1, (self.dimensions, 1))
        x, y = self._draw_points(draw, centers, self.examples)
        held_x, held_y = self._draw_points(draw, centers, self.held_out)
        return Sample(x, y, held_x, held_y, outputs=self.classes)

    def _draw_points(
        self, draw: np.random.Generator, centers: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw points (feature, count), classes in turn so that all are present."""
        y = np.arange(count) % self.classes
        shape = (self.dimensions, count)
        x = centers[:, y] + self.width * draw.standard_normal(shape)
        x += self.noise * draw.standard_normal(shape)
        return x.astype(np.float32), y
