"""Higher frequency: test functions vary faster than those of meta-training.

Source: the frequency ranges of Vuorio et al. (2019), arXiv:1910.13616; ours as a shift.
Helps: as a change that no new initialization or scale undoes: the features must vary
faster, too.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class Frequency(Shift):
    """ω ← (1 + s) ω."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "× faster"
    severities: ClassVar[tuple[float, ...]] = (0.1, 0.25, 0.5, 1.0)
    top: ClassVar[float] = 10.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("frequency",), "frequency")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Let the same functions vary faster."""
        now = setting.family.model_dump()["frequency"]
        return change_family(setting, frequency=(1.0 + severity) * now)
