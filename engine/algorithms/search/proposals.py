"""How architectures are proposed: at random, without repeats, or by a small change."""

import numpy as np

from engine.protocol import SearchBatch, Space

LISTED = 20_000
Numbers = np.ndarray


def uniform_codes(space: Space, uniform: Numbers) -> Numbers:
    """Return codes from uniform numbers, every option as likely as the others.

    >>> two = Space("two", ("a",), (("x", "y"),))
    >>> uniform_codes(two, np.array([[0.2], [0.7]])).tolist()
    [[0], [1]]
    """
    return np.floor(uniform * np.array(space.radix)).astype(np.int64)


def random_order(tasks: SearchBatch, name: str = "search") -> Numbers:
    """Return the order in which random search without repeats goes.

    Returns:
        Codes of shape (member, horizon, position). A space with fewer architectures
        than the horizon begins again where all were seen.
    """
    size, horizon = tasks.space.size, tasks.horizon
    if size > LISTED:
        return uniform_codes(
            tasks.space, tasks.uniform(name, horizon, len(tasks.space.radix))
        )
    order = np.argsort(tasks.uniform(name, size), axis=1, kind="stable")
    return tasks.space.codes(order[:, np.arange(horizon) % size])


def mutate(space: Space, codes: Numbers, uniform: Numbers) -> Numbers:
    """Change one decision to another option.

    In a cell a node is drawn first, then one of the edges that lead to it, as
    NAS-Bench-201's own code does: edges are not equally likely.

    Args:
        space: Where is searched.
        codes: Shape (member, position).
        uniform: Uniform in [0, 1); shape (member, 3).

    Returns:
        New codes; a position with one option stays.
    """
    position = _draw_position(space, uniform)
    members = np.arange(len(codes))
    radix = np.array(space.radix)[position]
    step = 1 + np.floor(uniform[:, 2] * (radix - 1)).astype(np.int64)
    child = codes.copy()
    child[members, position] = (codes[members, position] + step) % radix
    return np.where((radix > 1)[:, None], child, codes)


def propose_candidates(
    space: Space, codes: Numbers, value: Numbers, parents: int, uniform: Numbers
) -> Numbers:
    """Propose changes of one search's best so far, and as many at random.

    Args:
        space: Where is searched.
        codes: What was trained, at least one; shape (evaluation, position).
        value: Shape (evaluation,), without gaps.
        parents: How many of the best are changed.
        uniform: Uniform in [0, 1); shape (candidate, 4 + position).
    """
    best = np.argsort(-value, kind="stable")[:parents]
    parent = best[np.floor(uniform[:, 0] * len(best)).astype(np.int64)]
    changed = mutate(space, codes[parent], uniform[:, 1:4])
    half = np.arange(len(uniform)) < len(uniform) // 2
    return np.where(half[:, None], changed, uniform_codes(space, uniform[:, 4:]))


def _draw_position(space: Space, uniform: Numbers) -> Numbers:
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


def neighbor_changes(space: Space) -> tuple[Numbers, Numbers]:
    """Return every change of one decision: its position, and by how much it turns.

    A code's neighbor is (code + turn) mod radix at that position.
    """
    pairs = [(p, t) for p, r in enumerate(space.radix) for t in range(1, r)]
    if not pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    position, turn = np.array(pairs).T
    return position, turn
