"""Cache of figures, and of what else is costly and the same for everyone.

The figures of a finished run never change; those of a live one are made once for each
state of its numbers, however many people watch it.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
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


def cache_by_run(make: Callable[P, T]) -> Callable[P, T]:
    """Keep what a function makes of a run: once for its numbers so far.

    Args:
        make: Its first argument is the run; the others can be hashed.
    """

    @functools.wraps(make)
    def get(*args: P.args, **kwargs: P.kwargs) -> T:
        run, *others = args
        place = (make.__module__, make.__qualname__, run.cache_key)  # type: ignore[attr-defined]
        name = (*place, *others, *sorted(kwargs.items()))
        return get_or_make(name, lambda: make(*args, **kwargs))

    return get
