"""Baselines that learn are trained once, and shared by every run that asks for them.

A baseline's training is a sub-run with a key of its own: it depends on the family,
the net, the budget and the seed, not on the learner that is judged beside it. So a
second run with another setting of that learner starts where the first one waited.
"""

from collections.abc import Callable, Iterator

import torch

from engine.catalogue import cards
from engine.contract.blocks import Artefact, Block, Event
from engine.contract.runs import RunSpec, run_key
from engine.runner.context import Bench, Entrant
from engine.runner.frozen_learners import frozen
from engine.runner.meta_training import validation_tasks
from engine.runner.run_cache import Shelf
from engine.runner.state import Carry

Play = Callable[[Carry], Iterator[Event]]


class Sharing:
    """What a run gives to the shelf and takes from it."""

    def __init__(self, bench: Bench, shelf: Shelf) -> None:
        self.bench, self.shelf = bench, shelf
        self._kept: dict[str, list[Event]] = {}

    def begin(self, entrant: Entrant, play: Play) -> Play:
        """Return the first stage of a learner: what the shelf has, else its own."""
        if not self._shared(entrant):
            return play

        def begun(carry: Carry) -> Iterator[Event]:
            held = self.shelf.get(self._key(entrant))
            if held is not None:
                yield from self._taken(entrant, list(held), carry)
                return
            self._kept[entrant.label] = []
            yield from self._noted(entrant, play(carry))

        return begun

    def work(self, entrant: Entrant, play: Play, *, last: bool) -> Play:
        """Return a later stage: nothing where all was taken from the shelf.

        Args:
            entrant: Whose stage it is.
            play: What it does.
            last: Whether the learner is ready after it, and is put on the shelf.
        """
        if not self._shared(entrant):
            return play

        def worked(carry: Carry) -> Iterator[Event]:
            if carry.learner(entrant.label).shared:
                return
            yield from self._noted(entrant, play(carry))
            # After a kill the earlier events are not here: then nobody is served.
            if last and entrant.label in self._kept:
                events = self._kept.pop(entrant.label)
                self.shelf.put(self._key(entrant), self._spec(entrant), events)

        return worked

    def _shared(self, entrant: Entrant) -> bool:
        learns = entrant.learner.trains or entrant.tuned
        baseline = entrant.choice.role == "baseline"
        given = entrant.label in self.bench.spec.inputs
        return self.bench.judge.tuned_last and learns and baseline and not given

    def _noted(self, entrant: Entrant, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            kept = self._kept.get(entrant.label)
            if kept is not None and isinstance(event, Block | Artefact):
                kept.append(event)
            yield event

    def _taken(
        self, entrant: Entrant, events: list[Event], carry: Carry
    ) -> Iterator[Event]:
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

    def _key(self, entrant: Entrant) -> str:
        return run_key(self._spec(entrant), cards)

    def _spec(self, entrant: Entrant) -> RunSpec:
        """Return the sub-run: this learner alone, with nothing tested."""
        budget = self.bench.spec.budget.model_copy(update={"test_tasks": 0})
        return self.bench.spec.model_copy(
            update={
                "learners": (entrant.choice,),
                "test_families": (),
                "shifts": (),
                "inputs": {},
                "budget": budget,
            }
        )
