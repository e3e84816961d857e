"""Objective switch: halfway a cap comes, and the best so far may be forbidden.

Source: dynamic objectives as in Branke (2002), Evolutionary Optimization in Dynamic
Environments; the cap as in Tan et al. (2019), arXiv:1807.11626.
Differs: what was trained stays known; the best of it that the cap allows is the answer
from then on. A search with a budget is as far as its evaluations or its budget are,
whichever is further, so that the cap comes while there is something left to spend.
Helps: evaluations to recover show who can still move after half of the search.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._search_knobs import apply_cap, why_not_capped


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
        label="Comes at τ",
        unit="share of the search",
        low=0.05,
        high=0.95,
        help="How much of the search is over when the cap comes: of its evaluations, "
        "or of its budget.",
    )

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_not_capped(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Set the cap, and when it comes."""
        return apply_cap(setting, severity, since=self.since)
