"""Baselines that learn are trained once, and shared by every run that asks for them.

A baseline's training is a sub-run with a key of its own: it depends on the family,
the net, the budget and the seed, not on the learner that is judged beside it. So a
second run with another setting of that learner starts where the first one waited.
"""

from collections.abc import Callable, Iterator

import torch

from engine.catalogue import cards
from engine.contract.blocks import Artefact, Block, Event
from engine.contract.runs import LearnerChoice, RunSpec, run_key
from engine.runner.context import Bench, Entrant
from engine.runner.frozen_learners import frozen
from engine.runner.meta_training import validation_tasks
from engine.runner.run_cache import Shelf
from engine.runner.state import Carry

Play = Callable[[Carry], Iterator[Event]]


class SubRun:
    """A baseline's tuning or training as a run of its own, which the cache may have."""

    def __init__(self, spec: RunSpec, cache: Shelf) -> None:
        self.spec, self.key = spec, run_key(spec, cards)
        self._cache = cache
        self._recorded: list[Event] = []

    def cached(self) -> list[Event] | None:
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

    def __init__(self, bench: Bench, cache: Shelf) -> None:
        self.bench, self.cache = bench, cache
        self._recording: dict[str, SubRun] = {}

    def first_stage(self, entrant: Entrant, play: Play) -> Play:
        """Return the first stage of a learner: what the cache has, else its own."""
        if not self._is_shared(entrant):
            return play

        def begin(carry: Carry) -> Iterator[Event]:
            sub = SubRun(_training_spec(self.bench.spec, entrant.choice), self.cache)
            events = sub.cached()
            if events is not None:
                yield from self._adopt(entrant, events, carry)
                return
            self._recording[entrant.label] = sub
            yield from sub.record(play(carry))

        return begin

    def later_stage(self, entrant: Entrant, play: Play, *, last: bool) -> Play:
        """Return a later stage: nothing where all was taken from the cache.

        Args:
            entrant: Whose stage it is.
            play: What it does.
            last: Whether the learner is ready after it, and is put into the cache.
        """
        if not self._is_shared(entrant):
            return play

        def work(carry: Carry) -> Iterator[Event]:
            if carry.learner(entrant.label).shared:
                return
            sub = self._recording.get(entrant.label)
            if sub is None:  # after a kill: the earlier stages were not recorded here
                yield from play(carry)
                return
            yield from sub.record(play(carry))
            if last:
                sub.store()

        return work

    def _is_shared(self, entrant: Entrant) -> bool:
        learns = entrant.learner.trains or entrant.tuned
        baseline = entrant.choice.role == "baseline"
        given = entrant.label in self.bench.spec.inputs
        return self.bench.kind.tuned_last and learns and baseline and not given

    def _adopt(
        self, entrant: Entrant, events: list[Event], carry: Carry
    ) -> Iterator[Event]:
        """Yield a sub-run's events, and freeze its meta-weights as this run's own."""
        label, frozen_as = entrant.label, ("frozen", entrant.label)
        ready = next(
            event
            for event in reversed(events)
            if isinstance(event, Artefact) and (event.kind, event.name) == frozen_as
        )
        yield from (event for event in events if event is not ready)
        # A file has an order of its own, but a sum over weights must keep ours.
        tasks = validation_tasks(self.bench)
        start = entrant.learner.init(self.bench.streams("init"), tasks).weights
        carry.metas[label] = {
            name: torch.from_numpy(ready.arrays[name].copy()).to(tensor)
            for name, tensor in start.items()
        }
        known = carry.learner(label)
        known.at, known.shared = ready.info["meta_step"], True
        yield frozen(self.bench, entrant, carry.metas[label], carry)


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
