"""Other group: tests are on rows of another group of the file, such as a later year.

Source: domain generalization, as Gulrajani and Lopez-Paz (2020), arXiv:2007.01434.
Differs: training sees one group, and the tests others, one distance at a time.
Helps: to see whether what was learned on one year or region holds on another.
"""

from typing import ClassVar

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class OtherGroup(Shift):
    """Rows of the groups that are s from that of training, by order or distance."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    unit: ClassVar[str] = "groups"
    severities: ClassVar[tuple[float, ...]] = (1.0,)
    top: ClassVar[float] = 100_000.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_knobs(setting, ("shift", "away"), "groups"):
            return reason
        if not setting.family.model_dump()["shift"]:
            return "the file has no shift column; choose one with the file"
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Take the rows of the groups at a distance.

        Raises:
            Refused: If no group is that far, or if its rows are too few.
        """
        shifted = change_family(setting, away=severity)
        try:
            shifted.family.check()
        except Refused as refusal:
            raise Refused(refusal.message, "severities") from None
        return shifted
