"""What can go wrong with a store, each in one line that a person can act on."""

from pathlib import Path


class StoreError(Exception):
    """Something about the store that a person should know, in one line."""


class StoreBusy(StoreError):
    """Another process has held the store for too long; try again."""


class StoreNewer(StoreError):
    """A newer Metascope wrote this store; nothing was touched."""


class StoreFull(StoreError):
    """The disk is full; nothing was changed."""


class IndexDamaged(StoreError):
    """The index is not what was written; it is rebuilt from the runs' folders."""


class StoreGone(StoreError):
    """The store's folder was moved, deleted or replaced; nothing is made instead.

    `replaced` says whether another store stands in its place.
    """

    def __init__(self, home: Path, *, replaced: bool = False) -> None:
        told = (
            f"the store is gone: another one stands in its folder {home}; put the "
            "first one back, or go on with the other"
            if replaced
            else f"the store is gone: its folder {home} was moved or deleted; put it "
            "back, or make a new one there"
        )
        super().__init__(told)
        self.home, self.replaced = home, replaced


class NoStore(StoreError):
    """There is no store in this folder, and to read one none is made."""

    def __init__(self, home: Path) -> None:
        super().__init__(f"no runs yet: there is no store in {home}")
        self.home = home


class NoRun(StoreError):
    """There is no run with this id, or no longer."""

    def __init__(self, key: str = "") -> None:
        super().__init__("there is no run with this id")
        self.key = key


class DamagedRun(StoreError):
    """A file or row of one run is not what was written; the run is set aside."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(
            f"run {key[:12]} is set aside: {what} does not match its checksum; "
            "run it again to have its numbers back"
        )
        self.key, self.what = key, what


class LeaseLost(StoreError):
    """This worker no longer holds the run: it was cancelled, ended or replaced."""
