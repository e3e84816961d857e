"""What was drawn once is kept: a finished run's figures never change."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")
ROOM = 96
_lock = threading.Lock()
_kept: OrderedDict[Hashable, object] = OrderedDict()


def kept(name: Hashable, make: Callable[[], T]) -> T:
    """Return what was made under a name, making it at the first call.

    Args:
        name: All that the value depends on; the least used one goes first.
        make: Makes it; two who ask at once may both do so.
    """
    with _lock:
        if name in _kept:
            _kept.move_to_end(name)
            return _kept[name]  # type: ignore[return-value]
    made = make()
    with _lock:
        _kept[name] = made
        while len(_kept) > ROOM:
            _kept.popitem(last=False)
    return made
