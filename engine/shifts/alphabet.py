"""Another alphabet: test classes are from alphabets held out of meta-training.

Source: the splits by alphabet of Lake, Salakhutdinov and Tenenbaum (2015).
Helps: to see whether new characters are recognized by their strokes or their alphabet.
"""

from typing import ClassVar

from engine.contract.errors import Refused
from engine.contract.registry import register
from engine.protocol import Setting, Shift
from engine.shifts._applicability import change_family, why_no_knobs


@register("shift")
class Alphabet(Shift):
    """Classes of held-out alphabets instead of new classes of known ones."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "off or on"
    severities: ClassVar[tuple[float, ...]] = (1.0,)
    top: ClassVar[float] = 1.0
    switch: ClassVar[bool] = True

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        if reason := why_no_knobs(setting, ("alphabets",), "alphabets"):
            return reason
        if setting.family.model_dump()["alphabets"] == "held_out":
            return "the tests are on held-out alphabets already"
        # The family's own check knows whether enough alphabets are held out.
        try:
            self.apply(setting, 1.0).family.check()
        except Refused as refusal:
            return refusal.message
        return None

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Take the test classes from held-out alphabets."""
        return change_family(setting, alphabets="held_out")
