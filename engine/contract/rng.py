"""Keys of random streams: a seed and a path, never global state.

All learners of one seed get the same numbers for the same path, so every comparison is
paired; more tasks or steps leave the streams of earlier ones unchanged.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Rng:
    """The key of one random stream in a tree of streams.

    Args:
        root: The run's seed.
        path: Names and indices, such as ("train", replicate, step).

    >>> a = Rng(7).child("train", 0, 3)
    >>> a == Rng(7).child("train").child(0, 3)
    True
    >>> a.key() == Rng(8).child("train", 0, 3).key()
    False
    """

    root: int
    path: tuple[str | int, ...] = ()

    def child(self, *names: str | int) -> "Rng":
        """Return the stream below this one; integers and words may mix."""
        return Rng(self.root, self.path + names)

    def key(self, *names: str | int) -> int:
        """Return the 128-bit key of a stream's counter-based generator.

        Args:
            names: Of the stream below this one; none for this one.
        """
        # hashed, as neighboring paths must give unrelated streams
        text = repr((self.root, self.path + names)).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:16], "big")
