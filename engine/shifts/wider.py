"""Wider base learner: more hidden units than the optimizer was trained with.

Source: Metz et al. (2022), arXiv:2211.09760, on learned optimizers and model size.
Helps: to see whether an optimizer's steps keep their size when weights multiply.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_net, why_no_net


@register("shift")
class Wider(Shift):
    """width ← round(width · 2^s)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "doublings"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0)
    top: ClassVar[float] = 9.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_net(setting, "width"):
            return reason
        shallow = getattr(setting.net, "depth", 1) == 0
        return "a base learner of depth 0 has no hidden units" if shallow else None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Give the base learner more hidden units."""
        now = int(setting.net.model_dump()["width"])
        return change_net(setting, width=round(now * 2.0**severity))
