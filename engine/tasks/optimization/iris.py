"""Iris: the species of a flower, from four lengths.

Source: Fisher (1936); UCI, iris, CC BY 4.0; bundled with scikit-learn.
Differs: rows are divided once into three pools; each task draws classes, features and
rows from its pool, and standardizes by its training rows.
Helps: as the smallest real data set: four inputs, of which each task sees three.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.tasks import knobs
from engine.tasks.optimization._tables import BundledTableFamily


@register("family")
class Iris(BundledTableFamily):
    """x: lengths drawn per task; y: which of the K species drawn per task."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    bundled: ClassVar[str] = "iris"

    classes: int = knob(
        3,
        label="Classes",
        unit="classes",
        low=2,
        high=3,
        help="Species per task, sampled afresh.",
    )
    examples: int = knobs.examples(24)
    held_out: int = knobs.held_out(16)
    features: int = knobs.features(3, high=4)
