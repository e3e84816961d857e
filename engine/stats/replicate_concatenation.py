"""Joining the batches of a run: one block for all replicates.

A run that computes its replicates in batches writes a block for each. The later ones
say which replicates they hold, counted from the run's first one.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.contract.events import Block

AXIS = "replicate"


def join_batches(blocks: Iterable[Block]) -> list[Block]:
    """Return blocks that hold all replicates of the run.

    Args:
        blocks: Oldest first; of two with one address the later one counts.

    Returns:
        In order of first appearance; NaN where a replicate was not measured.
    """
    newest = list({block.address(): block for block in blocks}.values())
    if not any(AXIS in block.coords for block in newest):
        return newest
    groups: dict[tuple[object, ...], list[Block]] = {}
    counts: dict[tuple[object, ...], int] = {}
    for block in newest:
        measured = (block.learner, block.phase, block.metric, block.condition)
        # A training curve comes in pieces, each joined for itself.
        piece = (*measured, block.axes, block.coords.get("step", (None,))[0])
        groups.setdefault(piece, []).append(block)
        if AXIS in block.axes:
            last = int(block.coordinates(AXIS)[-1])
            counts[measured] = max(counts.get(measured, 0), last + 1)
    return [
        _join(parts, counts[piece[:4]]) if AXIS in parts[0].axes else parts[-1]
        for piece, parts in groups.items()
    ]


def _join(parts: Sequence[Block], replicates: int) -> Block:
    """Join blocks of one measurement, along every axis by its coordinates."""
    first = parts[0]
    places: dict[str, list[float]] = {AXIS: [float(r) for r in range(replicates)]}
    for axis in first.axes:
        if axis != AXIS:
            places[axis] = sorted({at for p in parts for at in p.coordinates(axis)})
    shape = [len(places[axis]) for axis in first.axes]
    if len(parts) == 1 and first.array.shape == tuple(shape):
        return first
    array = np.full(shape, np.nan, np.asarray(first.array).dtype)
    for part in parts:
        at = [np.searchsorted(places[a], part.coordinates(a)) for a in first.axes]
        array[np.ix_(*at)] = part.array
    # Replicates are 0, 1, 2, … now, which is what a block without coordinates says.
    coords = {axis: tuple(places[axis]) for axis in first.coords if axis != AXIS}
    return Block(
        first.learner,
        first.phase,
        first.metric,
        first.axes,
        array,
        first.condition,
        coords,
    )
