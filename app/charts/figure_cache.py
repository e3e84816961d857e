"""What was drawn once is kept: a finished run's figures never change."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")
MAX_FIGURES = 96
_lock = threading.Lock()
_figures: OrderedDict[Hashable, object] = OrderedDict()


def get_or_make(name: Hashable, make: Callable[[], T]) -> T:
    """Return what was made under a name, making it at the first call.

    Args:
        name: All that the value depends on; the least used one goes first.
        make: Makes it; two who ask at once may both do so.
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
