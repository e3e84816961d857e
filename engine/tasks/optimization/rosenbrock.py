"""Rosenbrock: a curved valley of two variables, rotated and scaled per task.

Source: Rosenbrock (1960), doi:10.1093/comjnl/3.3.175.
Differs: scaled by 0.01 and less steep by default, so that rates near 0.1 are stable;
each task is rotated, scaled and shifted, and starts at a random point.
Helps: to see on a contour plot how an optimizer follows a curved valley.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
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
from engine.tasks.optimization._functions import (
    DrawnFunction,
    draw_plane,
    stack_functions,
)


@register("family")
class Rosenbrock(Family):
    """f(x) = c ((1 − u)² + b (v − u²)²), (u, v) = A (x − o)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    output: ClassVar[str] = "none"
    uses_net: ClassVar[bool] = False
    plane: ClassVar[bool] = True

    steepness: float = knob(
        10.0,
        label="Steepness b",
        unit="×",
        low=0.1,
        high=1000.0,
        log=True,
        help="How steep the valley's walls are; the original has 100.",
    )
    scale: float = knob(
        0.01,
        label="Scale c",
        unit="×",
        low=1e-6,
        high=1.0,
        log=True,
        help="Multiplies the function; the original has 1.",
    )
    spread: float = knob(
        2.0,
        label="Spread of starts",
        low=0.0,
        high=5.0,
        help="Starts are in the square of this half-width around (u, v) = 0.",
    )
    turn: float = knob(
        180.0,
        label="Turn",
        unit="degrees",
        low=0.0,
        high=180.0,
        help="Each task is rotated by U(−turn, turn).",
    )
    gain: float = knob(
        0.3,
        label="Size spread",
        unit="ln ×",
        low=0.0,
        high=1.0,
        help="Each task's plane is scaled by exp U(−spread, spread).",
    )

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> OptimizationBatch:
        """Draw one function per stream; pools differ only by their streams."""
        draws = [self._draw_function(rng) for rng in rngs]
        return stack_functions(rosenbrock_function, draws, setting, batch_spec)

    def _draw_function(self, rng: Rng) -> DrawnFunction:
        draw = generator(rng.child("data"))
        matrix = draw_plane(draw, self.turn, self.gain)
        offset = draw.uniform(-1.0, 1.0, 2)
        inner = self.spread * draw.uniform(-1.0, 1.0, 2)
        start = np.linalg.solve(matrix, inner) + offset
        constants = {
            "a": matrix,
            "o": offset,
            "b": np.array(self.steepness),
            "c": np.array(self.scale),
        }
        return DrawnFunction(start, constants)


def rosenbrock_function(x: Tensor, constants: Weights) -> Tensor:
    """Return Rosenbrock's function of each member.

    Args:
        x: Shape (member, 2).
        constants: `a` (member, 2, 2), `o` (member, 2), `b` and `c` (member,).

    Returns:
        Shape (member,).
    """
    inner = (constants["a"] @ (x - constants["o"]).unsqueeze(2)).squeeze(2)
    u, v = inner.unbind(1)
    walls = constants["b"] * (v - u.square()).square()
    return constants["c"] * ((1.0 - u).square() + walls)
