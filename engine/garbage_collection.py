"""Python's garbage collector, which finds nothing while modules are imported.

It looks again and again through the objects that torch and numba make then, which takes
a sixth of their import.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Collect no garbage meanwhile; nothing changes if none is collected anyway."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
