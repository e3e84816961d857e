"""Whether a run is within the limits of the public demo, said before it is started.

The estimates are those that the form shows; `app.navigation` sets where they come from.
Memory is not among them: only the engine can tell it, see `spec_checks`.
"""

from collections.abc import Callable
from typing import NamedTuple

from app.client import process_store, spec_checks
from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, COMPLETE
from engine.contract.run_spec import RunSpec
from engine.executors.demo import MIB, DemoLimits, demo_limits, is_demo

# Seconds that a submission waits for what only the engine can tell, such as memory;
# what is not known by then, the worker checks before it computes anything.
ENGINE_TIMEOUT = 2.0
_REMEDY = (
    "make it smaller (Effort: Quick, or fewer replicates, task evaluations or steps) "
    "or run it on your own computer, where nothing is limited"
)


class RunNeeds(NamedTuple):
    """What a run is estimated to need, to its last replicate.

    Args:
        seconds: On one core.
        duration: That time as the range that the form shows.
        work: Its work, in the unit of its kind of task.
        unit: That unit, a plural such as "gradients".
        disk: Bytes that its results take.
    """

    seconds: float
    duration: str
    work: float
    unit: str
    disk: float


class _Estimates:
    """Where estimates come from; the app sets it."""

    of: Callable[[RunSpec], RunNeeds] | None = None


def use_estimates(estimate: Callable[[RunSpec], RunNeeds]) -> None:
    """Set the function that estimates what a run needs."""
    _Estimates.of = staticmethod(estimate)


def check_limits(spec: RunSpec) -> list[str]:
    """Return why a run is too large for the demo, one sentence each.

    Args:
        spec: Completed.

    Returns:
        Empty if it is within all limits, or if this is no demo.

    Raises:
        RuntimeError: If nobody said where estimates come from: no limit would hold.
    """
    if not is_demo():
        return []
    if _Estimates.of is None:
        raise RuntimeError("call use_estimates before a run is checked")
    return describe_excess(_Estimates.of(spec), demo_limits())


def approve_cost(spec: RunSpec, key: str) -> float | None:
    """Refuse a run that is too large for the demo, unless its results are there.

    Args:
        spec: Completed.
        key: Its run key.

    Returns:
        What it costs of its visitor's share, in seconds on one core; None if nothing.

    Raises:
        Refused: With the first limit that it exceeds.
    """
    if not is_demo() or _is_known(key):
        return None
    if _Estimates.of is None:
        raise RuntimeError("call use_estimates before a run is submitted")
    needs = _Estimates.of(spec)
    found = describe_excess(needs, demo_limits())
    # What ships was tried, and on a small host the engine takes a worker's memory.
    if not found and not process_store.is_public(key):
        reason = spec_checks.checker.refusal(key, spec, ENGINE_TIMEOUT)
        found = [reason] if reason else []
    if found:
        process_store.shared_store().count_refusal()
        raise Refused(found[0], "budget")
    return needs.seconds


def _is_known(key: str) -> bool:
    job = process_store.shared_store().job(key)
    return job is not None and job.state in (*ALIVE, *COMPLETE) and not job.damaged


def describe_excess(needs: RunNeeds, limits: DemoLimits) -> list[str]:
    """Return which limits a run exceeds, one sentence each.

    >>> small = RunNeeds(9.0, "6 to 20 s", 1e6, "gradients", 1e6)
    >>> describe_excess(small, demo_limits())
    []
    """
    found = []
    if needs.seconds > limits.run_seconds:
        most = f"{limits.run_seconds // 60:,} min"
        found.append(
            f"This run takes about {needs.duration} on one core, and a run of this "
            f"demo may take {most}: {_REMEDY}."
        )
    if needs.work > limits.run_gradients:
        found.append(
            f"This run computes about {_millions(needs.work)} million {needs.unit}, "
            f"and a run of this demo may compute {_millions(limits.run_gradients)} "
            f"million: {_REMEDY}."
        )
    if needs.disk > limits.run_disk:
        found.append(
            f"The results of this run take about {needs.disk / MIB:,.0f} MiB, and "
            f"those of a run of this demo may take {limits.run_disk / MIB:,.0f} MiB: "
            "test on fewer tasks, or with fewer steps or replicates, or run it on "
            "your own computer, where nothing is limited."
        )
    return found


def _millions(count: float) -> str:
    return f"{count / 1e6:,.0f}"
