"""The pages' only interface to the engine and the store: plain data, never torch.

Nothing here draws. All errors that the user can act on are `Refused` or `StoreError`,
one sentence each.
"""

import functools
import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from app import structured_log
from app.client import catalogue as shelves
from app.client import (
    demo_access,
    demo_checks,
    engine_process,
    process_store,
    run_block_cache,
)
from app.client.catalogue import Catalogue
from app.client.process_store import (
    checked_store,
    listed_store,
    store,
)
from app.client.shared_reads import SharedReads
from engine.contract import kinds
from engine.contract.events import FILMS, Artefact, Block, Timing
from engine.contract.jobs import ALIVE, Job, JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec, complete_spec
from engine.executors import cores
from engine.stats.block_table import BlockTable
from engine.stats.learner_claims import Claim
from engine.stats.stored_claims import read_claims
from engine.store import NoRun, Progress, Store, StoreError

SHARED = 0.5  # seconds; a live run is read once in this time, for all who watch it
_block_cache = run_block_cache.BlockCache()
# Each holds all its numbers, up to 40 MB of them.
_runs = SharedReads["Run"](3 if cores.is_memory_scarce() else 16)
_serials = itertools.count()


def reopen_store() -> None:
    """Use the store that replaced a missing one; create it if there is none."""
    process_store.reopen_store()
    _block_cache.clear()
    _runs.clear()
    _cached_spec.cache_clear()


def _store_cache() -> Any:
    try:
        return process_store.shared_store().cache  # also asked outside any page
    except StoreError:
        return None


_catalogue_cache = shelves.CatalogueCache(_store_cache)


def catalogue() -> Catalogue:
    """Return the catalogue; making it the first time takes seconds."""
    return _catalogue_cache.get()


def is_catalogue_ready() -> bool:
    """Whether `catalogue` returns immediately; if not, start making it."""
    return _catalogue_cache.start_loading()


def catalogue_error() -> str:
    """Return why the catalogue cannot be made; empty if it can."""
    return _catalogue_cache.error


def part_titles() -> dict[str, str]:
    """Return the titles of parts, by name; empty until the catalogue is ready."""
    return catalogue().part_titles() if is_catalogue_ready() else {}


def wake_engine() -> str:
    """Start the supervisor if needed; return "warm", "starting" or "gone".

    Raises:
        StoreGone: If the store is missing; none is created.
    """
    return engine_process.ensure_supervisor(checked_store().engine_home)


def worker_count() -> int:
    """Return how many workers compute batches of replicates at the same time."""
    return cores.worker_count()


def engine_trouble() -> str:
    """Return why no worker takes queued runs; empty if one does."""
    return engine_process.describe_trouble(store().engine_home)


def kind_of_spec(spec: RunSpec) -> kinds.Kind:
    """Return a spec's kind of task; the first kind until the catalogue is ready."""
    if spec.kind:
        return kinds.kind_named(spec.kind)
    known = is_catalogue_ready()
    return kinds.kind_named(catalogue().kind_of(spec.family.name) if known else "")


def complete_with_key(spec: RunSpec) -> tuple[RunSpec, str]:
    """Complete a spec and return it with its run key.

    Raises:
        Refused: With the first invalid field.
    """
    known = catalogue()
    full = complete_spec(spec, known.card, known.default_device)
    return full, run_key(full, known.card)


def portable_key(spec: RunSpec) -> str:
    """Return the key that a spec's run has on a CPU, whatever device is here.

    Raises:
        Refused: With the first invalid field.
    """
    known = catalogue()
    return run_key(complete_spec(spec, known.card, "cpu"), known.card)


def submit(spec: RunSpec, title: str = "", *, again: bool = False) -> Job:
    """Store a run and queue it; the same spec twice is one run.

    Raises:
        Refused: If the spec is invalid; the store is unchanged.
    """
    return submit_completed(complete_with_key(spec), title, again=again)


def submit_completed(
    settled: tuple[RunSpec, str], title: str = "", *, again: bool = False
) -> Job:
    """Store and queue a run whose spec is already completed.

    Args:
        settled: The completed spec and its key, from `complete_with_key`.
        title: The run's title in lists.
        again: Whether to recompute a run that has ended.

    Raises:
        Refused: If it is too large for the demo, or the visitor's queue is full.
    """
    spec, key = settled
    demo_access.check_access(spec, key)
    cost = demo_checks.approve_cost(spec, key)
    if again and owns(key):
        _forget(key)
    job = store().submit(spec, key, title, again=again, cost=cost)
    structured_log.log("run_accepted", run=key[:8], workspace=job.workspace[:8])
    return job


def cancel(key: str) -> Job:
    """Cancel a run that has not ended."""
    return store().cancel(key)


def resume(key: str) -> Job:
    """Queue an ended but unfinished run, to continue from its checkpoint.

    Raises:
        Refused: If it was imported, and may not be computed in the demo.
    """
    if demo_access.was_imported(key):
        asked = spec(key)
        demo_access.check_access(asked, key)
        demo_checks.approve_cost(asked, key)
    return store().resume(key)


def delete(key: str) -> None:
    """Remove a run and its files."""
    store().delete(key)
    _forget(key)


def _forget(key: str) -> None:
    _block_cache.forget(key)
    _runs.forget(key)


def delete_all() -> int:
    """Remove all runs of the visitor who asks; return how many there were."""
    held, gone = store(), 0
    while jobs := held.jobs(limit=200, kind=None):
        for job in jobs:
            held.delete(job.key)
            _block_cache.forget(job.key)
        gone += len(jobs)
    return gone


def rename(key: str, title: str) -> Job:
    """Give a run another title."""
    return store().rename(key, title)


def job(key: str) -> Job | None:
    """Return a run's job, or None."""
    return store().job(key)


def jobs_by_key(keys: Collection[str]) -> dict[str, Job]:
    """Return the jobs of some runs, by key; those that are not here are left out."""
    return store().jobs_by_key(keys)


def jobs(
    states: Iterable[JobState] | None = None,
    text: str = "",
    page: tuple[int, int] = (25, 0),
) -> tuple[list[Job], int]:
    """List runs, newest first.

    Args:
        states: Only runs in these states; None for all.
        text: Words that the title, key or part names must contain.
        page: Maximum number of jobs, and how many to skip.

    Returns:
        The jobs of the page, and the total number of matches.
    """
    held = list(states) if states is not None else None
    limit, offset = page
    listed = listed_store()
    return listed.jobs(held, text, limit, offset), listed.count(held, text)


def spec(key: str) -> RunSpec:
    """Return the completed spec of a run; cached, since a key's spec never changes.

    Raises:
        NoRun: If there is none, or it is not for whoever asks.
    """
    # What is cached was read for others, too, who may have imported another one.
    return _cached_spec(store().folder(key).as_posix(), key)


def summary(key: str) -> dict[str, Any] | None:
    """Return a run's stored statistics and verdict; None before its end."""
    return store().summary(key)


def timings(key: str) -> list[Timing]:
    """Return a run's seconds by learner and stage."""
    return store().timings(key)


def owns(key: str) -> bool:
    """Whether a run is the user's own, to rename, cancel or delete."""
    return store().owns(key)


def progress(key: str) -> Progress:
    """Return a run's progress."""
    return store().progress(key)


def shards(key: str) -> list[Job]:
    """Return the batches of a run that other workers compute ahead of their turn."""
    return store().shards(key)


def list_frozen(key: str) -> list[str]:
    """Return the names of a run's frozen meta-learners."""
    return [e.name for e in store().artefacts(key) if e.kind == "frozen"]


class RunState(NamedTuple):
    """The numbers of a run so far.

    Args:
        key: The run's key.
        serial: The number of this state; later ones have higher numbers.
        is_alive: Whether another state may follow.
    """

    key: str
    serial: int
    is_alive: bool


@dataclass(frozen=True)
class Run:
    """A run as the charts see it, from the store or shipped as an example."""

    key: str
    spec: RunSpec
    blocks: tuple[Block, ...]
    job: Job | None = None
    summary: dict[str, Any] | None = None
    fingerprint: dict[str, Any] = field(default_factory=dict)
    timings: tuple[Timing, ...] = ()
    films: dict[str, Artefact] = field(default_factory=dict)
    frozen_labels: tuple[str, ...] = ()
    film_names: tuple[str, ...] = ()
    remarks: dict[str, dict[str, str]] = field(default_factory=dict)
    is_recorded: bool = False
    # Downloads are made after the page, when nobody can tell who asks.
    source: Store | None = field(default=None, compare=False, repr=False)
    serial: int = field(default_factory=_serials.__next__, compare=False)

    @functools.cached_property
    def table(self) -> BlockTable:
        """Return its blocks as a table, indexed by learner, phase and metric."""
        return BlockTable(self.blocks, self.spec.kind)

    @functools.cached_property
    def claims(self) -> list[Claim]:
        """Return its claims; none before its end."""
        return read_claims(self.summary)

    @property
    def replicates(self) -> int:
        """Return how many replicates were tested; before any test the first batch."""
        first = self.spec.looks[0] if self.spec.looks else self.spec.replicates
        return self.table.n_replicates or first

    @property
    def kind(self) -> kinds.Kind:
        """Return its kind of task; for specs of older releases, by its metrics."""
        held = (block.metric for block in self.blocks)
        named = self.spec.kind or kinds.recorded_kind(held)
        return kinds.kind_named(named) if named else kind_of_spec(self.spec)

    @property
    def is_alive(self) -> bool:
        """Whether it is queued or running, so that its blocks may still grow."""
        return self.job is not None and self.job.state in ALIVE

    @property
    def cache_key(self) -> RunState:
        """Return the key under which its figures are cached: of its numbers so far."""
        return RunState(self.key, self.serial, self.is_alive)

    @property
    def roles(self) -> dict[str, str]:
        """Return each learner's role, in the spec's order."""
        return {entry.label: entry.role for entry in self.spec.learners}

    @property
    def judged_label(self) -> str:
        """Return the label of the learner that is judged."""
        found = [entry.label for entry in self.spec.learners if entry.role == "chosen"]
        return found[0] if found else self.spec.learners[0].label

    def film(self, name: str) -> Artefact | None:
        """Return a film's artefact, read on demand."""
        return self._artefact(name, FILMS)

    def frozen_weights(self, label: str) -> Artefact | None:
        """Return a learner's frozen meta-weights, read on demand."""
        return self._artefact(label, ("frozen",))

    def _artefact(self, name: str, kinds: tuple[str, ...]) -> Artefact | None:
        if name in self.films or self.is_recorded:
            held = self.films.get(name)
            return held if held is not None and held.kind in kinds else None
        held = self.source or store()
        for entry in held.artefacts(self.key):
            if entry.name == name and entry.kind in kinds:
                return held.artefact(self.key, name, entry.kind)
        return None

    def snapshots(self) -> dict[str, list[Artefact]]:
        """Return each learner's embeddings along training, read on demand."""
        if self.is_recorded:
            held = [a for a in self.films.values() if a.kind == "snapshot"]
        else:
            source = self.source or store()
            listed = source.artefacts(self.key)
            names = [entry.name for entry in listed if entry.kind == "snapshot"]
            held = [source.artefact(self.key, name) for name in names]
        found: dict[str, list[Artefact]] = {}
        for shot in held:
            found.setdefault(str(shot.info["learner"]), []).append(shot)
        return found


def run(key: str) -> Run:
    """Return a run with all results so far.

    Raises:
        NoRun: If there is none.
        Damaged: If its files do not match their checksums.
    """
    held = store()
    known = held.job(key)
    if known is None:
        raise NoRun(key)
    place = held.folder(key).as_posix()
    name = (key, known.attempt, str(known.state), known.finished, place)
    lasts = SHARED if known.state in ALIVE else None
    found = _runs.get(name, functools.partial(_read_run, held, known), lasts)
    shown = replace(found, job=known, source=held)
    # Made once, not at each rerun of a page.
    vars(shown).update(table=found.table, claims=found.claims)
    return shown


def _read_run(held: Store, known: Job, before: Run | None) -> Run:
    """Return a run without its job and its store: each visitor has their own.

    Args:
        held: A store that has it.
        known: Its job there.
        before: What it was before; the same if nothing has come since.
    """
    key, place = known.key, held.folder(known.key).as_posix()
    blocks = _block_cache.blocks(
        key, known.attempt, held.blocks, place, is_final=known.state not in ALIVE
    )
    artefacts = held.artefacts(key)
    found = Run(
        key=key,
        spec=_cached_spec(place, key),
        blocks=blocks,
        summary=held.summary(key),
        fingerprint=held.fingerprint(key) or {},
        timings=tuple(held.timings(key)),
        frozen_labels=tuple(e.name for e in artefacts if e.kind == "frozen"),
        film_names=tuple(e.name for e in artefacts if e.kind in FILMS),
        remarks={e.name: dict(e.info) for e in artefacts if e.kind == "remarks"},
    )
    if before is None or found.blocks is not before.blocks:
        return found
    return before if replace(found, blocks=()) == replace(before, blocks=()) else found


@functools.lru_cache(maxsize=256)
def _cached_spec(place: str, key: str) -> RunSpec:
    return store().spec(key)
