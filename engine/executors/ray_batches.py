"""Batches of replicates, computed on a node of a Ray cluster and received here."""

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

from engine.contract.events import Artefact, Checkpoint, Event, Note
from engine.contract.run_spec import RunSpec
from engine.data.sources.locations import own_home
from engine.executors.node import BatchRequest, compute_request, named_own_files
from engine.executors.stop_signal import StopSignal
from engine.runner.results_of_other_runs import RunCache
from engine.store import Store, StoredRunCache

NOTE_INTERVAL = 1.0  # seconds between two notes of a batch that waits for a node
CANCEL_TIMEOUT = 2.0  # seconds that a node has to end a batch that was cancelled
RETRIES = 3  # how often a batch is sent again whose node was lost
MESSAGES_AHEAD = 64  # lists of events that a node may send before they are read


class NodeLost(RuntimeError):
    """A batch whose node was lost each time that it was sent."""


class RunResults:
    """The store's results of other runs, as an actor on the machine that asked.

    Args:
        home: The store's folder.
        identity: The store's identity; another one is refused.
    """

    def __init__(self, home: str, identity: str | None) -> None:
        self._cache = StoredRunCache(Store.open(Path(home), identity).index)

    def call(self, name: str, *given: Any) -> Any:
        """Call a method of `StoredRunCache` by its name."""
        return getattr(self._cache, name)(*given)


@dataclass(frozen=True)
class RemoteRunResults:
    """The actor `RunResults`, as a batch on a node calls it."""

    actor: Any

    def get(self, key: str) -> list[Event] | None:
        """Return the events of a finished run; None if there is none."""
        return self._call("get", key)

    def put(self, key: str, spec: RunSpec, events: list[Event]) -> None:
        """Store the events of a finished run."""
        self._call("put", key, spec, events)

    def frozen_artefact(self, run: str, artefact: str) -> Artefact:
        """Return a frozen meta-learner of another run."""
        return self._call("frozen_artefact", run, artefact)

    def _call(self, *given: Any) -> Any:
        try:
            return ray.get(self.actor.call.remote(*given))
        except RayTaskError as error:
            raise _cause_of(error) from error


def _cause_of(error: RayTaskError) -> Exception:
    """Return the error that a part raised on a node."""
    if isinstance(error.cause, Exception):
        return error.cause
    return RuntimeError(str(error).strip().rpartition("\n")[2])


def _compute(request: BatchRequest, actor: Any, own_files: dict[str, Any]) -> Any:
    """Compute a batch; this is executed on a node."""
    fetches = {name: partial(ray.get, ref) for name, ref in own_files.items()}
    yield from compute_request(request, RemoteRunResults(actor), fetches)


@dataclass
class RayBatches:
    """Computes batches on a cluster, in place of `compute_batch`.

    Args:
        actor: Of the store's results of other runs.
        stop_signal: Wakes a batch that waits for its node.
        fingerprint: Of the node that computed the last batch.
    """

    actor: Any
    stop_signal: StopSignal
    fingerprint: dict[str, object] = field(default_factory=dict)

    def __call__(
        self,
        spec: RunSpec,
        cache: RunCache,
        resume: Checkpoint | None,
        *,
        first: bool,
    ) -> Iterator[Event]:
        """Yield a batch's events; see `engine.runner.stages.compute_batch`.

        All but notes are held back until the next checkpoint: if the node is lost, the
        batch goes on from there on another one, and nothing is yielded twice.

        Raises:
            NodeLost: If one node after the other was lost.
        """
        for attempt in range(RETRIES + 1):
            held: list[Event] = []
            request = BatchRequest(spec, resume, first)
            try:
                with contextlib.closing(self._events(request)) as events:
                    for event in events:
                        if isinstance(event, Note):
                            yield event
                            continue
                        held.append(event)
                        if isinstance(event, Checkpoint):
                            yield from held
                            held, resume = [], event
                yield from held
                return
            except RayTaskError as error:
                raise _cause_of(error) from error
            except RayError as error:
                _check_attempts(attempt, error)

    def _events(self, request: BatchRequest) -> Generator[Event]:
        """Yield the events of one attempt as they arrive."""
        stream = self._send(request)
        note, begun = Note("begin", 0.0, "waiting for a node"), False
        try:
            while True:
                if not ray.wait([stream], timeout=NOTE_INTERVAL)[0]:
                    # Once it computes, only its own events show that it is alive.
                    if not begun or self.stop_signal.gone:
                        yield note
                    continue
                message = ray.get(next(stream))
                if not begun:
                    self.fingerprint, begun = dict(message), True
                    continue
                note = next((e for e in message if isinstance(e, Note)), note)
                yield from message
        except StopIteration:
            return
        finally:
            _cancel(stream)

    def _send(self, request: BatchRequest) -> Any:
        """Send a batch to a node, and return the stream of what it yields."""
        own_files = {
            name: ray.put((own_home() / name).read_bytes())
            for name in named_own_files(request.spec)
        }
        function = ray.remote(_compute).options(
            num_cpus=1,
            num_gpus=1 if request.spec.device == "cuda" else 0,
            num_returns="streaming",
            max_retries=0,  # a repetition starts from the last checkpoint instead
            _generator_backpressure_num_objects=MESSAGES_AHEAD,
        )
        return function.remote(request, self.actor, own_files)


def _check_attempts(attempt: int, error: RayError) -> None:
    """Raise an error once a batch was lost too often."""
    if attempt < RETRIES:
        return
    if isinstance(error, OutOfMemoryError):
        raise MemoryError("its node ran out of memory") from error
    first = str(error).strip().partition("\n")[0]
    raise NodeLost(f"{attempt + 1} nodes were lost, the last one: {first}") from error


def _cancel(stream: Any) -> None:
    """End a batch that is still being computed; its worker is ended if it hangs."""
    done = stream.completed()
    if ray.wait([done], timeout=0)[0]:
        return
    ray.cancel(stream)
    if not ray.wait([done], timeout=CANCEL_TIMEOUT)[0]:
        ray.cancel(stream, force=True)
