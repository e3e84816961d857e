"""Diabetes: regression of disease progression from ten measurements.

Source: Efron, Hastie, Johnstone and Tibshirani (2004), Least angle regression; bundled
with scikit-learn.
Differs: rows are divided once into three pools; each task draws features and rows
from its pool, and standardizes by its training rows.
Helps: as real regression with much noise: the best loss is about half the initial one.
"""

from typing import ClassVar

from engine.contract.registry import register
from engine.tasks import knobs
from engine.tasks.optimization._tables import BundledTableFamily


@register("family")
class Diabetes(BundledTableFamily):
    """x: measurements drawn per task; y: progression after a year, standardized."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})
    bundled: ClassVar[str] = "diabetes"
    output: ClassVar[str] = "value"
    rate: ClassVar[float] = 0.15

    examples: int = knobs.examples(64)
    held_out: int = knobs.held_out(48)
    features: int = knobs.features(6, high=10)
