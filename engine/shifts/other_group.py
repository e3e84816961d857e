"""Other group: tests are on rows of another group of the file, such as a later year.

Source: domain generalization, as Gulrajani and Lopez-Paz (2020), arXiv:2007.01434.
Differs: training sees one group, and the tests others, one distance at a time.
Helps: to see whether what was learned on one year or region holds on another.
"""

from dataclasses import replace
from typing import ClassVar, Protocol, runtime_checkable

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.protocol import Family, Setting, Shift


@runtime_checkable
class GroupedFamily(Protocol):
    """A family whose rows are in groups, of which training sees one."""

    shift: str

    def move_away(self, far: float) -> Family:
        """Return the family of the rows that are this far from those of training."""


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
        if not isinstance(setting.family, GroupedFamily):
            return f"{setting.family.name} has no groups to change"
        if not setting.family.shift:
            return "the file has no shift column; choose one with the file"
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Take the rows of the groups at a distance.

        Raises:
            Refused: If no group is that far, or if its rows are too few.
        """
        assert isinstance(setting.family, GroupedFamily)
        there = setting.family.move_away(severity)
        try:
            there.check()
        except Refused as refusal:
            raise Refused(refusal.message, "severities") from None
        return replace(setting, family=there)
