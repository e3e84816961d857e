"""How learners of each kind are probed after the test in distribution."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.contract.events import Event
from engine.contract.kinds import FEW_SHOT, RL
from engine.protocol import Learner
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.leak_probes import probe_tasks
from engine.runner.learner_probes import probe_cost, probe_learner
from engine.runner.state import RunState
from engine.runner.trial_probes import probe_bounds, probe_replay, replay_cost


class KindProbes(NamedTuple):
    """The probes of a kind.

    Args:
        cost: How many gradient evaluations those of a learner take, for progress.
        probe_learner: Yields what a learner's probes found.
        probe_tasks: Yields what was found of the tasks themselves; None if nothing is.
    """

    cost: Callable[[RunContext, Learner], float]
    probe_learner: Callable[[RunContext, LearnerEntry, RunState], Iterator[Event]]
    probe_tasks: Callable[[RunContext, RunState], Iterator[Event]] | None = None


PROBES = {
    FEW_SHOT.name: KindProbes(probe_cost, probe_learner, probe_tasks),
    RL.name: KindProbes(replay_cost, probe_replay, probe_bounds),
}
