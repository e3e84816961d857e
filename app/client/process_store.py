"""This process's store: opened on first use, never silently replaced."""

import threading

from engine.store import Store

_lock = threading.Lock()
_stores: dict[str, Store] = {}


def store() -> Store:
    """Return this process's store, opened on first use.

    Raises:
        StoreError: If it cannot be opened; the next call tries again.
    """
    with _lock:
        if "store" not in _stores:
            _stores["store"] = Store.open()
        return _stores["store"]


def checked_store() -> Store:
    """Return this process's store, checked to be still in its folder.

    Raises:
        StoreGone: If it was moved, deleted or replaced; none is created.
    """
    held = store()
    held.check_in_place()
    return held


def reopen_store() -> None:
    """Use the store that replaced a missing one; create it if there is none.

    Call it only on the user's click.
    """
    fresh = Store.open()
    with _lock:
        _stores["store"] = fresh
