"""Random quadratic: a sum of squared residuals of random linear equations.

Source: Andrychowicz et al. (2016), arXiv:1606.04474, section 3.1.
Differs: W and y are drawn from N(0, 1), as the paper says; the published code draws
them from U(0, 1). Optional: a given condition number of WᵀW, and gradient noise as in
Wu et al. (2018), arXiv:1803.02021.
Helps: as a landscape with known optimal step sizes; noise with a large condition number
shows short-horizon bias.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
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
    add_gradient_noise,
    stack_functions,
)


@register("family")
class Quadratic(Family):
    """f(x) = ‖W x − y‖², W, y ~ N(0, 1), x₀ ~ N(0, 0.01²)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    output: ClassVar[str] = "none"
    rate: ClassVar[float] = 0.03
    uses_net: ClassVar[bool] = False

    dimensions: int = knob(
        10,
        label="Dimensions",
        unit="weights",
        low=1,
        high=200,
        work="size",
        help="Length of x, and number of equations.",
    )
    conditioning: float = knob(
        0.0,
        label="Condition number of WᵀW",
        unit="×",
        low=0.0,
        high=1e6,
        help="0 leaves W as drawn; from 1 on, its singular values are set accordingly.",
    )
    noise: float = knob(
        0.0,
        label="Gradient noise",
        low=0.0,
        high=100.0,
        help="Standard deviation added to each gradient entry at each step.",
    )

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> OptimizationBatch:
        """Draw one system of equations per stream; pools differ only by streams."""
        draws = [self._draw_function(rng) for rng in rngs]
        tasks = stack_functions(squared_residuals, draws, setting, batch_spec)
        return add_gradient_noise(tasks, rngs, self.noise)

    def _draw_function(self, rng: Rng) -> DrawnFunction:
        draw, n = generator(rng.child("data")), self.dimensions
        w, y = draw.standard_normal((n, n)), draw.standard_normal(n)
        start = 0.01 * draw.standard_normal(n)
        if self.conditioning:
            # No condition number is below 1; the knob's range starts at 0 for "off".
            w = set_conditioning(w, max(self.conditioning, 1.0))
        return DrawnFunction(start, {"w": w, "y": y})


def squared_residuals(x: Tensor, constants: Weights) -> Tensor:
    """Return ‖W x − y‖² of each member.

    Args:
        x: Shape (member, weight).
        constants: `w` (member, equation, weight) and `y` (member, equation).

    Returns:
        Shape (member,).
    """
    residuals = torch.einsum("mij,mj->mi", constants["w"], x) - constants["y"]
    return residuals.square().sum(1)


def set_conditioning(w: np.ndarray, number: float) -> np.ndarray:
    """Set the condition number of WᵀW, keeping the singular vectors of W.

    The eigenvalues of WᵀW fall geometrically from largest to smallest; their sum is
    the expected one of a Gaussian matrix.

    Args:
        w: Square matrix; shape (n, n).
        number: Condition number of WᵀW, at least 1.

    Returns:
        Shape (n, n).

    >>> w = set_conditioning(np.array([[3.0, 1.0], [0.0, 2.0]]), 25.0)
    >>> float(np.linalg.cond(w.T @ w).round(6))
    25.0
    """
    n = len(w)
    left, _, right = np.linalg.svd(w)
    eigenvalues = number ** -np.linspace(0.0, 1.0, n)
    # E tr WᵀW = n² for entries from N(0, 1).
    eigenvalues *= n * n / eigenvalues.sum()
    return np.asarray((left * np.sqrt(eigenvalues)) @ right)
