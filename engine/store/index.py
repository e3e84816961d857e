"""The index: one SQLite file with a rollback journal, one writer at a time.

WAL is not used: SQLite before 3.51.3 can lose committed transactions in that mode.
Every call opens its own connection (0.1 ms) and takes its lock at BEGIN, as a read
transaction that turns into a write fails at once where another one is writing.

Differs: SQLite's own busy handler backs off to 100 ms, so that some processes starve;
this one retries every few milliseconds, then raises `StoreBusy`.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from engine.store import fact_rows, files, schema
from engine.store.errors import (
    IndexDamaged,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreGone,
    StoreNewer,
)

T = TypeVar("T")
PATIENCE = 4.0  # seconds; the user must see "store busy" within five
_SETTINGS = (
    "PRAGMA cell_size_check=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA synchronous=FULL",
    "PRAGMA journal_mode=TRUNCATE",
)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# Our statements are constant, so an error in one means that the schema is damaged.
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


class Index:
    """Transactions on the index of one store; no file stays open between them.

    Args:
        home: The store's folder.
        repair: Rebuilds a damaged index.
    """

    def __init__(self, home: Path, repair: Callable[["Index"], None]) -> None:
        self.home, self._repair = home, repair
        self.path = home / "index.sqlite"
        self.identity: str | None = None  # of the folder, once the store is open

    def read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on one consistent view of the index.

        Args:
            ask: Called with the connection, maybe more than once.

        Returns:
            What the function returned.

        Raises:
            StoreError: If the store is busy, gone or cannot be read.
        """
        return self._with_repair(lambda: self._transact("BEGIN", ask))

    def write(
        self, change: Callable[[sqlite3.Connection], T], *, last_resort: bool = False
    ) -> T:
        """Run a function as one transaction: all of its changes are stored, or none.

        Args:
            change: Called with the connection, maybe more than once.
            last_resort: Whether the reserved space may be used on a full disk: for
                what ends a run or frees space.

        Returns:
            What the function returned.

        Raises:
            StoreFull: If the disk is full.
            StoreError: If the store is busy, gone or cannot be written.
        """
        try:
            return self._with_repair(lambda: self._transact("BEGIN IMMEDIATE", change))
        except StoreFull:
            if not (last_resort and files.release_space(self.home)):
                raise
            return self._transact("BEGIN IMMEDIATE", change)

    def prepare(self, identity: str | None = None) -> None:
        """Create or migrate the index where needed; otherwise only read its version.

        From then on this folder is required: one that replaces it raises `StoreGone`.

        Args:
            identity: The `files.folder_identity` of the expected folder; if given,
                no store is created.

        Raises:
            StoreNewer: If a newer Metascope wrote it; nothing is written.
            StoreGone: If it is not the expected folder.
            StoreError: If it is busy or cannot be created.
        """
        if identity is not None:
            self.identity = identity
            self.check_in_place()
        if not self.path.exists() or not self._with_repair(self._version):
            self._create()
        elif self._version() < schema.SCHEMA:
            self._migrate()
        for path in (self.home, self.path):
            files.make_private(path)
        self.identity = self.identity or files.folder_identity(self.home)

    def check_in_place(self) -> None:
        """Check that the store that was opened is still in its folder.

        Raises:
            StoreGone: If it was moved, deleted or replaced.
        """
        there = self.path.exists()
        moved = self.identity is not None and (
            files.folder_identity(self.home) != self.identity
        )
        if moved or not there:
            raise StoreGone(self.home, replaced=there)

    def backup(self, target: Path) -> None:
        """Copy a consistent snapshot of the index into one file.

        Args:
            target: The file; what is there is replaced.
        """

        def copy(db: sqlite3.Connection) -> None:
            beside = target.with_name(target.name + files.PART)
            beside.touch(0o600)
            source, copied = _connect(self.path), sqlite3.connect(beside)
            source.backup(copied)
            source.close()
            copied.close()
            beside.replace(target)

        self.write(copy)  # under the write lock, or each write would restart the copy

    def is_sound(self) -> bool:
        """Return whether SQLite's integrity check passes."""
        try:
            rows = self._transact(
                "BEGIN", lambda db: db.execute("PRAGMA integrity_check").fetchall()
            )
        except IndexDamaged:
            return False
        return rows == [("ok",)]

    def _with_repair(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except IndexDamaged:
            self._repair(self)
            return act()

    def _explain_error(self, error: sqlite3.Error) -> StoreError:
        refusal = _as_store_error(error)
        if not isinstance(refusal, StoreBusy):
            try:
                self.check_in_place()  # a store that is gone fails in many ways
            except StoreGone as gone:
                return gone
        return refusal

    def _version(self) -> int:
        return self._transact("BEGIN", lambda db: _version_of(db))

    def _transact(self, begin: str, act: Callable[[sqlite3.Connection], T]) -> T:
        db: sqlite3.Connection | None = None
        try:
            db = _connect(self.path)
            self.check_in_place()
            _begin_transaction(db, begin)
            result = act(db)
            _retry_while_busy(lambda: db and db.execute("COMMIT"))
            return result
        except sqlite3.Error as error:
            raise self._explain_error(error) from error
        except UnicodeDecodeError as error:  # SQLite's message quotes damaged bytes
            raise IndexDamaged("the index of the store is damaged") from error
        finally:
            if db is not None:
                db.close()  # rolls back what was not committed

    def _create(self) -> None:
        files.make_folder(self.home, parents=self.identity is None)
        files.make_folder(self.home / "runs")
        try:
            db = sqlite3.connect(self.path, isolation_level=None, timeout=0)
            db.close()
            self.path.chmod(0o600)
        except sqlite3.Error as error:
            raise _as_store_error(error) from error
        self._with_repair(lambda: self._transact("BEGIN IMMEDIATE", _make_tables))
        files.reserve_space(self.home)

    def _migrate(self) -> None:
        folder = self.home / "backups"
        files.make_folder(folder)
        name = f"index-{time.strftime('%Y%m%d-%H%M%S')}-schema-{self._version()}.sqlite"
        self.backup(folder / name)
        self._transact("BEGIN IMMEDIATE", _migrate_tables)


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0)
    # damaged text must reach the seal's check instead of failing to decode
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")
    return db


def _begin_transaction(db: sqlite3.Connection, begin: str) -> None:
    # the last one, the journal's mode, matters to writers alone
    for setting in _SETTINGS[: 3 if begin == "BEGIN" else 4]:
        _retry_while_busy(partial(_apply_setting, db, setting))
    _retry_while_busy(lambda: db.execute(begin))
    version = _retry_while_busy(lambda: _version_of(db))  # takes the read lock, too
    if version > schema.SCHEMA:
        raise StoreNewer(
            f"this store has format {version}; this Metascope reads up to "
            f"{schema.SCHEMA}: open it with a newer Metascope"
        )


def _apply_setting(db: sqlite3.Connection, setting: str) -> None:
    db.execute(setting).fetchall()


def _version_of(db: sqlite3.Connection) -> int:
    row = db.execute("PRAGMA user_version").fetchone()
    return int(row[0])


def _make_tables(db: sqlite3.Connection) -> None:
    if _version_of(db):
        return  # another process was first
    if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise IndexDamaged("the index of the store has tables but no version")
    for statement in schema.TABLES.split(";"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version={schema.SCHEMA}")


def _migrate_tables(db: sqlite3.Connection) -> None:
    first = _version_of(db)
    for version in range(first, schema.SCHEMA):
        for statement in schema.MIGRATIONS[version].split(";"):
            db.execute(statement)
    if first < schema.WITH_FACTS:
        fact_rows.refresh_all(db)
    db.execute(f"PRAGMA user_version={schema.SCHEMA}")


def _retry_while_busy(act: Callable[[], T]) -> T:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if _code(error) not in _BUSY or time.monotonic() > deadline:
                raise
        # random, so that waiting processes do not retry in step
        time.sleep(random.uniform(0.001, 0.004))


def _code(error: sqlite3.Error) -> int:
    # the low byte: extended codes carry the reason above it
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _as_store_error(error: sqlite3.Error) -> StoreError:
    code = _code(error)
    if code in _BUSY:
        return StoreBusy(f"store busy: another process holds it; waited {PATIENCE:g} s")
    if code in _BROKEN:
        return IndexDamaged("the index of the store is damaged")
    if code == sqlite3.SQLITE_FULL:
        return StoreFull("disk full: free some space, then try again")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError("the store cannot be written: it is read-only")
    return StoreError(f"the store cannot be used: {error}")
