"""Propose architectures: at random, at random without repeats, or by mutation."""

import numpy as np
from jaxtyping import Float, Int

from engine.protocol import SearchBatch, Space

LISTED = 20_000  # larger spaces are sampled with repeats, which are rare there


def uniform_codes(
    space: Space, uniform: Float[np.ndarray, "*batch position"]
) -> Int[np.ndarray, "*batch position"]:
    """Turn uniform numbers into codes; all options are equally likely.

    Args:
        space: The space of the codes.
        uniform: Uniform in [0, 1); shape (…, position).

    Returns:
        int64, shape (…, position).

    >>> two = Space("two", ("a",), (("x", "y"),))
    >>> uniform_codes(two, np.array([[0.2], [0.7]])).tolist()
    [[0], [1]]
    """
    return np.floor(uniform * np.array(space.radix)).astype(np.int64)


def random_order(
    tasks: SearchBatch, name: str = "search"
) -> Int[np.ndarray, "member horizon position"]:
    """Return the architectures of random search without repeats, in order.

    Args:
        tasks: One search per member.
        name: Name of the random draw.

    Returns:
        Codes of shape (member, horizon, position). A space smaller than the horizon
        starts over once all of its architectures were proposed.
    """
    size, horizon = tasks.space.size, tasks.horizon
    if size > LISTED:
        return uniform_codes(
            tasks.space, tasks.uniform(name, horizon, len(tasks.space.radix))
        )
    order = np.argsort(tasks.uniform(name, size), axis=1, kind="stable")
    return tasks.space.codes(order[:, np.arange(horizon) % size])


def mutate(
    space: Space,
    codes: Int[np.ndarray, "member position"],
    uniform: Float[np.ndarray, "member 3"],
) -> Int[np.ndarray, "member position"]:
    """Change one decision of each architecture to another option.

    In a cell a node is drawn first, then one of the edges that lead to it, as in
    NAS-Bench-201's code: edges are not equally likely.

    Args:
        space: The searched space.
        codes: Shape (member, position).
        uniform: Uniform in [0, 1); shape (member, 3).

    Returns:
        New codes; unchanged if the drawn position has only one option.
    """
    position = _draw_position(space, uniform)
    members = np.arange(len(codes))
    radix = np.array(space.radix)[position]
    step = 1 + np.floor(uniform[:, 2] * (radix - 1)).astype(np.int64)
    child = codes.copy()
    child[members, position] = (codes[members, position] + step) % radix
    return np.where((radix > 1)[:, None], child, codes)


def propose_candidates(
    space: Space,
    codes: Int[np.ndarray, "evaluation position"],
    value: Float[np.ndarray, " evaluation"],
    parents: int,
    uniform: Float[np.ndarray, "candidate draw"],
) -> Int[np.ndarray, "candidate position"]:
    """Propose mutations of one search's best so far, and as many random architectures.

    Args:
        space: The searched space.
        codes: Architectures trained, at least one; shape (evaluation, position).
        value: Value of each, without NaN; shape (evaluation,).
        parents: Number of best architectures that may be mutated.
        uniform: Uniform in [0, 1); shape (candidate, 4 + position).

    Returns:
        Codes of shape (candidate, position).
    """
    best = np.argsort(-value, kind="stable")[:parents]
    parent = best[np.floor(uniform[:, 0] * len(best)).astype(np.int64)]
    changed = mutate(space, codes[parent], uniform[:, 1:4])
    half = np.arange(len(uniform)) < len(uniform) // 2
    return np.where(half[:, None], changed, uniform_codes(space, uniform[:, 4:]))


def _draw_position(
    space: Space, uniform: Float[np.ndarray, "member 3"]
) -> Int[np.ndarray, " member"]:
    free = np.flatnonzero(np.array(space.radix) > 1)
    if not len(free):
        return np.zeros(len(uniform), np.int64)
    if not space.edges:
        return free[np.floor(uniform[:, 0] * len(free)).astype(np.int64)]
    ends = np.array([end for _, end in space.edges])
    nodes = np.unique(ends[free])
    node = nodes[np.floor(uniform[:, 0] * len(nodes)).astype(np.int64)]
    into = [free[ends[free] == n] for n in nodes]
    chosen = np.searchsorted(nodes, node)
    counts = np.array([len(edges) for edges in into])[chosen]
    which = np.floor(uniform[:, 1] * counts).astype(np.int64)
    table = np.zeros((len(nodes), max(len(edges) for edges in into)), np.int64)
    for row, edges in enumerate(into):
        table[row, : len(edges)] = edges
    return table[chosen, which]


def neighbor_changes(
    space: Space,
) -> tuple[Int[np.ndarray, " neighbor"], Int[np.ndarray, " neighbor"]]:
    """Return every change of one decision: its position and its shift.

    A neighbor has the code (code + shift) mod radix at that position.

    Returns:
        Positions and shifts; shape (neighbor,) each.
    """
    pairs = [(p, t) for p, r in enumerate(space.radix) for t in range(1, r)]
    if not pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    position, turn = np.array(pairs).T
    return position, turn
