"""Architectures as vectors: one-hot, adjacency and path encodings.

Source: White, Neiswanger, Nolen and Savani (2020), arXiv:2007.04965.
Differs: operations are on edges here, so an adjacency bit says whether an edge has an
operation; a path through an edge without one does not exist. For a space that is a
list of decisions, adjacency is the one-hot encoding, and the paths are the options and
the pairs of options of two consecutive decisions.
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

from engine.protocol import Space

NOTHING = frozenset({"none", "zeroize"})  # options that leave an edge out


def one_hot_encoding(
    space: Space, codes: Int[np.ndarray, "*batch position"]
) -> Float[np.ndarray, "*batch feature"]:
    """Return the one-hot encoding of the option at each position.

    All codes have the norm √positions, and the cosine of two is the share of positions
    at which they agree.

    Args:
        space: The space of the codes.
        codes: Shape (…, position).

    Returns:
        float32, shape (…, feature); the options of each position in order.

    >>> two = Space("two", ("a", "b"), (("x", "y"), ("p", "q", "r")))
    >>> one_hot_encoding(two, np.array([1, 0])).tolist()
    [0.0, 1.0, 1.0, 0.0, 0.0]
    """
    hot = [np.arange(r) == codes[..., p, None] for p, r in enumerate(space.radix)]
    return np.concatenate(hot, -1).astype(np.float32)


def adjacency_encoding(
    space: Space, codes: Int[np.ndarray, "*batch position"]
) -> Float[np.ndarray, "*batch feature"]:
    """Return whether each edge has an operation, then its one-hot; (…, feature).

    Args:
        space: The space of the codes.
        codes: Shape (…, position).

    >>> cell = Space("cell", ("0→1",), (("none", "conv"),), ((0, 1),))
    >>> adjacency_encoding(cell, np.array([[0], [1]])).tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """
    hot = one_hot_encoding(space, codes)
    if not space.edges:
        return hot
    there = np.stack(
        [_is_present(space, codes, p) for p in range(len(space.radix))], -1
    )
    return np.concatenate([there.astype(np.float32), hot], -1)


def path_encoding(
    space: Space, codes: Int[np.ndarray, "*batch position"]
) -> Float[np.ndarray, "*batch feature"]:
    """Return which sequences of operations lead from input to output; (…, feature).

    A sequence is one feature, whichever nodes it passes through: sequences of one
    operation come first, then of two, each in the order of the options.

    Args:
        space: The space of the codes.
        codes: Shape (…, position).

    Returns:
        float32, 0 or 1.

    >>> chain = Space("chain", ("0→1", "1→2"), (("none", "conv"),) * 2,
    ...               ((0, 1), (1, 2)))
    >>> path_encoding(chain, np.array([[1, 1], [1, 0]])).tolist()
    [[1.0], [0.0]]
    """
    if not space.edges:
        return np.concatenate(
            [one_hot_encoding(space, codes), _pair_indicators(space, codes)], -1
        )
    names = [n for n in _operation_names(space) if n not in NOTHING]
    routes = list(_routes(space.edges))
    lengths = sorted({len(route) for route in routes})
    found = []
    for length in lengths:
        there = np.zeros((*codes.shape[:-1], len(names) ** length), np.float32)
        for route in routes:
            if len(route) == length:
                there = np.maximum(there, _route_indicator(space, codes, route, names))
        found.append(there)
    return np.concatenate(found, -1)


ENCODINGS: dict[
    str,
    Callable[
        [Space, Int[np.ndarray, "*batch position"]], Float[np.ndarray, "*batch feature"]
    ],
] = {
    "one-hot": one_hot_encoding,
    "adjacency": adjacency_encoding,
    "path": path_encoding,
}


def _is_present(
    space: Space, codes: Int[np.ndarray, "*batch position"], position: int
) -> Bool[np.ndarray, " *batch"]:
    there = np.array([name not in NOTHING for name in space.options[position]])
    return np.asarray(there[codes[..., position]])


def _operation_names(space: Space) -> list[str]:
    return list(dict.fromkeys(itertools.chain.from_iterable(space.options)))


def _routes(edges: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, ...]]:
    """Yield the edges of every path from the first node to the last."""
    nodes = list(itertools.chain.from_iterable(edges))
    last = max(nodes)

    def extend_route(node: int, so_far: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if node == last:
            yield so_far
        for place, (start, end) in enumerate(edges):
            if start == node:
                yield from extend_route(end, (*so_far, place))

    yield from extend_route(min(nodes), ())


def _route_indicator(
    space: Space,
    codes: Int[np.ndarray, "*batch position"],
    route: tuple[int, ...],
    names: list[str],
) -> Float[np.ndarray, "*batch feature"]:
    """Return the one-hot of a route's sequence; 0 if one of its edges is absent."""
    there = np.ones((*codes.shape[:-1], 1), np.float32)
    for position in route:
        spelled = np.array(
            [[o == n for n in names] for o in space.options[position]], np.float32
        )
        step = spelled[codes[..., position]]
        there = (there[..., :, None] * step[..., None, :]).reshape(
            *codes.shape[:-1], -1
        )
    return there


def _pair_indicators(
    space: Space, codes: Int[np.ndarray, "*batch position"]
) -> Float[np.ndarray, "*batch feature"]:
    """Return the one-hot of the pair of options of each two consecutive decisions."""
    # Starts with an empty part: a space of one decision has no pairs.
    found = [np.zeros((*codes.shape[:-1], 0), bool)]
    for p, (here, after) in enumerate(itertools.pairwise(space.radix)):
        both = codes[..., p] * after + codes[..., p + 1]
        found.append(np.arange(here * after) == both[..., None])
    return np.concatenate(found, -1).astype(np.float32)
