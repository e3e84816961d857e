"""This process's store: opened at the first question, never silently another one."""

import threading

from engine.store import Store

_lock = threading.Lock()
_stores: dict[str, Store] = {}


def store() -> Store:
    """Return this process's store, opened at the first question.

    Raises:
        StoreError: If it cannot be opened; the next question tries again.
    """
    with _lock:
        if "store" not in _stores:
            _stores["store"] = Store.open()
        return _stores["store"]


def checked_store() -> Store:
    """Return this process's store, which is still where it was opened.

    Raises:
        StoreGone: If it was moved, deleted or replaced; nothing is made.
    """
    held = store()
    held.check_in_place()
    return held


def reopen_store() -> None:
    """Go on with the store that stands in the place of one that is gone.

    One is made where none is: only a person's click may ask for this.
    """
    fresh = Store.open()
    with _lock:
        _stores["store"] = fresh
