"""Interface of shifts: changes of the setting that tasks are drawn in."""

from abc import abstractmethod
from typing import ClassVar

from engine.contract.parts import Part
from engine.protocol.tasks import Setting


class Shift(Part):
    """A change of the setting, with a severity; 0 is the identity.

    Attributes:
        unit: Unit of the severities.
        severities: The default severities.
        top: The largest allowed severity.
        switch: Whether it is only off or on.
    """

    slot: ClassVar[str] = "shift"
    traits: ClassVar[tuple[str, ...]] = ("unit", "severities", "top", "switch")
    unit: ClassVar[str] = ""
    severities: ClassVar[tuple[float, ...]] = ()
    top: ClassVar[float] = 10.0
    switch: ClassVar[bool] = False

    @classmethod
    def why_incomplete(cls) -> str:
        """Return what is wrong with the severities; empty if nothing is."""
        if cls.severities and all(0 < s <= cls.top for s in cls.severities):
            return ""
        return (
            f"severities is {cls.severities}; name some above 0 and at most top = "
            f"{cls.top:g}, as in `severities: ClassVar[tuple[float, ...]] = (1.0,)`"
        )

    @abstractmethod
    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""

    @abstractmethod
    def apply(self, setting: Setting, severity: float) -> Setting:
        """Return the shifted setting.

        Args:
            setting: The setting without the shift.
            severity: In the shift's unit, above 0.

        Raises:
            Refused: If the shifted setting is not allowed.
        """
