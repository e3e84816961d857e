"""Larger amplitudes: test functions are larger than any in meta-training.

Source: ours; beyond the ranges of Finn et al. (2017), arXiv:1703.03400, section 5.1,
one property at a time.
Helps: to see whether a learner extrapolates to amplitudes that it has not seen.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs

KNOBS = ("amplitude_low", "amplitude_high")


@register("shift")
class Amplitude(Shift):
    """A ~ U(a + s b, b + s b) instead of U(a, b)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "× the largest"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0, 2.0)
    top: ClassVar[float] = 10.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, KNOBS, "amplitude")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Move the range of amplitudes up."""
        # The width stays, so that the same uniform draws give the same tasks, raised.
        low, high = (getattr(setting.family, name) for name in KNOBS)
        more = severity * high
        return change_family(
            setting, amplitude_low=low + more, amplitude_high=high + more
        )
