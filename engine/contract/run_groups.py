"""Groups of runs that were asked for together, such as those of a sweep."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from engine.contract.jobs import ALIVE, Job, JobState

SWEEP, CLAIM = "sweep", "claim"  # what a group of runs was asked for by


class RunGroup(NamedTuple):
    """A group as lists show it.

    Args:
        name: Its id, 12 hex digits.
        title: Its title.
        created: When its newest run was submitted, seconds since the epoch.
        states: How many runs are in each state.
        done: Mean share of the work that is done, 0 to 1.
        noun: What it is: `SWEEP` or `CLAIM`.
        calls: How many of its runs made each call.
        kinds: The kinds of task of its runs.
    """

    name: str
    title: str
    created: float
    states: Mapping[JobState, int]
    done: float
    noun: str = SWEEP
    calls: Mapping[str, int] = MappingProxyType({})
    kinds: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Return how many runs it has."""
        return sum(self.states.values())

    @property
    def state(self) -> JobState:
        """Return the state of the whole: the first of these that any run is in.

        Running, queued, anything but done, done.
        """
        first = (JobState.RUNNING, JobState.QUEUED)
        order = (*first, *(s for s in JobState if s not in (*ALIVE, JobState.DONE)))
        return next((s for s in order if self.states.get(s)), JobState.DONE)

    def describe_states(self) -> str:
        """Return the number of runs in each state as one text.

        >>> RunGroup("a", "", 0.0, {JobState.DONE: 3, JobState.QUEUED: 1}, 0.75)\
.describe_states()
        '3 done, 1 queued'
        """
        return ", ".join(f"{n} {state}" for state, n in self.states.items() if n)

    def describe_calls(self) -> str:
        """Return how many runs made each call; empty before any is done."""
        return ", ".join(f"{n} {call}" for call, n in self.calls.items() if n)


class GroupMember(NamedTuple):
    """A run of a group, and the values by path that set it apart from the others."""

    job: Job
    values: Mapping[str, Any]
