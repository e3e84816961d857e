"""Cache of figures, and of what else is costly and the same for everyone.

The figures of a finished run never change; those of a live one are made once for each
state of its numbers, however many people watch it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")
MAX_FIGURES = 768
_lock = threading.Lock()
_figures: OrderedDict[Hashable, object] = OrderedDict()
_in_work: dict[Hashable, threading.RLock] = {}


def get_or_make(name: Hashable, make: Callable[[], T]) -> T:
    """Return a cached value, making it at the first call.

    Args:
        name: All that the value depends on; the least recently used is evicted first.
        make: Makes the value; who asks for it meanwhile waits. If it fails, the next
            one tries.
    """
    with _lock:
        if name in _figures:
            _figures.move_to_end(name)
            return _figures[name]  # type: ignore[return-value]
        turn = _in_work.setdefault(name, threading.RLock())
    with turn:
        with _lock:
            if name in _figures:
                return _figures[name]  # type: ignore[return-value]
        try:
            made = make()
        finally:
            with _lock:
                _in_work.pop(name, None)
        with _lock:
            _figures[name] = made
            while len(_figures) > MAX_FIGURES:
                _figures.popitem(last=False)
        return made
