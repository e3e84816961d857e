"""The main loop of a run: its batches of replicates, until its question is decided.

It computes nothing itself. Each batch is a stream of events, whoever computes it; here
they are numbered and joined in the order of the batches, so that the rows do not depend
on how many workers computed them.

What waits for what: a look, and so the end of a run, waits for all batches before it.
Within a batch, tests wait for training, tuning and the threshold, and films and probes
for the first test. Nothing else waits: a batch tunes, trains and validates its own
replicates, and its threshold is a definition that every batch finds alike.
"""

from collections.abc import Iterator
from typing import Protocol

from engine.contract.events import (
    Artefact,
    Block,
    Checkpoint,
    Condition,
    Event,
    Note,
)
from engine.contract.kinds import KINDS
from engine.contract.run_spec import RunSpec
from engine.protocol import AllDiverged
from engine.runner.batches import (
    as_part_of_run,
    ask_primary_question,
    batch_specs,
    batches_ahead,
    describe_progress,
    is_decided,
    is_look,
    keep_deciding_block,
    number_replicates,
)
from engine.runner.helpers import Helpers, NoHelpers
from engine.runner.results_of_other_runs import RunCache
from engine.runner.run_history import RunHistory
from engine.runner.stages import compute_batch
from engine.stats.learner_claims import Claim


class BatchFunction(Protocol):
    """Computes a batch of replicates, here or on another machine."""

    def __call__(
        self,
        spec: RunSpec,
        cache: RunCache,
        resume: Checkpoint | None,
        *,
        first: bool,
    ) -> Iterator[Event]:
        """Yield its events; see `compute_batch`."""


def run(
    spec: RunSpec,
    cache: RunCache,
    resume: Checkpoint | None = None,
    *,
    helpers: Helpers | None = None,
    compute: BatchFunction = compute_batch,
) -> Iterator[Event]:
    """Execute a completed spec.

    Args:
        spec: Completed by `complete_spec`.
        cache: Holds tuned baselines and frozen meta-learners.
        resume: A checkpoint of this very run to resume from.
        helpers: May compute batches ahead of their turn; None if nobody does.
        compute: Computes a batch that no helper does.

    Yields:
        Blocks, artefacts, notes, timings and checkpoints. Closing the generator
        ends the run; what it yielded stays valid.

    Raises:
        Refused: If the parts do not fit together.
        AllDiverged: At the end, if every member of a chosen learner diverged.
    """
    history = RunHistory.from_checkpoint(resume)
    whole = WholeRun(spec, cache, history, helpers or NoHelpers(), compute)
    yield from whole.play()
    yield Note("end", 1.0)
    if any(history.diverged.values()):
        raise AllDiverged(KINDS[spec.kind].words.all_diverged)


class WholeRun:
    """A run that is being executed.

    Args:
        spec: The run.
        cache: Of the runs that this one uses.
        history: Of its batches so far; it grows.
        helpers: May compute batches ahead of their turn.
        compute: Computes a batch that no helper does.
    """

    def __init__(
        self,
        spec: RunSpec,
        cache: RunCache,
        history: RunHistory,
        helpers: Helpers,
        compute: BatchFunction,
    ) -> None:
        self.spec, self.cache, self.history = spec, cache, history
        self.helpers, self.compute = helpers, compute
        self.batches = batch_specs(spec)
        self.chosen = {c.label for c in spec.learners if c.role == "chosen"}

    def play(self) -> Iterator[Event]:
        """Yield the events of the batches, until the question is decided."""
        spec, history = self.spec, self.history
        claim = ask_primary_question(spec, history, history.batch)
        yield from self._play_batch(claim)
        while history.batch + 1 < len(self.batches):
            claim = ask_primary_question(spec, history, history.batch + 1)
            if is_look(spec, history.batch) and is_decided(claim):
                break
            history.begin_batch()
            yield history.checkpoint()
            yield from self._play_batch(claim)

    def _play_batch(self, claim: Claim | None) -> Iterator[Event]:
        """Yield the events of the batch whose turn it is, as those of the whole run.

        The claim is that of the earlier batches.
        """
        spec, history, number = self.spec, self.history, self.history.batch
        text = describe_progress(spec, number, claim)
        ahead = [self.batches[i] for i in batches_ahead(spec, number)]
        self.helpers.offer(ahead)
        events = self._remember_frozen(self._batch_events())
        for event in number_replicates(events, spec, history):
            match event:
                case Checkpoint():
                    history.point = event
                    event = history.checkpoint()
                case Note():
                    done = self.helpers.replicates_ahead(ahead)
                    event = as_part_of_run(event, spec, number, text, done)
                case Block():
                    self._keep(event)
            yield event

    def _batch_events(self) -> Iterator[Event]:
        """Yield the batch's own events, from a helper if one has begun it."""
        history, first = self.history, not self.history.batch
        resume, batch = history.point, self.batches[history.batch]
        if not first and resume is None:
            left = yield from self.helpers.follow(batch)
            if left.complete:
                return
            resume = left.checkpoint
        if not first and history.threshold is not None:
            # A definition that the first batch has fixed: no need to find it again.
            budget = batch.budget.model_copy(update={"threshold": history.threshold})
            batch = batch.model_copy(update={"budget": budget})
        yield from self.compute(batch, self.cache, resume, first=first)

    def _remember_frozen(self, events: Iterator[Event]) -> Iterator[Event]:
        """Yield a batch's events; keep what it froze, if more batches follow."""
        for event in events:
            frozen = isinstance(event, Artefact) and event.kind == "frozen"
            if frozen and len(self.batches) > 1:
                self.history.latest[event.name] = event
            yield event

    def _keep(self, block: Block) -> None:
        """Keep what a block says of the run as a whole."""
        history = self.history
        keep_deciding_block(self.spec, block, history)
        if block.metric == "threshold" and block.phase == "validate":
            history.threshold = float(block.array)
        unshifted = block.phase == "test" and block.condition == Condition()
        judged = unshifted and block.learner in self.chosen
        if judged and block.metric == "diverged":
            so_far = history.diverged.get(block.learner, True)
            history.diverged[block.learner] = so_far and bool(block.array.all())
