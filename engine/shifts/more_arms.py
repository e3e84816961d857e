"""More arms: the bandit has more arms than in meta-training.

Source: the settings of Duan et al. (2016), arXiv:1611.02779, table 1, with 5, 10 and 50
arms.
Helps: to see whether a strategy is made for one number of arms. An agent whose policy
has one output per arm cannot play, and says so.
"""

from typing import ClassVar

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs

LIMIT = 100


@register("shift")
class MoreArms(Shift):
    """k ← round(k 2^s), at test time only."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    unit: ClassVar[str] = "doublings"
    severities: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0)
    top: ClassVar[float] = 5.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_knobs(setting, ("arms",), "number of arms")

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Give the bandit more arms.

        Raises:
            Refused: If they are more than a bandit may have.
        """
        before = setting.family.model_dump()["arms"]
        arms = round(before * 2.0**severity)
        if arms > LIMIT:
            raise Refused(
                f"{before} arms doubled {severity:g} times are {arms}; at most {LIMIT} "
                "are allowed",
                "severities",
            )
        return change_family(setting, arms=arms)
