"""Checks of the data that a family draws, before it is stacked into a batch."""

import math

import numpy as np

from engine.contract.errors import Refused
from engine.protocol.samples import Episode, Sample


def check_sample(family: str, sample: object) -> None:
    """Check that the data of a task have the shapes that a batch is made of.

    Args:
        family: Name of the family.
        sample: What its `sample` returned.

    Raises:
        Refused: If they have not, with the shapes.
    """
    if not isinstance(sample, Sample):
        given = "None" if sample is None else f"a {type(sample).__name__}"
        raise Refused(
            f"the family {family} must return a Sample or an Episode from sample(), "
            f"not {given}",
            "family",
        )
    if problem := _explain_arrays(sample) or _explain_labels(sample):
        raise Refused(f"the family {family} draws data that do not fit: {problem}")


def check_same_size(family: str, first: Sample, other: Sample) -> None:
    """Check that two tasks can be stacked.

    Raises:
        Refused: If one has more examples or inputs than the other.
    """
    if first.x.shape != other.x.shape or first.held_x.shape != other.held_x.shape:
        raise Refused(
            f"the family {family} draws tasks of several sizes, x of shape "
            f"{first.x.shape} and {other.x.shape}, held_x of shape "
            f"{first.held_x.shape} and {other.held_x.shape}; all tasks of one run need "
            "the same (feature, example)",
            "family",
        )


def _explain_arrays(sample: Sample) -> str:
    """Return which array has a wrong shape; empty if none."""
    for names in (("x", "y"), ("held_x", "held_y")):
        x, y = (getattr(sample, name) for name in names)
        if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray)):
            return (
                f"{names[0]} and {names[1]} must be numpy arrays, not "
                f"{type(x).__name__} and {type(y).__name__}"
            )
        if x.ndim != 2 or y.ndim != 1 or x.shape[1] != len(y):
            return (
                f"{names[0]} must have the shape (feature, example) and {names[1]} "
                f"(example,), not {x.shape} and {y.shape}"
                + ("; transpose it" if x.ndim == 2 and x.shape[:1] == y.shape else "")
            )
    if len(sample.x) != len(sample.held_x):
        return f"x has {len(sample.x)} features, but held_x {len(sample.held_x)}"
    if isinstance(sample, Episode) and math.prod(sample.shape or (0,)) != len(sample.x):
        return (
            f"shape={sample.shape} is not that of an example of {len(sample.x)} "
            f"features; write shape=({len(sample.x)},)"
        )
    return ""


def _explain_labels(sample: Sample) -> str:
    """Return which label is no class; empty if none."""
    for name in ("y", "held_y"):
        labels = getattr(sample, name)
        if labels.dtype.kind not in "if":
            return f"{name} must be int64 classes or float32 values, not {labels.dtype}"
        if labels.dtype.kind == "i" and labels.size:
            low, high = int(labels.min()), int(labels.max())
            if low < 0 or high >= sample.outputs:
                return (
                    f"{name} must hold classes from 0 to outputs - 1 = "
                    f"{sample.outputs - 1}, not from {low} to {high}"
                )
    return ""
