"""The JSON of figures, for browsers to fetch by its digest.

The socket then carries only the address of a figure, and the browser fetches what it
does not hold yet, compressed. An address is the SHA-256 of the content: who does not
know a figure cannot guess where it is. Figures without an address, as small ones, and
all where no web server of ours runs, go over the socket.
"""

import hashlib
import re
import threading
import zlib
from collections import OrderedDict

FOLDER = "figures"
SMALL = 1500  # bytes; an address of its own would cost more than such a figure
MAX_BYTES = 256 * 2**20  # compressed
ADDRESS = re.compile(rf"/{FOLDER}/([0-9a-f]{{64}})\.json$")


class FigureBodies:
    """The bodies that browsers may ask for; the least recently used go first.

    A browser whose figure is gone asks its page to draw it again.

    Args:
        max_bytes: Size of all bodies together, compressed.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._size = max_bytes, 0
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self.is_served = False

    def add(self, text: str) -> str:
        """Keep a figure's JSON; return its digest, 64 hex digits."""
        raw = text.encode()
        digest = hashlib.sha256(raw).hexdigest()
        if not self.touch(digest):
            body = _compress(raw)
            with self._lock:
                self._size += len(body) - len(self._bodies.pop(digest, b""))
                self._bodies[digest] = body
                while self._size > self._max_bytes and len(self._bodies) > 1:
                    self._size -= len(self._bodies.popitem(last=False)[1])
        return digest

    def touch(self, digest: str) -> bool:
        """Note that a page uses a figure; return whether it is kept."""
        with self._lock:
            if digest not in self._bodies:
                return False
            self._bodies.move_to_end(digest)
            return True

    def get(self, digest: str) -> bytes | None:
        """Return a figure's JSON, compressed by gzip; None if it is not kept."""
        with self._lock:
            return self._bodies.get(digest)


def address(digest: str) -> str:
    """Return where a figure is, relative to the app's address."""
    return f"{FOLDER}/{digest}.json"


def _compress(raw: bytes) -> bytes:
    # As a gzip file, without the time that `gzip.compress` would write into it.
    packer = zlib.compressobj(5, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(raw) + packer.flush()


bodies = FigureBodies()
