"""Other device: only architectures that are fast on a given device count.

Source: Li et al. (2021), arXiv:2103.10584, who measured latencies of NAS-Bench-201's
cells on six devices.
Differs: a hard cap, as a share of the space; accuracy is the same on every device.
Helps: to see whether a strategy trained without a cap finds architectures that are fast
on this device: which ones are depends on the device.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import why_no_knobs
from engine.shifts._space_limits import apply_cap, cappable_properties


@register("shift")
class OtherDevice(Shift):
    """max score(a) over a with latency(a) ≤ its (1 − s)-quantile on the device."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "share excluded"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75, 0.9)
    top: ClassVar[float] = 0.999

    device: str = knob(
        "",
        label="Device",
        help="Part of the latency's name, such as raspi4; empty for the first latency "
        "of the space.",
    )

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_knobs(setting, ("cap",), "cap"):
            return reason
        if self._latencies(setting):
            return None
        named = f" whose name contains {self.device!r}" if self.device else ""
        return f"{setting.family.name} has no latency of any device{named}"

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the cap on the device's latency."""
        latency = self._latencies(setting)[0]
        return apply_cap(setting, severity, since=0.0, on=latency)

    def _latencies(self, setting: Setting) -> list[str]:
        known = cappable_properties(setting)
        return [n for n in known if "latency" in n and self.device in n]
