"""Digits: real handwritten digits of 8 × 8 pixels.

Source: Alpaydin and Kaynak (1998), UCI, optical recognition of handwritten digits;
CC BY 4.0; brought along by scikit-learn.
Differs: rows are divided once into three pools; each task draws classes, features and
rows from its pool, and standardizes by its training rows.
Helps: as the first real data to look at: many classes, many inputs, no noise to speak
of.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.tasks import knobs
from engine.tasks.optimization._tables import BundledTableFamily


@register("family")
class Digits(BundledTableFamily):
    """x: pixels drawn per task; y: which of the K digits drawn per task."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    bundled: ClassVar[str] = "digits"

    classes: int = knob(
        5,
        label="Classes",
        unit="classes",
        low=2,
        high=10,
        help="Digits of each task, drawn afresh; more of them are harder.",
    )
    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(40)
    features: int = knobs.features(32, high=64)
