"""The batches of a run: which replicates each computes, and when they suffice.

Each batch is the whole pipeline for some more replicates, as a run of its own would
compute them, and none needs a result of another. After each the primary question is
asked again; its answer ends the run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from engine.contract.events import Artefact, Block, Condition, Event, Note
from engine.contract.replicate_batches import replicate_batches
from engine.contract.run_spec import RunSpec
from engine.runner.run_history import RunHistory
from engine.stats.block_table import BlockTable
from engine.stats.learner_claims import CANT_TELL, Claim, make_claims, primary_claim
from engine.stats.verdicts.wording import format_number

# What a later batch measures again, though it is no replicate's own.
COSTS = frozenset({"gradient_evaluations", "examples_seen"})
LEARNING = frozenset({"tune", "train"})
FEW_AHEAD = 4  # batches that are computed at once though the first may decide


def batch_specs(spec: RunSpec) -> list[RunSpec]:
    """Return the spec of each batch, as a run of a fixed number of replicates."""
    return [
        spec.model_copy(
            update={
                "replicates": len(batch),
                "first_replicate": spec.first_replicate + batch.start,
                "looks": (),
            }
        )
        for batch in replicate_batches(spec)
    ]


def batches_ahead(spec: RunSpec, number: int) -> range:
    """Return which batches may be computed while one is, ahead of their turn.

    All up to the next look are needed for certain. Beyond it they may be in vain, so
    there are never more of these than of those that are needed, or `FEW_AHEAD`.

    Args:
        spec: The run.
        number: The batch whose turn it is, from 0.
    """
    batches = replicate_batches(spec)
    looks = spec.looks or (spec.replicates,)
    next_look = min(look for look in looks if look >= batches[number].stop)
    certain = sum(batch.stop <= next_look for batch in batches)
    stop = max(certain, FEW_AHEAD, 2 * (number + 1))
    return range(number + 1, min(stop, len(batches)))


def number_replicates(
    events: Iterable[Event], spec: RunSpec, history: RunHistory
) -> Iterator[Event]:
    """Yield a batch's events as those of the whole run.

    Blocks say which replicates they hold, and frozen weights follow those of earlier
    batches. What does not depend on the replicate is left to the first batch.

    Args:
        events: Of the batch.
        spec: The run.
        history: Of its earlier batches.
    """
    batches = replicate_batches(spec)
    batch = batches[history.batch]
    for event in events:
        match event:
            case Block() if len(batches) > 1:
                yield from _numbered_block(event, batch)
            case Artefact(kind="frozen"):
                yield history.with_earlier_weights(event)
            case Artefact() if batch.start:
                continue
            case _:
                yield event


def _numbered_block(block: Block, batch: range) -> Iterator[Block]:
    if block.metric in COSTS and block.phase in LEARNING and not block.axes:
        # Replicates that stop early differ in what they cost.
        each = np.full(len(batch), float(block.array))
        block = replace(block, axes=("replicate",), array=each)
    if not batch.start:
        yield block
    elif "replicate" in block.axes:
        at = tuple(map(float, batch))
        yield replace(block, coords=block.coords | {"replicate": at})


def keep_deciding_block(spec: RunSpec, event: Event, history: RunHistory) -> None:
    """Keep a block in the history that the primary question is answered by.

    Claims need what each task was judged by, in distribution, and how each learner was
    tuned, trained and validated; not the traces.
    """
    if len(spec.looks) < 2 or not isinstance(event, Block):
        return
    traced = event.phase in ("train", "test") and "step" in event.axes
    if event.condition == Condition() and not traced:
        history.blocks[event.address()] = event


def ask_primary_question(
    spec: RunSpec, history: RunHistory, batches: int
) -> Claim | None:
    """Return the primary claim after some batches; None if no test of it is possible.

    Args:
        spec: The run.
        history: Holds the blocks so far, perhaps also some of the next batch.
        batches: How many batches count.
    """
    ends = [0, *(batch.stop for batch in replicate_batches(spec))]
    blocks = [
        block
        for block in history.blocks.values()
        if block.coords.get("replicate", (0.0,))[0] < ends[batches]
    ]
    if not blocks:
        return None
    table = BlockTable(blocks, spec.kind)
    return primary_claim(make_claims(table, spec, history.threshold))


def is_decided(claim: Claim | None) -> bool:
    """Return whether a run may end with this primary claim; None: nothing is asked."""
    return claim is None or claim.call != CANT_TELL


def is_look(spec: RunSpec, number: int) -> bool:
    """Return whether a batch completes a look before the last."""
    return replicate_batches(spec)[number].stop in spec.looks[:-1]


def describe_progress(spec: RunSpec, number: int, claim: Claim | None) -> str:
    """Return what a run in several batches waits for.

    Args:
        spec: The run.
        number: The batch that is being computed, from 0.
        claim: The primary claim of the earlier batches.

    Returns:
        Such as "difference −0.10 [−0.22, 0.02], batch 3 of at most 8"; empty for a run
        in one batch.
    """
    batches = len(replicate_batches(spec))
    if batches == 1:
        return ""
    limit = "at most " if len(spec.looks) > 1 else ""
    text = f"batch {number + 1} of {limit}{batches}"
    if claim is None:
        return text
    low, high = format_number(claim.low), format_number(claim.high)
    found = f"difference {format_number(claim.difference)}"
    interval = f" [{low}, {high}]" if np.isfinite(claim.low) else ""
    return f"{found}{interval}, {text}"


def as_part_of_run(
    note: Note, spec: RunSpec, number: int, text: str, ahead: float
) -> Note:
    """Return a batch's note with the share of the whole run that is done.

    Args:
        note: Of a batch; `done` is the share of the batch.
        spec: The run.
        number: The batch, from 0.
        text: What the run waits for; empty if it has one batch.
        ahead: Replicates of later batches that are computed already; parts count.
    """
    batch = replicate_batches(spec)[number]
    done = (batch.start + len(batch) * note.done + ahead) / spec.replicates
    return replace(note, done=min(done, 1.0), text=text or note.text)
