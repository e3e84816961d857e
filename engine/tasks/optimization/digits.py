"""Digits: real handwritten digits of 8 × 8 pixels.

Source: Alpaydin and Kaynak (1998), UCI, optical recognition of handwritten digits;
CC BY 4.0; bundled with scikit-learn.
Differs: rows are divided once into three pools; each task draws classes, features and
rows from its pool, and standardizes by its training rows.
Helps: as a first real data set: many classes, many inputs, hardly any noise.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.tasks import knobs
from engine.tasks.optimization._tables import BundledTableFamily


@register("family")
class Digits(BundledTableFamily):
    """x: pixels sampled per task; y: which of K digits sampled per task."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    bundled: ClassVar[str] = "digits"

    classes: int = knob(
        5,
        label="Classes",
        unit="classes",
        low=2,
        high=10,
        help="Digits per task, sampled afresh; more are harder.",
    )
    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(40)
    features: int = knobs.features(32, high=64)
