"""Cache of figures: those of a finished run never change."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")
MAX_FIGURES = 96
_lock = threading.Lock()
_figures: OrderedDict[Hashable, object] = OrderedDict()


def get_or_make(name: Hashable, make: Callable[[], T]) -> T:
    """Return a cached value, making it at the first call.

    Args:
        name: All that the value depends on; the least recently used is evicted first.
        make: Makes the value; concurrent first calls may both do so.
    """
    with _lock:
        if name in _figures:
            _figures.move_to_end(name)
            return _figures[name]  # type: ignore[return-value]
    made = make()
    with _lock:
        _figures[name] = made
        while len(_figures) > MAX_FIGURES:
            _figures.popitem(last=False)
    return made
