"""Rotate: the inputs are rotated around the origin.

Source: ours, as a control.
Differs: in more than two dimensions, disjoint random planes are rotated together.
Helps: as the null shift: with rotation-invariant initial weights, SGD is unaffected on
average; Adam, which works coordinate by coordinate, is not.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Sample, Setting, Shift, generator
from engine.shifts._applicability import change_inputs, why_no_rows, why_too_few_inputs


@register("shift")
class Rotate(Shift):
    """x ← Q R(s) Qᵀ x, R rotating planes (1, 2), (3, 4), … by s; in the plane Q = I."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "degrees"
    severities: ClassVar[tuple[float, ...]] = (10.0, 20.0, 45.0, 90.0, 180.0)
    top: ClassVar[float] = 360.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        instead = "use image_rotation to rotate images"
        return why_no_rows(setting, instead) or why_too_few_inputs(setting, 2)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Rotate every task's inputs."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            size = sample.x.shape[0]
            turn = rotation_matrix(size, np.deg2rad(severity))
            if size > 2:
                # A random basis, so that no input is paired with its neighbor only.
                draw = generator(rng.child("shift", "rotate"))
                basis = np.linalg.qr(draw.standard_normal((size, size)))[0]
                turn = basis @ turn @ basis.T
            return change_inputs(sample, lambda x: (turn @ x).astype(x.dtype))

        return setting.with_warp(warp)


def rotation_matrix(size: int, angle: float) -> np.ndarray:
    """Return the matrix that rotates planes (0, 1), (2, 3), … by an angle.

    Args:
        size: Number of dimensions; with an odd one, the last stays fixed.
        angle: In radians, counterclockwise.

    Returns:
        Shape (size, size).

    >>> rotation_matrix(3, np.pi / 2).round().astype(int).tolist()
    [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    """
    matrix = np.eye(size)
    for i in range(0, size - 1, 2):
        cos, sin = np.cos(angle), np.sin(angle)
        matrix[i : i + 2, i : i + 2] = [[cos, -sin], [sin, cos]]
    return matrix
