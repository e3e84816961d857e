"""What can go wrong with a store, each in one line that a person can act on."""


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


class NoRun(StoreError):
    """There is no run with this id, or no longer."""

    def __init__(self, key: str = "") -> None:
        super().__init__("there is no run with this id")
        self.key = key


class Damaged(StoreError):
    """A file or row of one run is not what was written; the run is set aside."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(
            f"run {key[:12]} is set aside: {what} does not match its checksum; "
            "run it again to have its numbers back"
        )
        self.key, self.what = key, what


class LeaseLost(StoreError):
    """This worker no longer holds the run: it was cancelled, ended or replaced."""
