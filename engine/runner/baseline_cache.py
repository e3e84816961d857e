"""Baselines that learn are trained once, and shared by every run that asks for them.

A baseline's training is a sub-run with a key of its own: it depends on the family,
the net, the budget and the seed, not on the learner that is judged beside it. So a
second run with another setting of that learner starts where the first one waited.
"""

from collections.abc import Callable, Iterator

import torch

from engine.catalogue import find_card
from engine.contract.events import Artefact, Block, Event
from engine.contract.runs import LearnerChoice, RunSpec, run_key
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.frozen_learners import freeze_learner
from engine.runner.meta_training import draw_validation_tasks
from engine.runner.run_cache import RunCache
from engine.runner.state import RunState

StageFunction = Callable[[RunState], Iterator[Event]]


class SubRun:
    """A baseline's tuning or training as a run of its own, which the cache may have."""

    def __init__(self, spec: RunSpec, cache: RunCache) -> None:
        self.spec, self.key = spec, run_key(spec, find_card)
        self._cache = cache
        self._recorded: list[Event] = []

    def cached_events(self) -> list[Event] | None:
        """Return its blocks and artefacts, or none where it was not played yet."""
        held = self._cache.get(self.key)
        return None if held is None else list(held)

    def record(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass events on, and note those that the cache is to have."""
        for event in events:
            if isinstance(event, Block | Artefact):
                self._recorded.append(event)
            yield event

    def store(self) -> list[Event]:
        """Put what was recorded into the cache, and return it."""
        self._cache.put(self.key, self.spec, self._recorded)
        return self._recorded


class BaselineCache:
    """Takes the stages of a baseline from the cache, or plays and records them."""

    def __init__(self, context: RunContext, cache: RunCache) -> None:
        self.bench, self.cache = context, cache
        self._recording: dict[str, SubRun] = {}

    def first_stage(self, entry: LearnerEntry, play: StageFunction) -> StageFunction:
        """Return the first stage of a learner: what the cache has, else its own."""
        if not self._is_shared(entry):
            return play

        def begin(state: RunState) -> Iterator[Event]:
            sub = SubRun(_training_spec(self.bench.spec, entry.choice), self.cache)
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
        """Return a later stage: nothing where all was taken from the cache.

        Args:
            entry: Whose stage it is.
            play: What it does.
            last: Whether the learner is ready after it, and is put into the cache.
        """
        if not self._is_shared(entry):
            return play

        def work(state: RunState) -> Iterator[Event]:
            if state.learner(entry.label).shared:
                return
            sub = self._recording.get(entry.label)
            if sub is None:  # after a kill: the earlier stages were not recorded here
                yield from play(state)
                return
            yield from sub.record(play(state))
            if last:
                sub.store()

        return work

    def _is_shared(self, entry: LearnerEntry) -> bool:
        learns = entry.learner.trains or entry.is_tuned
        baseline = entry.choice.role == "baseline"
        given = entry.label in self.bench.spec.inputs
        return self.bench.kind.tuned_last and learns and baseline and not given

    def _adopt(
        self, entry: LearnerEntry, events: list[Event], state: RunState
    ) -> Iterator[Event]:
        """Yield a sub-run's events, and freeze its meta-weights as this run's own."""
        label, frozen_as = entry.label, ("frozen", entry.label)
        ready = next(
            event
            for event in reversed(events)
            if isinstance(event, Artefact) and (event.kind, event.name) == frozen_as
        )
        yield from (event for event in events if event is not ready)
        # A file has an order of its own, but a sum over weights must keep ours.
        tasks = draw_validation_tasks(self.bench)
        start = entry.learner.init(self.bench.streams("init"), tasks).weights
        state.metas[label] = {
            name: torch.from_numpy(ready.arrays[name].copy()).to(tensor)
            for name, tensor in start.items()
        }
        known = state.learner(label)
        known.at, known.shared = ready.info["meta_step"], True
        yield freeze_learner(self.bench, entry, state.metas[label], state)


def _training_spec(spec: RunSpec, choice: LearnerChoice) -> RunSpec:
    """Return the sub-run: this learner alone, with nothing tested."""
    return spec.model_copy(
        update={
            "learners": (choice,),
            "test_families": (),
            "shifts": (),
            "inputs": {},
            "budget": spec.budget.model_copy(update={"test_tasks": 0}),
        }
    )
