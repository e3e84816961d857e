"""Beale: a function of two variables, flat with steep corners, transformed per task.

Source: Beale (1958); test problem 5 of Moré, Garbow and Hillstrom (1981).
Differs: scaled by 0.01, so that rates near 0.1 are stable; each task is rotated,
scaled and shifted, and starts at a random point.
Helps: to see how an optimizer crosses a plateau without jumping off at a cliff.
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
class Beale(Family):
    """f(x) = c Σᵢ (rᵢ − u (1 − vⁱ))², r = (1.5, 2.25, 2.625), (u, v) = A (x − o)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    output: ClassVar[str] = "none"
    uses_net: ClassVar[bool] = False
    plane: ClassVar[bool] = True

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
        1.5,
        label="Spread of starts",
        low=0.0,
        high=4.0,
        help="Starts are in the square of this half-width around (u, v) = (1, 0).",
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
        return stack_functions(beale_function, draws, setting, batch_spec)

    def _draw_function(self, rng: Rng) -> DrawnFunction:
        draw = generator(rng.child("data"))
        matrix = draw_plane(draw, self.turn, self.gain)
        offset = draw.uniform(-1.0, 1.0, 2)
        inner = np.array([1.0, 0.0]) + self.spread * draw.uniform(-1.0, 1.0, 2)
        # The start is drawn in (u, v), where the landscape is the same for all tasks.
        start = np.linalg.solve(matrix, inner) + offset
        return DrawnFunction(
            start, {"a": matrix, "o": offset, "c": np.array(self.scale)}
        )


def beale_function(x: Tensor, constants: Weights) -> Tensor:
    """Return Beale's function of each member.

    Args:
        x: Shape (member, 2).
        constants: `a` (member, 2, 2), `o` (member, 2) and `c` (member,).

    Returns:
        Shape (member,).
    """
    inner = (constants["a"] @ (x - constants["o"]).unsqueeze(2)).squeeze(2)
    u, v = inner.unbind(1)
    first = 1.5 - u * (1.0 - v)
    second = 2.25 - u * (1.0 - v.square())
    third = 2.625 - u * (1.0 - v * v.square())
    return constants["c"] * (first.square() + second.square() + third.square())
