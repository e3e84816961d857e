"""Shorter search: a share of the evaluations, and of the cost budget, is removed.

Source: Ying et al. (2019), arXiv:1902.09635, who compare strategies at every amount of
training time.
Helps: to see which strategies are good early and which need long: what is learned from
other tasks should matter most with few evaluations.
"""

from dataclasses import replace
from typing import ClassVar

from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs
from engine.tasks.search._family import SearchFamily


@register("shift")
class ShorterSearch(Shift):
    """T ← T (1 − s), and the cost budget likewise."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    unit: ClassVar[str] = "share removed"
    severities: ClassVar[tuple[float, ...]] = (0.25, 0.5, 0.75)
    top: ClassVar[float] = 0.99

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("goal",), "goal")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Cut the number of evaluations, and the cost budget if there is one."""
        share = 1.0 - severity
        horizon = max(1, round(setting.horizon * share))  # a search needs an answer
        return change_family(
            replace(setting, horizon=horizon), **_cut_budget(setting, share)
        )


def _cut_budget(setting: Setting, share: float) -> dict[str, float]:
    """Return the family's reduced cost budget; empty where only the count limits."""
    family = setting.family
    assert isinstance(family, SearchFamily)
    paid = getattr(family, family.limit, 0.0) if family.limit else 0.0
    return {family.limit: paid * share} if paid else {}
