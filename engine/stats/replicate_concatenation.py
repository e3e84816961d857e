"""Joining the batches of a run: one block for all replicates.

A run that computes its replicates in batches writes a block for each. The later ones
say which replicates they hold, counted from the run's first one.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from engine.contract.events import Block, Condition
from engine.contract.kinds import KINDS

AXIS = "replicate"
_RULES = [rule for kind in KINDS.values() for rule in kind.criteria]
# What every batch measures; leak probes are the first one's alone.
_JUDGED = {"diverged"}.union(
    *((rule.deciding, rule.beside, rule.trace, *rule.shown) for rule in _RULES)
)


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


def drop_unfinished_tests(blocks: Iterable[Block]) -> list[Block]:
    """Leave out later tests that lack what the first batch measured there.

    A run that is cancelled during a test leaves more replicates of one learner than of
    another, and these cannot be paired.

    Args:
        blocks: Of all batches.
    """
    kept = list(blocks)
    asked: dict[Condition, set[tuple[str, str]]] = {}
    found: dict[tuple[Condition, object], set[tuple[str, str]]] = {}
    for block in kept:
        if block.phase != "test" or AXIS not in block.axes:
            continue
        batch, measured = block.coords.get(AXIS), (block.learner, block.metric)
        done = found.setdefault((block.condition, batch), set())
        if block.metric in _JUDGED:
            done.add(measured)
            if batch is None:
                asked.setdefault(block.condition, set()).add(measured)
    unfinished = {at for at, done in found.items() if asked.get(at[0], done) - done}
    return [
        block
        for block in kept
        if block.phase != "test"
        or (block.condition, block.coords.get(AXIS)) not in unfinished
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
