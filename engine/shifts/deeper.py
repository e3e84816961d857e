"""Deeper base learner: more hidden layers than the optimizer was trained with.

Source: Metz et al. (2022), arXiv:2211.09760, on learned optimizers and model size.
Helps: to see whether an optimizer copes with gradients through more layers.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_net, why_no_net


@register("shift")
class Deeper(Shift):
    """depth ← depth + round(s)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "layers"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0)
    top: ClassVar[float] = 8.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_net(setting, "depth")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Give the base learner more hidden layers."""
        now = int(setting.net.model_dump()["depth"])
        # change_net checks the range: the largest depth is the net's to say.
        return change_net(setting, depth=now + round(severity))
