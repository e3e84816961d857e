"""doctor: check the installation, the machine, the data and the store."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.cli.console import Exit, Home, out
from engine.contract.errors import Refused
from engine.store import NoStore, Store, StoreError, default_home

# Before it, WAL mode can lose committed transactions.
SOUND_WAL = (3, 51, 3)
LITTLE_SPACE = 2**30  # bytes; below that, runs may fail to write


class CheckResult(NamedTuple):
    """One line of the doctor's report."""

    subject: str
    message: str
    is_fine: bool = True


def doctor(*, home: Home = None) -> int:
    """Check versions, SQLite, disk, threads, GPU, data and the store's integrity."""
    fine = True
    for look in (
        _check_versions,
        _check_parts,
        _check_devices,
        _check_threads,
        _check_kernels,
        _check_sqlite,
        _check_disk,
        _check_data,
    ):
        fine &= _print_results(look)
    fine &= _print_results(lambda: _check_store(home))
    return Exit.OK if fine else Exit.FAILED


def _print_results(look: Callable[[], Iterator[CheckResult]]) -> bool:
    fine = True
    for finding in look():
        mark = "ok   " if finding.is_fine else "WRONG"
        line = f"{mark} {finding.subject:10} {finding.message}"
        out().print(line, soft_wrap=True)
        fine &= finding.is_fine
    return fine


def _check_versions() -> Iterator[CheckResult]:
    from engine.device import versions

    text = ", ".join(f"{name} {version}" for name, version in versions().items())
    yield CheckResult("versions", text)


def _check_parts() -> Iterator[CheckResult]:
    from engine.catalogue import catalogue

    cards = catalogue()["cards"]
    absent = [card["name"] for card in cards if card["missing"]]
    more = f"; data missing for: {', '.join(absent)}" if absent else ""
    yield CheckResult("parts", f"{len(cards)}{more}")


def _check_devices() -> Iterator[CheckResult]:
    from engine.device import devices, fingerprint

    machine = fingerprint(devices()[0])
    yield CheckResult("device", f"{machine['device']}, {machine['device_name']}")
    yield CheckResult("cpu", f"{machine['cpu_capability']}, {machine['system']}")


def _check_threads() -> Iterator[CheckResult]:
    from engine.executors.cores import core_count, worker_count, worker_niceness

    try:
        workers, _ = worker_count(), worker_niceness()
    except Refused as refusal:
        yield CheckResult("threads", refusal.message, is_fine=False)
        return
    yield CheckResult(
        "threads", f"{core_count()} cores; {workers} workers at once, one thread each"
    )


def _check_kernels() -> Iterator[CheckResult]:
    from engine.kernels.compiler import cache_folder, load_kernels, numba_version

    kernels = load_kernels()
    if isinstance(kernels, str):
        # Nothing is wrong: the results are the same but for rounding.
        yield CheckResult("kernels", f"none, torch computes all, slower: {kernels}")
        return
    kept = "each process compiles them anew, as no folder for them can be written to"
    if folder := cache_folder():
        kept = f"kept in {folder}"
    yield CheckResult("kernels", f"compiled by numba {numba_version()}; {kept}")


def _check_sqlite() -> Iterator[CheckResult]:
    version = sqlite3.sqlite_version_info
    text = f"{sqlite3.sqlite_version}, rollback journal"
    if version < SOUND_WAL:
        text += " (WAL mode of this version can lose data; it is not used)"
    yield CheckResult("sqlite", text)


def _check_disk() -> Iterator[CheckResult]:
    place = default_home()
    # The store may not exist yet: ask the disk that it would be on.
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    fine = free >= LITTLE_SPACE and os.access(place, os.W_OK)
    writable = "" if os.access(place, os.W_OK) else ", not writable"
    yield CheckResult("disk", f"{free / 2**30:.1f} GiB free{writable}", fine)


def _check_data() -> Iterator[CheckResult]:
    from engine.data.inventory import inventory

    entries = inventory()
    present = sum(each["state"] == "present" for each in entries)
    yield CheckResult("data", f"{present} of {len(entries)} known files are present")
    for each in entries:
        if each["state"] == "damaged":
            where = f"{each['where']}/{each['file']}"
            yield CheckResult(
                "data", f"{where} is damaged: its checksum differs", is_fine=False
            )


def _check_store(home: "Home") -> Iterator[CheckResult]:
    from engine.executors.supervisor import supervisor_status

    try:
        store = Store.open_existing(home)
        damaged = store.check()
        count = store.count(kind=None)
    except NoStore as none:
        yield CheckResult("store", str(none))
        return
    except (StoreError, Refused) as error:
        yield CheckResult("store", str(error), is_fine=False)
        return
    yield CheckResult("store", f"{store.home}: {count} runs")
    for key in damaged:
        yield CheckResult(
            "store", f"run {key[:12]} is damaged; run it again", is_fine=False
        )
    awake = supervisor_status(store.home)
    workers = (
        f"awake, workers: {awake.workers}" if awake else "asleep; the app wakes it"
    )
    yield CheckResult("engine", awake.trouble or workers, is_fine=not awake.trouble)
