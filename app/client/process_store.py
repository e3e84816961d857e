"""This process's store: opened at the first question, never silently another one."""

import threading

from engine.store import Store

_lock = threading.Lock()
_opened: dict[str, Store] = {}


def store() -> Store:
    """Return this process's store, opened at the first question.

    Raises:
        StoreError: If it cannot be opened; the next question tries again.
    """
    with _lock:
        if "store" not in _opened:
            _opened["store"] = Store.open()
        return _opened["store"]


def present_store() -> Store:
    """Return this process's store, which is still where it was opened.

    Raises:
        StoreGone: If it was moved, deleted or replaced; nothing is made.
    """
    held = store()
    held.confirm()
    return held


def reopen() -> None:
    """Go on with the store that stands in the place of one that is gone.

    One is made where none is: only a person's click may ask for this.
    """
    fresh = Store.open()
    with _lock:
        _opened["store"] = fresh
