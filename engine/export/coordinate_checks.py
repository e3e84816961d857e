"""Checks of the coordinates of an imported block, and quoting for their errors."""

import itertools
import json
import math
from collections.abc import Mapping

from engine.contract.errors import Refused
from engine.contract.events import Block
from engine.contract.text_decoding import clean

ALONG = (
    "step",
    "rate",
    "replicate",
    "context",
    "presentation",
)  # axes that may have coordinates


def parse_coordinates(text: str) -> dict[str, tuple[float, ...]]:
    """Read the coordinates of a block; infinities become NaN, which is refused later.

    Args:
        text: A JSON object, of axes and their lists of numbers.

    Raises:
        Refused: If it is anything else.
    """
    try:
        value = json.loads(text, parse_constant=lambda word: math.nan)
    except ValueError:
        raise Refused(f"coords: must be JSON, not {quote(text)}") from None
    if not isinstance(value, Mapping):
        raise Refused(f"coords: must be a JSON object, not {quote(text)}")
    found = {}
    for axis, at in value.items():
        if not isinstance(at, list) or not all(type(x) in (int, float) for x in at):
            raise Refused(f"coords: {quote(axis)} must hold a list of numbers")
        try:
            found[axis] = tuple(map(float, at))
        except OverflowError:
            raise Refused(f"coords: {quote(axis)} holds a number too large") from None
    return found


def check_coordinate_axes(block: Block) -> None:
    """Check that only axes that may have coordinates have some.

    Raises:
        Refused: With the axis.
    """
    if extra := set(block.coords) - set(block.axes).intersection(ALONG):
        raise Refused(f"coords: {quote(min(extra))} can have none in this block")
    if "rate" in block.axes and "rate" not in block.coords:
        raise Refused("coords: the learning rates that were tried are missing")


def check_coordinates(block: Block, axis: str, length: int, most: int) -> None:
    """Check the coordinates along one axis.

    Args:
        block: The block.
        axis: One of its axes.
        length: The length of that axis.
        most: The largest step.

    Raises:
        Refused: Unless they are as many, finite, not negative and rising.
    """
    at = block.coords.get(axis)
    if at is None:
        return
    if len(at) != length or not at:
        raise Refused(f"coords: {axis} must have {length:,} positions, not {len(at):,}")
    rises = all(one < two for one, two in itertools.pairwise(at))
    if not rises or not all(map(math.isfinite, at)):
        raise Refused(f"coords: {axis} must be finite numbers that rise")
    if at[0] < 0:
        raise Refused(f"coords: {axis} must be at least 0, not {at[0]:g}")
    whole = axis != "rate"
    if whole and (odd := [x for x in at if x > most or x % 1]):
        limits = f"whole numbers from 0 to {most:,}"
        raise Refused(f"coords: {axis}s must be {limits}, not {odd[0]:g}")


def quote(word: str) -> str:
    """Return text in quotes, without odd characters and at most 40 long."""
    return repr(clean(word)[:40])
