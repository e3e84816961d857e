"""Cache of figures, and of what else is costly and the same for everyone.

The figures of a finished run never change; those of a live one are made once for each
state of its numbers, however many people watch it.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import ParamSpec, TypeVar

from app.client.client import RunState
from engine.executors import cores

T = TypeVar("T")
P = ParamSpec("P")
# A figure takes 0.1 to 0.5 MB.
MAX_FIGURES = 30 if cores.is_memory_scarce() else 400
_lock = threading.Lock()
_figures: OrderedDict[Hashable, object] = OrderedDict()
_in_work: dict[Hashable, threading.RLock] = {}
# The newest state of each run that has figures while it runs.
_live: dict[str, int] = {}


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
            _forget_earlier_states(name)
            _figures[name] = made
            while len(_figures) > MAX_FIGURES:
                _figures.popitem(last=False)
        return made


def _forget_earlier_states(name: Hashable) -> None:
    """Drop the figures of a live run's earlier states; it has a new one each second."""
    for new in _states(name):
        if _live.get(new.key, new.serial) < new.serial:
            for held in [held for held in _figures if _is_earlier(held, new)]:
                del _figures[held]
        if new.is_alive:
            _live[new.key] = max(new.serial, _live.get(new.key, 0))
        else:
            _live.pop(new.key, None)


def _is_earlier(name: Hashable, new: RunState) -> bool:
    return any(
        old.is_alive and old.key == new.key and old.serial < new.serial
        for old in _states(name)
    )


def _states(name: Hashable) -> list[RunState]:
    parts = name if isinstance(name, tuple) else ()
    return [part for part in parts if isinstance(part, RunState)]


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
