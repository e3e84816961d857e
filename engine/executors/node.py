"""What a worker on another machine does: computes one batch of replicates.

It has no store. Events go back to whoever asked, results of other runs come from there,
and so do the user's own files, which it keeps in its own data folder by their digest.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from engine.contract.errors import Refused
from engine.contract.events import Checkpoint, Event
from engine.contract.run_spec import RunSpec
from engine.data.sources.checksums import sha256
from engine.data.sources.locations import own_home
from engine.data.user.csv_store import own_path, store_bytes
from engine.executors.allocator import configure_allocator
from engine.executors.worker_functions import Toolkit, load_toolkit
from engine.runner.memory_limit import cap_memory
from engine.runner.results_of_other_runs import RunCache

SEND_INTERVAL = 0.25  # seconds for which events are collected; each message costs 1 ms
_SHA256_DIGITS = 64

Fingerprint = Mapping[str, object]


class BatchRequest(NamedTuple):
    """A batch of replicates to be computed.

    Args:
        spec: Of the batch.
        resume: A checkpoint of this very batch to resume from.
        first: Whether it is its run's first batch, which also records films.
    """

    spec: RunSpec
    resume: Checkpoint | None
    first: bool


@cache
def _toolkit() -> Toolkit:
    """Return the engine, once per process."""
    configure_allocator()
    cap_memory()
    return load_toolkit()


def compute_request(
    request: BatchRequest,
    results: RunCache,
    own_files: Mapping[str, Callable[[], bytes]],
) -> Iterator[Fingerprint | list[Event]]:
    """Compute a batch here.

    Args:
        request: The batch.
        results: Of other runs.
        own_files: Return the bytes of the user's files that the batch reads, by name:
            their digest and suffix.

    Yields:
        Hardware and software of this machine, then its events in lists.

    Raises:
        Refused: If the batch does not fit into this machine's memory, lacks data that
            are not here, or a part refuses it.
    """
    tools = _toolkit()
    yield tools.fingerprint(request.spec.device)
    for name, fetch in own_files.items():
        _store_file(name, fetch)
    if tools.check is not None:
        tools.check(request.spec)
    if tools.compute_batch is None:
        raise TypeError("the engine computes no batches")
    events = tools.compute_batch(
        request.spec, results, request.resume, first=request.first
    )
    yield from collect_events(events)


def collect_events(
    events: Iterable[Event], interval: float = SEND_INTERVAL
) -> Iterator[list[Event]]:
    """Yield events in lists, one every so often, and at each checkpoint.

    Args:
        events: The events.
        interval: Seconds for which they are collected.
    """
    held: list[Event] = []
    sent = time.monotonic()
    for event in events:
        held.append(event)
        now = time.monotonic()
        if now - sent >= interval or isinstance(event, Checkpoint):
            yield held
            held, sent = [], now
    if held:
        yield held


def named_own_files(spec: RunSpec) -> list[str]:
    """Return the names of the user's own files that a spec names and that are here.

    A knob names such a file by its SHA-256.
    """
    named = {value for value in _knob_values(spec) if _is_digest(value)}
    home = own_home()
    found = home.iterdir() if named and home.is_dir() else []
    return sorted(path.name for path in found if path.name[:_SHA256_DIGITS] in named)


def _knob_values(spec: RunSpec) -> Iterator[Any]:
    choices = (spec.family, *spec.test_families, *spec.learners, *spec.shifts, spec.net)
    for choice in choices:
        yield from choice.knobs.values()


def _is_digest(value: Any) -> bool:
    digits = set("0123456789abcdef")
    return (
        isinstance(value, str) and len(value) == _SHA256_DIGITS and set(value) <= digits
    )


def _store_file(name: str, fetch: Callable[[], bytes]) -> None:
    """Store a file of the user by its digest, unless it is here.

    Raises:
        Refused: If the bytes that arrive are others.
    """
    digest, suffix = name[:_SHA256_DIGITS], name[_SHA256_DIGITS:]
    path = own_path(digest, suffix)
    if path.is_file() and sha256(path.read_bytes()) == digest:
        return
    data = fetch()
    if sha256(data) != digest:
        raise Refused(f"the file {digest[:12]} was changed on its way", "digest")
    store_bytes(path, data)
