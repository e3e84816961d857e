"""Objective switch: midway, a cap appears that may exclude the best so far.

Source: dynamic objectives as in Branke (2002), Evolutionary Optimization in Dynamic
Environments; the cap as in Tan et al. (2019), arXiv:1807.11626.
Differs: what was trained stays known, and the best of it that the cap allows is the
answer from then on. The progress of a search with a cost budget is that of its
evaluations or of its cost, whichever is further, so that some budget is left.
Helps: to see, by the evaluations to recover, which strategies can still adapt.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._space_limits import apply_cap, why_not_capped


@register("shift")
class ObjectiveSwitch(Shift):
    """max score(a) until τ is over; then max score(a), p(a) ≤ its (1 − s)-quantile."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "share excluded"
    severities: ClassVar[tuple[float, ...]] = (0.5, 0.75, 0.9)
    top: ClassVar[float] = 0.999

    since: float = knob(
        0.5,
        label="Start τ",
        unit="share of the search",
        low=0.05,
        high=0.95,
        help="Share of the search (of its evaluations, or of its cost budget) after "
        "which the cap holds.",
    )

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_not_capped(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the cap and its start."""
        return apply_cap(setting, severity, since=self.since)
