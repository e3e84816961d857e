"""Shrink: one input, or all, are scaled down.

Source: the classic effect of input scale on the condition number of a landscape;
LeCun, Bottou, Orr and Müller (1998), Efficient BackProp.
Helps: with one input, as the opposite of stretch; with all of them, gradients get
small, and a rate that was right becomes too low.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import why_no_rows
from engine.shifts._scaling import Axis, axis_knob, scale_inputs


@register("shift")
class Shrink(Shift):
    """x_i ← x_i · 2^−s for the first input, a random one of each task, or all."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization", "few_shot"})
    unit: ClassVar[str] = "halvings"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1.0, 1.5, 2.0, 2.5)
    top: ClassVar[float] = 10.0

    axis: Axis = axis_knob()

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_rows(setting, "use image_scale to shrink images")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Scale every task's chosen inputs down."""
        return scale_inputs(setting, self.axis, -severity)
