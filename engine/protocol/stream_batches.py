"""The first random numbers of many streams at once, bit for bit those of each stream.

To make a generator takes longer than to draw a small task's numbers from it. Philox is
counter-based: a number is a function of its stream's key and of its place, so it can be
computed for all streams side by side.

Source: Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
section 3.3: Philox4x64-10, as in numpy.
"""

from collections.abc import Sequence

import numpy as np

from engine.contract.rng import Rng
from engine.protocol.meta_types import generator

ROUNDS, BLOCK = 10, 4  # a block of four words per value of the counter
FEW = 64  # words; a generator per stream is quicker for more
MULTIPLIERS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
WEYL = np.array([0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B], np.uint64)
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


def draw_uniform(
    rngs: Sequence[Rng],
    path: tuple[str | int, ...],
    shape: tuple[int, ...],
    dtype: type[np.floating],
) -> np.ndarray:
    """Draw from U[0, 1), as the generator of each stream's child does.

    Args:
        rngs: The streams.
        path: Of the child whose numbers are drawn.
        shape: Of the numbers of each.
        dtype: float32 or float64.

    Returns:
        Shape (stream, *shape).

    >>> streams = [Rng(1).child(number) for number in range(3)]
    >>> wanted = [generator(rng.child("goal")).random(5) for rng in streams]
    >>> bool((draw_uniform(streams, ("goal",), (5,), np.float64) == wanted).all())
    True
    """
    count = int(np.prod(shape))
    needed = -(-count // 2) if dtype is np.float32 else count
    if needed > FEW:
        return np.stack(
            [generator(rng.child(*path)).random(shape, dtype) for rng in rngs]
        )
    words = _philox(_keys(rngs, path), needed)
    if dtype is np.float32:
        # numpy takes the low half of a word first, and 24 bits of each half.
        halves = np.stack([words & LOW, words >> HALF], -1)
        halves = halves.reshape(len(rngs), 2 * needed)[:, :count]
        found = (halves >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)
    else:
        found = (words >> np.uint64(11)) * 2.0**-53
    return found.reshape(len(rngs), *shape)


def _keys(rngs: Sequence[Rng], path: tuple[str | int, ...]) -> np.ndarray:
    """Return the keys, low word first; shape (stream, 2)."""
    keys = b"".join([rng.key(*path).to_bytes(16, "little") for rng in rngs])
    return np.frombuffer(keys, "<u8").reshape(-1, 2)


def _philox(keys: np.ndarray, count: int) -> np.ndarray:
    """Return each stream's first words; shape (stream, count)."""
    blocks = -(-count // BLOCK)
    # numpy's counter is raised before it is used, so the first block has number 1.
    a = np.broadcast_to(np.arange(1, blocks + 1, dtype=np.uint64), (len(keys), blocks))
    b = c = d = np.zeros_like(a)
    for number in range(ROUNDS):
        key = (keys + np.uint64(number) * WEYL)[..., None]
        (high_a, low_a), (high_c, low_c) = map(_multiply, MULTIPLIERS, (a, c))
        a, b, c, d = high_c ^ b ^ key[:, 0], low_c, high_a ^ d ^ key[:, 1], low_a
    return np.stack([a, b, c, d], -1).reshape(len(keys), blocks * BLOCK)[:, :count]


def _multiply(constant: np.uint64, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the high and the low word of the 128-bit product."""
    low, high = constant & LOW, constant >> HALF
    x_low, x_high = x & LOW, x >> HALF
    # Sums of a 64-bit product of halves and of one half never overflow.
    inner = low * x_high + (low * x_low >> HALF)
    outer = high * x_low + (inner & LOW)
    return high * x_high + (inner >> HALF) + (outer >> HALF), constant * x
