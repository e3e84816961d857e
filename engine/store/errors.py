"""The errors of a store: each says in one line what happened and what to do."""

from pathlib import Path


class StoreError(Exception):
    """A problem with the store that the user should know of, in one line."""


class StoreBusy(StoreError):
    """Another process held the store's lock for too long; try again."""


class StoreNewer(StoreError):
    """A newer Metascope wrote this store; nothing was touched."""


class StoreFull(StoreError):
    """The disk is full; nothing was changed."""


class IndexDamaged(StoreError):
    """The index is corrupt; it is rebuilt from the runs' folders."""


class StoreGone(StoreError):
    """The store's folder was moved, deleted or replaced; no new store is created.

    Args:
        home: The folder in which the store was opened.
        replaced: Whether that folder now holds another store.
    """

    def __init__(self, home: Path, *, replaced: bool = False) -> None:
        message = (
            f"the store is gone: its folder {home} now holds another store; move the "
            "first one back, or reopen to use the other"
            if replaced
            else f"the store is gone: its folder {home} was moved or deleted; move it "
            "back, or create a new store there"
        )
        super().__init__(message)
        self.home, self.replaced = home, replaced


class NoStore(StoreError):
    """There is no store in this folder; reading never creates one."""

    def __init__(self, home: Path) -> None:
        super().__init__(f"no runs yet: there is no store in {home}")
        self.home = home


class NoRun(StoreError):
    """There is no run with this id; it may have been deleted."""

    def __init__(self, key: str = "") -> None:
        super().__init__("there is no run with this id")
        self.key = key


class DamagedRun(StoreError):
    """A file or row of a run fails its checksum; the run is quarantined.

    Args:
        key: The run's key.
        what: The file or row that is damaged.
    """

    def __init__(self, key: str, what: str) -> None:
        super().__init__(
            f"run {key[:12]} is quarantined: {what} does not match its checksum; "
            "run it again to recompute its numbers"
        )
        self.key, self.what = key, what


class QueueFull(StoreError):
    """A visitor of the demo has as many runs in the queue as they may.

    Args:
        running: How many of theirs are computed.
        waiting: How many of theirs wait.
        most: How many there may be together.
    """

    def __init__(self, running: int, waiting: int, most: int) -> None:
        super().__init__(
            f"you have {running} running and {waiting} waiting runs, and a visitor of "
            f"this demo may have {most}: wait for one to end, cancel one, or run this "
            "on your own computer, as Limits at the foot of the page says"
        )


class OverLimit(StoreError):
    """A run that has reached a limit of the demo is not started again.

    Args:
        error: Why it ended.
    """

    def __init__(self, error: str) -> None:
        super().__init__(f"this run would end like before: {error}")


class LeaseLost(StoreError):
    """This worker no longer holds the run: it was cancelled, ended or replaced."""
