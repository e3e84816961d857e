"""Motif features of architectures: options, pairs of options, subgraphs of a cell."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Bools, Indices

# Names under which tables list "no connection".
ABSENT = frozenset({"none", "zero", "zeroize", "no connection"})


class MotifFeature(NamedTuple):
    """One motif and the rows that have it.

    Args:
        kind: option, anywhere, pair, path, series, parallel or shape.
        words: Its description.
        at: Positions and their options; empty if the motif names none.
        mask: Which rows have it; shape (row,).
    """

    kind: str
    words: str
    at: tuple[tuple[int, int], ...]
    mask: Bools


class DecisionGrid(NamedTuple):
    """The decisions of a space, and the cell's graph if they are its edges.

    Args:
        positions: Names of the decisions.
        options: Names of each decision's options.
        edges: Start and end node of each position; empty if there is no graph.
    """

    positions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def from_lists(
        cls,
        options: Sequence[Sequence[str]],
        edges: Sequence[Sequence[int]] = (),
        positions: Sequence[str] = (),
    ) -> "DecisionGrid":
        """Return the grid from lists; positions without names get some."""
        pairs = tuple((int(a), int(b)) for a, b in edges)
        named = tuple(positions) or tuple(f"{a}→{b}" for a, b in pairs)
        named = named or tuple(f"position {i + 1}" for i in range(len(options)))
        return cls(named, tuple(tuple(names) for names in options), pairs)


def find_motif_features(codes: Indices, grid: DecisionGrid) -> list[MotifFeature]:
    """Return all motifs that some rows have and others lack, the simplest first.

    A motif that exactly the same rows have as a simpler one is left out.

    Args:
        codes: Index of the option at each position; shape (row, position).
        grid: The decisions that the codes refer to.
    """
    seen: set[bytes] = set()
    kept = []
    for found in _all_features(np.asarray(codes, np.int64), grid):
        mark = np.packbits(found.mask).tobytes()
        if found.mask.any() and not found.mask.all() and mark not in seen:
            seen.add(mark)
            kept.append(found)
    return kept


def _all_features(codes: Indices, grid: DecisionGrid) -> Iterator[MotifFeature]:
    yield from _option_features(codes, grid)
    if grid.edges:
        yield from _subgraph_features(codes, grid)
        # Without a graph an option's name means something else at each decision.
        yield from _shared_option_features(codes, grid)
    yield from _pair_features(codes, grid)


def _option_features(codes: Indices, grid: DecisionGrid) -> Iterator[MotifFeature]:
    for p, name in enumerate(grid.positions):
        for o, option in enumerate(grid.options[p]):
            words = _describe_option(option, name, grid)
            yield MotifFeature("option", words, ((p, o),), codes[:, p] == o)


def _shared_option_features(
    codes: Indices, grid: DecisionGrid
) -> Iterator[MotifFeature]:
    """Yield "at least n times" for every option that several positions share."""
    for option in _shared_options(grid):
        count = _option_mask(codes, grid, option).sum(1)
        for least in range(1, int(count.max(initial=0)) + 1):
            words = f"{option} somewhere" if least == 1 else f"{option} ≥ {least} times"
            yield MotifFeature("anywhere", words, (), np.asarray(count >= least))


def _pair_features(codes: Indices, grid: DecisionGrid) -> Iterator[MotifFeature]:
    for p, q in combinations(range(len(grid.positions)), 2):
        for o, first in enumerate(grid.options[p]):
            for k, second in enumerate(grid.options[q]):
                one = _describe_option(first, grid.positions[p], grid)
                two = _describe_option(second, grid.positions[q], grid)
                there = (codes[:, p] == o) & (codes[:, q] == k)
                yield MotifFeature("pair", f"{one} with {two}", ((p, o), (q, k)), there)


def _subgraph_features(codes: Indices, grid: DecisionGrid) -> Iterator[MotifFeature]:
    """Yield motifs of the paths from a cell's input to its output."""
    live = live_edges(codes, grid)
    longest, paths = _path_lengths(codes, grid)
    yield MotifFeature("shape", "no path from input to output", (), paths == 0)
    for most in range(2, int(paths.max(initial=0)) + 1):
        yield MotifFeature("shape", f"≥ {most} paths to the output", (), paths >= most)
    for long in range(2, int(longest.max(initial=0)) + 1):
        yield MotifFeature("shape", f"a path of ≥ {long} edges", (), longest >= long)
    shared = [
        option for option in _shared_options(grid) if not is_no_connection(option)
    ]
    on = {option: _option_mask(codes, grid, option) & live for option in shared}
    for option in shared:
        yield MotifFeature(
            "path", f"{option} on a path", (), np.asarray(on[option].any(1))
        )
    for first in shared:
        for second in shared:
            there = _edges_meet(on[first], on[second], grid.edges, series=True)
            yield MotifFeature("series", f"{first} then {second}", (), there)
    for first, second in [*combinations(shared, 2), *((o, o) for o in shared)]:
        there = _edges_meet(on[first], on[second], grid.edges, series=False)
        yield MotifFeature("parallel", f"{first} beside {second}", (), there)


def _edges_meet(
    one: Bools, two: Bools, edges: tuple[tuple[int, int], ...], *, series: bool
) -> Bools:
    """Return which rows have both on adjacent edges: end to start, or end to end."""
    there = np.zeros(len(one), bool)
    for i, (_, end) in enumerate(edges):
        for k, (start, other) in enumerate(edges):
            if i != k and (end == start if series else end == other):
                there |= one[:, i] & two[:, k]
    return there


def live_edges(codes: Indices, grid: DecisionGrid) -> Bools:
    """Return which edges lie on a path from input to output.

    Args:
        codes: Index of the option at each position; shape (row, position).
        grid: The decisions, with edges.

    Returns:
        Shape (row, position).
    """
    wired = _connected_edges(codes, grid)
    first, last = _input_and_output(grid)
    # Nodes are numbered in topological order, so that sorted edges are, too.
    order = sorted(range(len(grid.edges)), key=lambda i: grid.edges[i])
    fed = {first: np.ones(len(codes), bool)}
    for i in order:
        start, end = grid.edges[i]
        fed[end] = fed.get(end, False) | (fed.get(start, False) & wired[:, i])
    used = {last: np.ones(len(codes), bool)}
    for i in reversed(order):
        start, end = grid.edges[i]
        used[start] = used.get(start, False) | (used.get(end, False) & wired[:, i])
    nothing = np.zeros(len(codes), bool)
    rows = [
        wired[:, i] & fed.get(start, nothing) & used.get(end, nothing)
        for i, (start, end) in enumerate(grid.edges)
    ]
    return np.stack(rows, 1)


def _path_lengths(codes: Indices, grid: DecisionGrid) -> tuple[Indices, Indices]:
    """Return the length of the longest path, −1 without one, and the path count."""
    wired = _connected_edges(codes, grid)
    first, last = _input_and_output(grid)
    nodes = {node for edge in grid.edges for node in edge}
    long = {node: np.full(len(codes), -1, np.int64) for node in nodes}
    many = {node: np.zeros(len(codes), np.int64) for node in nodes}
    long[first], many[first] = long[first] + 1, many[first] + 1
    for i in sorted(range(len(grid.edges)), key=lambda i: grid.edges[i]):
        start, end = grid.edges[i]
        through = wired[:, i] & (long[start] >= 0)
        long[end] = np.where(through, np.maximum(long[end], long[start] + 1), long[end])
        many[end] = many[end] + np.where(wired[:, i], many[start], 0)
    return long[last], many[last]


def _input_and_output(grid: DecisionGrid) -> tuple[int, int]:
    nodes = [node for edge in grid.edges for node in edge]
    return min(nodes), max(nodes)


def _connected_edges(codes: Indices, grid: DecisionGrid) -> Bools:
    rows = [
        np.array([not is_no_connection(name) for name in names])[codes[:, p]]
        for p, names in enumerate(grid.options)
    ]
    return np.stack(rows, 1)


def _shared_options(grid: DecisionGrid) -> list[str]:
    """Return the options that several positions have, in order of appearance."""
    every = [name for names in grid.options for name in names]
    return [name for name in dict.fromkeys(every) if every.count(name) > 1]


def _option_mask(codes: Indices, grid: DecisionGrid, option: str) -> Bools:
    rows = [
        np.array([name == option for name in names])[codes[:, p]]
        for p, names in enumerate(grid.options)
    ]
    return np.stack(rows, 1)


def is_no_connection(option: str) -> bool:
    """Return whether an option means that there is no connection.

    >>> is_no_connection("none"), is_no_connection("skip_connect")
    (True, False)
    """
    return option.strip().lower() in ABSENT


def _describe_option(option: str, position: str, grid: DecisionGrid) -> str:
    return f"{option} on {position}" if grid.edges else f"{position} = {option}"
