"""Randomness as a value: a root and a path, never a global.

Two learners of one seed that ask for the same path get the same numbers, so
every comparison is paired; more tasks or steps leave earlier paths unchanged.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Rng:
    """A named place in the tree of random streams.

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

    def key(self) -> int:
        """Return the 128-bit key of this stream's counter-based generator."""
        text = repr((self.root, self.path)).encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:16], "big")
