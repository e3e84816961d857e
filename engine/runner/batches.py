"""The batches of a run: which replicates each computes, and when they suffice.

Each batch is the whole pipeline for some more replicates, as a run of its own would
compute them. After each the primary question is asked again; its answer ends the run.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from engine.contract.events import Artefact, Block, Condition, Event, Note
from engine.contract.replicate_batches import replicate_batches
from engine.contract.run_spec import RunSpec
from engine.protocol import Weights
from engine.runner.context import RunContext
from engine.runner.state import RunState, as_numpy, digest_arrays
from engine.stats.block_table import BlockTable
from engine.stats.learner_claims import CANT_TELL, Claim, make_claims, primary_claim
from engine.stats.verdicts.wording import format_number

# What a later batch measures again, though it is no replicate's own.
COSTS = frozenset({"gradient_evaluations", "examples_seen"})
LEARNING = frozenset({"tune", "train"})


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


def number_replicates(
    context: RunContext, events: Iterable[Event], spec: RunSpec, state: RunState
) -> Iterator[Event]:
    """Yield a batch's events as those of the whole run.

    Blocks say which replicates they hold, and frozen weights follow those of earlier
    batches. What does not depend on the replicate is left to the first batch.

    Args:
        context: The batch.
        events: Its events.
        spec: The run.
        state: The run's state.
    """
    batches = replicate_batches(spec)
    batch = batches[state.batch]
    # Weights are kept once for learners that are equal.
    kept_as = {at: each.label for each in context.entries for at in each.labels}
    for event in events:
        match event:
            case Block() if len(batches) > 1:
                yield from _numbered_block(event, batch)
            case Artefact(kind="frozen"):
                label = kept_as[event.name]
                before = state.variances.get(label, [])
                yield _with_earlier_weights(event, state.frozen.get(label), before)
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


def _with_earlier_weights(
    frozen: Artefact, earlier: Weights | None, variances: list[float]
) -> Artefact:
    """Return frozen weights and residual variances of all replicates so far."""
    if earlier is None:
        return frozen
    before = as_numpy(earlier)
    arrays = {
        name: np.concatenate([before[name], array])
        for name, array in frozen.arrays.items()
    }
    info = frozen.info | {"digest": digest_arrays(arrays)}
    if "residual_variance" in info:
        info["residual_variance"] = [*variances, *info["residual_variance"]]
    return replace(frozen, arrays=arrays, info=info)


def keep_deciding_block(spec: RunSpec, event: Event, state: RunState) -> None:
    """Keep a block in the state that the primary question is answered by.

    Claims need what each task was judged by, in distribution, and how each learner was
    tuned, trained and validated; not the traces.
    """
    if len(spec.looks) < 2 or not isinstance(event, Block):
        return
    traced = event.phase in ("train", "test") and "step" in event.axes
    if event.condition == Condition() and not traced:
        state.blocks[event.address()] = event


def ask_primary_question(spec: RunSpec, state: RunState, batches: int) -> Claim | None:
    """Return the primary claim after some batches; None if no test of it is possible.

    Args:
        spec: The run.
        state: Holds the blocks so far, perhaps also some of the next batch.
        batches: How many batches count.
    """
    ends = [0, *(batch.stop for batch in replicate_batches(spec))]
    blocks = [
        block
        for block in state.blocks.values()
        if block.coords.get("replicate", (0.0,))[0] < ends[batches]
    ]
    if not blocks:
        return None
    table = BlockTable(blocks, spec.kind)
    return primary_claim(make_claims(table, spec, state.threshold))


def is_decided(claim: Claim | None) -> bool:
    """Return whether a run may end with this primary claim; None: nothing is asked."""
    return claim is None or claim.call != CANT_TELL


def is_look(spec: RunSpec, state: RunState) -> bool:
    """Return whether the batch that has just ended completes a look before the last."""
    return replicate_batches(spec)[state.batch].stop in spec.looks[:-1]


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


def as_part_of_run(note: Note, spec: RunSpec, state: RunState, text: str) -> Note:
    """Return a batch's note with its share of the whole run.

    Args:
        note: Of a batch; `done` is the share of the batch.
        spec: The run.
        state: The run's state.
        text: What the run waits for; empty if it has one batch.
    """
    batch = replicate_batches(spec)[state.batch]
    done = (batch.start + len(batch) * note.done) / spec.replicates
    return replace(note, done=done, text=text or note.text)
