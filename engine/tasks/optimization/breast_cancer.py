"""Breast cancer: malignant or benign, from 30 measurements of cell nuclei.

Source: Street, Wolberg and Mangasarian (1993), UCI, Wisconsin diagnostic; CC BY 4.0;
bundled with scikit-learn.
Differs: rows are divided once into three pools; each task draws features and rows
from its pool, and standardizes by its training rows.
Helps: as a real two-class problem that a linear model nearly solves: a learned
optimizer gains little here.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.tasks import knobs
from engine.tasks.optimization._tables import BundledTableFamily


@register("family")
class BreastCancer(BundledTableFamily):
    """x: measurements drawn per task; y: malignant or benign."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    bundled: ClassVar[str] = "breast_cancer"

    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(64)
    features: int = knobs.features(10, high=30)
