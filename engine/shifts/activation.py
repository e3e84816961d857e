"""Another activation: the base learner's hidden units use another activation function.

Source: Andrychowicz et al. (2016), arXiv:1606.04474, figure 5: a learned optimizer
fails on a net with another activation.
Helps: to see whether a learned optimizer is general, or tied to one kind of net.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_net, why_no_net

OTHER = {"relu": "tanh", "tanh": "relu", "gelu": "tanh", "sigmoid": "relu"}


@register("shift")
class Activation(Shift):
    """relu ↔ tanh; gelu becomes tanh and sigmoid becomes relu."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "off or on"
    severities: ClassVar[tuple[float, ...]] = (1.0,)
    top: ClassVar[float] = 1.0
    switch: ClassVar[bool] = True

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_net(setting, "activation"):
            return reason
        shallow = getattr(setting.net, "depth", 1) == 0
        return "a base learner of depth 0 has no activation" if shallow else None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Replace the base learner's activation."""
        now = setting.net.model_dump()["activation"]
        return change_net(setting, activation=OTHER[now])
