"""The engine's functions that a worker calls, imported when they are needed."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from engine.contract.errors import Refused
from engine.contract.events import Block, Checkpoint, Event
from engine.contract.run_spec import RunSpec, complete_spec
from engine.garbage_collection import no_collections

if TYPE_CHECKING:
    from engine.runner.helpers import Helpers
    from engine.runner.loop import BatchFunction
    from engine.runner.results_of_other_runs import RunCache


class Runner(Protocol):
    """Executes a run; see `engine.runner.loop.run`."""

    def __call__(
        self,
        spec: RunSpec,
        cache: "RunCache",
        resume: Checkpoint | None,
        *,
        helpers: "Helpers | None" = None,
    ) -> Iterator[Event]:
        """Yield its events."""


@dataclass(frozen=True)
class Toolkit:
    """The engine's functions that a worker calls; tests pass their own.

    Args:
        run: Yields the events of a run.
        summarize: Returns the statistics of a run's blocks.
        fingerprint: Describes hardware and software for a device.
        check: Refuses a spec that will not fit into memory, or names code to be run.
        describe_memory_overrun: Says what to lower in a spec that ran out of memory.
        compute_batch: Yields the events of a batch of replicates, which is what a shard
            is; None where there are no shards.
        shipped_keys: Returns the run keys of the shipped experiments.
    """

    run: Runner
    summarize: Callable[[list[Block], RunSpec], Mapping[str, object]]
    fingerprint: Callable[[str], Mapping[str, object]]
    check: Callable[[RunSpec], None] | None = None
    describe_memory_overrun: Callable[[RunSpec], str] | None = None
    compute_batch: "BatchFunction | None" = None
    shipped_keys: Callable[[], list[str]] | None = None


@no_collections()
def load_toolkit() -> Toolkit:
    """Import the engine, with torch on one thread.

    Returns:
        What a worker calls to execute a run.
    """
    import torch

    torch.set_num_threads(1)  # one run per core; sums must not depend on the cores
    from engine.catalogue import catalogue
    from engine.device import fingerprint
    from engine.runner.loop import run
    from engine.runner.memory_estimate import check_memory, describe_memory_overrun
    from engine.runner.stages import compute_batch
    from engine.runner.titled_summary import summarize_run

    catalogue()  # registers every part before a run asks for one
    # Starts autograd's threads now, so that the first run does not pay for it.
    torch.ones(1, requires_grad=True).sum().backward()

    def check(spec: RunSpec) -> None:
        _refuse_own_code(spec)
        check_memory(spec)

    return Toolkit(
        run,
        summarize_run,
        fingerprint,
        check,
        describe_memory_overrun,
        compute_batch,
        _shipped_keys,
    )


def _shipped_keys() -> list[str]:
    """Return the run keys of the shipped experiments that can be run here."""
    from engine.catalogue import find_card
    from engine.contract.run_keys import run_key
    from engine.device import resolve_device
    from engine.presets import PRESETS

    found = []
    for each in PRESETS:
        with contextlib.suppress(Refused):  # its data is not here
            device = resolve_device(each.spec.device)
            spec = complete_spec(each.spec, find_card, device)
            found.append(run_key(spec, find_card))
    return found


def own_code_family(spec: RunSpec) -> str:
    """Return a family of a spec that runs code of the user's machine; empty if none."""
    from engine.catalogue import find_card

    for choice in (spec.family, *spec.test_families):
        if find_card("family", choice.name).traits.get("own_code"):
            return choice.name
    return ""


def _refuse_own_code(spec: RunSpec) -> None:
    """Refuse a spec that names code of the user's machine.

    A spec may come from a link or an archive, and neither may start code.
    """
    if name := own_code_family(spec):
        raise Refused(
            f"{name} runs code that the spec names: only the command line "
            "does that: python -m engine run SPEC.json --out FOLDER",
            "family",
        )
