"""Wine: the cultivar of a wine, from 13 chemical measurements.

Source: Forina et al. (1991), UCI, wine; CC BY 4.0; bundled with scikit-learn.
Differs: rows are divided once into three pools; each task draws classes, features and
rows from its pool, and standardizes by its training rows.
Helps: as a small real data set: its pools have 53 rows or more, so intervals are wide.
"""

from typing import ClassVar

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.tasks import knobs
from engine.tasks.optimization._tables import BundledTableFamily


@register("family")
class Wine(BundledTableFamily):
    """x: measurements drawn per task; y: which of the K cultivars drawn per task."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    bundled: ClassVar[str] = "wine"

    classes: int = knob(
        3,
        label="Classes",
        unit="classes",
        low=2,
        high=3,
        help="Cultivars per task, sampled afresh.",
    )
    examples: int = knobs.examples(32)
    held_out: int = knobs.held_out(16)
    features: int = knobs.features(8, high=13)
