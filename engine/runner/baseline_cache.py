"""The cache of trained baselines, shared by all runs that compare with them.

A baseline's training is a sub-run with a key of its own: it depends on the family,
the net, the budget and the seed, not on the chosen learner. So a second run that only
changes the chosen learner does not train its baselines again.
"""

from collections.abc import Callable, Iterator

import torch

from engine.catalogue import find_card
from engine.contract.baseline_runs import training_run
from engine.contract.events import Artefact, Block, Event
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.frozen_learners import freeze_learner
from engine.runner.residual_variance import fix_residual_variance
from engine.runner.results_of_other_runs import RunCache
from engine.runner.state import RunState
from engine.runner.validation import draw_validation_tasks

StageFunction = Callable[[RunState], Iterator[Event]]


class SubRun:
    """A baseline's tuning or training as a run of its own.

    Args:
        spec: Its completed spec.
        cache: Where its events are looked up and stored.
    """

    def __init__(self, spec: RunSpec, cache: RunCache) -> None:
        self.spec, self.key = spec, run_key(spec, find_card)
        self._cache = cache
        self._recorded: list[Event] = []

    def cached_events(self) -> list[Event] | None:
        """Return its blocks and artefacts; None if it was not run yet."""
        held = self._cache.get(self.key)
        return None if held is None else list(held)

    def record(self, events: Iterator[Event]) -> Iterator[Event]:
        """Yield the given events; collect the blocks and artefacts for the cache."""
        for event in events:
            if isinstance(event, Block | Artefact):
                self._recorded.append(event)
            yield event

    def store(self) -> list[Event]:
        """Put the collected events into the cache, and return them."""
        self._cache.put(self.key, self.spec, self._recorded)
        return self._recorded


class BaselineCache:
    """Takes a baseline's stages from the cache, or executes and caches them.

    Args:
        context: The run.
        cache: Of finished sub-runs.
    """

    def __init__(self, context: RunContext, cache: RunCache) -> None:
        self.context, self.cache = context, cache
        self._recording: dict[str, SubRun] = {}

    def first_stage(self, entry: LearnerEntry, play: StageFunction) -> StageFunction:
        """Return a learner's first stage: from the cache if it has it, else `play`.

        Args:
            entry: The learner.
            play: Executes the stage.
        """
        if not self._is_shared(entry):
            return play

        def begin(state: RunState) -> Iterator[Event]:
            sub = SubRun(training_run(self.context.spec, entry.choice), self.cache)
            events = sub.cached_events()
            if events is not None:
                yield from self._adopt(entry, events, state)
                return
            self._recording[entry.label] = sub
            yield from sub.record(play(state))

        return begin

    def later_stage(
        self, entry: LearnerEntry, play: StageFunction, *, last: bool
    ) -> StageFunction:
        """Return a learner's later stage: empty if it all came from the cache.

        Args:
            entry: The learner.
            play: Executes the stage.
            last: Whether the learner is ready after it, and goes into the cache.
        """
        if not self._is_shared(entry):
            return play

        def work(state: RunState) -> Iterator[Event]:
            if state.learner(entry.label).shared:
                return
            sub = self._recording.get(entry.label)
            # Resumed after a kill: the earlier stages' events are missing here, and an
            # incomplete sub-run must not be cached.
            if sub is None:
                yield from play(state)
                return
            yield from sub.record(play(state))
            if last:
                sub.store()

        return work

    def _is_shared(self, entry: LearnerEntry) -> bool:
        learns = entry.learner.trains or entry.is_tuned
        baseline = entry.choice.role == "baseline"
        given = entry.label in self.context.spec.inputs
        return self.context.kind.tuned_last and learns and baseline and not given

    def _adopt(
        self, entry: LearnerEntry, events: list[Event], state: RunState
    ) -> Iterator[Event]:
        """Yield a sub-run's events, and freeze its meta-weights in this run."""
        label, frozen_as = entry.label, ("frozen", entry.label)
        ready = next(
            event
            for event in reversed(events)
            if isinstance(event, Artefact) and (event.kind, event.name) == frozen_as
        )
        yield from (event for event in events if event is not ready)
        # A file sorts its arrays, but sums over weights must keep the learner's order.
        tasks = draw_validation_tasks(self.context)
        start = entry.learner.init(self.context.streams("init"), tasks).weights
        state.metas[label] = {
            name: torch.from_numpy(ready.arrays[name].copy()).to(tensor)
            for name, tensor in start.items()
        }
        known = state.learner(label)
        known.at, known.shared = ready.info["meta_step"], True
        known.residual_variance = ready.info.get("residual_variance")
        if known.residual_variance is None:  # it has a density, or 0.4.0 cached it
            yield from fix_residual_variance(self.context, entry, state)
        yield freeze_learner(self.context, entry, state.metas[label], state)
