"""doctor: whether everything is in order here."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.cli.console import Exit, Home, out
from engine.contract.errors import Refused
from engine.store import NoStore, Store, StoreError, default_home

SOUND_WAL = (3, 51, 3)
LITTLE_SPACE = 2**30


class Finding(NamedTuple):
    """One line of the doctor's report."""

    what: str
    told: str
    fine: bool = True


def doctor(*, home: Home = None) -> int:
    """Check versions, SQLite, disk, threads, GPU, data and the store's integrity."""
    fine = True
    for look in (_versions, _parts, _devices, _threads, _sqlite, _disk, _data):
        fine &= _report(look)
    fine &= _report(lambda: _store(home))
    return Exit.OK if fine else Exit.FAILED


def _report(look: Callable[[], Iterator[Finding]]) -> bool:
    fine = True
    for finding in look():
        mark = "ok   " if finding.fine else "WRONG"
        line = f"{mark} {finding.what:10} {finding.told}"
        out().print(line, soft_wrap=True)
        fine &= finding.fine
    return fine


def _versions() -> Iterator[Finding]:
    from engine.device import versions

    told = ", ".join(f"{name} {version}" for name, version in versions().items())
    yield Finding("versions", told)


def _parts() -> Iterator[Finding]:
    from engine.catalogue import catalogue

    cards = catalogue()["cards"]
    absent = [card["name"] for card in cards if card["missing"]]
    more = f"; without their data: {', '.join(absent)}" if absent else ""
    yield Finding("parts", f"{len(cards)}{more}")


def _devices() -> Iterator[Finding]:
    from engine.device import devices, fingerprint

    told = fingerprint(devices()[0])
    yield Finding("device", f"{told['device']}, {told['device_name']}")
    yield Finding("cpu", f"{told['cpu_capability']}, {told['system']}")


def _threads() -> Iterator[Finding]:
    from engine.executors.supervisor import cores

    workers = max(1, cores() - 1)
    yield Finding("threads", f"{cores()} cores; one thread a worker, {workers} at once")


def _sqlite() -> Iterator[Finding]:
    version = sqlite3.sqlite_version_info
    told = f"{sqlite3.sqlite_version}, rollback journal"
    if version < SOUND_WAL:
        told += " (the WAL of this version can lose data; it is not used)"
    yield Finding("sqlite", told)


def _disk() -> Iterator[Finding]:
    place = default_home()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    fine = free >= LITTLE_SPACE and os.access(place, os.W_OK)
    writable = "" if os.access(place, os.W_OK) else ", not writable"
    yield Finding("disk", f"{free / 2**30:.1f} GiB free{writable}", fine)


def _data() -> Iterator[Finding]:
    from engine.data.inventory import inventory

    entries = inventory()
    present = sum(each["state"] == "present" for each in entries)
    yield Finding("data", f"{present} of {len(entries)} known files are here")
    for each in entries:
        if each["state"] == "damaged":
            where = f"{each['where']}/{each['file']}"
            yield Finding("data", f"{where} is not the known file", fine=False)


def _store(home: "Home") -> Iterator[Finding]:
    from engine.executors.supervisor import alive

    try:
        store = Store.existing(home)
        damaged = store.check()
        count = store.count(kind=None)
    except NoStore as none:
        yield Finding("store", str(none))
        return
    except (StoreError, Refused) as error:
        yield Finding("store", str(error), fine=False)
        return
    yield Finding("store", f"{store.home}: {count} runs")
    for key in damaged:
        yield Finding("store", f"run {key[:12]} is damaged; run it again", fine=False)
    awake = alive(store.home)
    workers = (
        f"awake, workers: {awake.workers}" if awake else "asleep; the app wakes it"
    )
    yield Finding("engine", awake.trouble or workers, fine=not awake.trouble)
