"""This process's store, opened on first use; in the demo, each visitor's own.

It is never silently replaced by another one.
"""

import threading
from collections.abc import Callable, Collection
from typing import NamedTuple

from engine.executors.demo import demo_limits, is_demo
from engine.store import Store
from engine.store.fair_queue import Quota
from engine.store.share_tokens import is_share_token, share_token
from engine.store.workspaces import WorkspaceStore

_lock = threading.Lock()
_stores: dict[str, Store] = {}


class Visitor(NamedTuple):
    """Who asks, in the demo.

    Args:
        workspace: Name of their workspace, 32 hex digits; None if their browser keeps
            no cookies.
        shared_keys: Runs of others that links opened for them.
    """

    workspace: str | None = None
    shared_keys: Collection[str] = ()


class _Demo:
    """Says who asks and what everyone may read; the app sets both."""

    find_visitor: Callable[[], Visitor] = Visitor
    is_public: Callable[[str], bool] = staticmethod(lambda key: False)


def serve_visitors(
    find_visitor: Callable[[], Visitor], is_public: Callable[[str], bool]
) -> None:
    """Set who asks, and what everyone may read.

    Args:
        find_visitor: Returns the visitor whose page is drawn.
        is_public: Whether everyone may read the finished run of a key.
    """
    _Demo.find_visitor = staticmethod(find_visitor)
    _Demo.is_public = staticmethod(is_public)


def current_visitor() -> Visitor:
    """Return who asks, in the demo."""
    return _Demo.find_visitor()


def store() -> Store:
    """Return this process's store; in the demo, that of the visitor who asks.

    Raises:
        StoreError: If it cannot be opened; the next call tries again.
    """
    held = shared_store()
    if not is_demo():
        return held
    who, limits = current_visitor(), demo_limits()
    return WorkspaceStore(
        held,
        who.workspace,
        lambda key: key in who.shared_keys or _Demo.is_public(key),
        Quota(limits.running, limits.queued),
    )


def is_public(key: str) -> bool:
    """Whether everyone may read the finished run of a key, in the demo."""
    return _Demo.is_public(key)


def workspace(name: str) -> WorkspaceStore:
    """Return the workspace of a name, which whoever asks must hold."""
    return WorkspaceStore(shared_store(), name)


def listed_store() -> Store:
    """Return the store with its list of runs up to date."""
    held = store()
    if isinstance(held, WorkspaceStore):
        held.follow()
    return held


def shared_store() -> Store:
    """Return the store whose workers compute all runs."""
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


def make_share_token(key: str) -> str:
    """Return what opens a run of the demo for others.

    Raises:
        NoRun: If whoever asks may not read it themselves.
    """
    store().folder(key)
    return share_token(shared_store().home, key)


def opens_run(key: str, token: str) -> bool:
    """Whether a token opens a run of the demo."""
    return is_share_token(shared_store().home, key, token)


def reopen_store() -> None:
    """Use the store that replaced a missing one; create it if there is none.

    Call it only on the user's click.
    """
    fresh = Store.open()
    with _lock:
        _stores["store"] = fresh
