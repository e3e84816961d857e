"""Longer sequence: online episodes present more examples than in meta-training.

Source: ours; length generalization is a known weak point of recurrent and in-context
learners.
Helps: to see whether a learner that reads step by step goes on learning, or loses
itself in states that it never met. The first examples are the same.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class LongerSequence(Shift):
    """T ← round(T (1 + s)), at test time only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "× longer"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1.0)
    top: ClassVar[float] = 10.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("presentations",), "presentations")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Present more examples in every test episode."""
        now = int(setting.family.model_dump()["presentations"])
        return change_family(setting, presentations=round(now * (1.0 + severity)))
