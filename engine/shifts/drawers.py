"""Other writers: test examples are by other writers than those of meta-training.

Source: the drawers of Lake, Salakhutdinov and Tenenbaum (2015).
Helps: to see whether a learner knows characters, or the handwriting of some writers.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs

OTHERS = {"first_half": "second_half", "second_half": "first_half"}


@register("shift")
class Drawers(Shift):
    """Test examples by the half of the writers that meta-training does not see."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "off or on"
    severities: ClassVar[tuple[float, ...]] = (1.0,)
    top: ClassVar[float] = 1.0
    switch: ClassVar[bool] = True

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_knobs(setting, ("drawers",), "drawers"):
            return reason
        if setting.family.model_dump()["drawers"] in OTHERS:
            return None
        return "meta-training uses all writers; choose half of them for the family"

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Take the test examples from the other writers; classes stay."""
        now = setting.family.model_dump()["drawers"]
        return change_family(setting, drawers=OTHERS[now])
