"""Validation: adapt a learner to the validation tasks, a chunk of members at a time."""

from collections.abc import Generator, Iterator

from engine.contract.events import MAP_AXES, Block, Note
from engine.protocol import (
    Inspection,
    Learner,
    Meta,
    TaskBatch,
    TraceSegment,
    Weights,
)
from engine.protocol.member_chunks import (
    chunks,
    join_chunks,
    join_segments,
    select_replicates,
)
from engine.runner.context import RunContext


def draw_validation_tasks(context: RunContext) -> TaskBatch:
    """Draw the validation tasks, the same for every learner and every step."""
    count = context.spec.budget.validation_tasks
    return context.draw(context.setting, "validation", ("validate", 0), count)


def validation_curves(
    context: RunContext, label: str, trace: TraceSegment
) -> Iterator[Block]:
    """Yield each trace's mean over the validation tasks, the curves of a live run.

    Args:
        context: The run; its kind names the traces.
        label: The learner's label.
        trace: Traces of shape (replicate × task, step, …); a loss is averaged on the
            log scale.
    """
    for name in context.kind.metrics.traces:
        if name not in trace.traces:
            continue
        rows = trace.traces[name].unflatten(0, (context.spec.replicates, -1))
        rows = rows.flatten(3).mean(-1) if rows.dim() > 3 else rows
        mean = rows.log().nanmean(1).exp() if name == "loss" else rows.nanmean(1)
        steps = tuple(float(i) for i in trace.steps or range(mean.shape[1]))
        yield Block(
            label,
            "validate",
            name,
            ("replicate", "step"),
            mean.cpu().numpy(),
            coords={"step": steps},
        )


def inspection_blocks(
    label: str, step: int, found: dict[str, Inspection], *, maps: bool
) -> Iterator[Block]:
    """Yield a validation's scores and what a learner shows of its inside.

    Args:
        label: The learner's label.
        step: Meta-steps taken.
        found: Values by metric.
        maps: Whether maps are recorded, too; they are large.
    """
    for name, inside in found.items():
        if maps or not set(inside.axes) & set(MAP_AXES):
            array = inside.values[:, None].cpu().numpy()
            axes, at = ("replicate", "step", *inside.axes), {"step": (float(step),)}
            yield Block(label, "validate", name, axes, array, coords=at)


def adapt_in_chunks(
    learner: Learner, weights: Weights, tasks: TaskBatch, stage: str, done: float = 0.0
) -> Generator[Note, None, TraceSegment]:
    """Adapt a learner to tasks, a chunk of members at a time.

    Args:
        learner: What adapts.
        weights: Its meta-weights; the first axis of each tensor is the replicate.
        tasks: The tasks.
        stage: Title of the notes.
        done: Progress that the notes report, 0 to 1.

    Yields:
        A note between two chunks.

    Returns:
        The traces of all members: (member, step, …).
    """
    parts: list[TraceSegment] = []
    for members, replicates in chunks(tasks):
        if parts:
            yield Note(stage, done)
        meta = Meta(select_replicates(weights, replicates), {})
        parts.append(join_segments(list(learner.adapt(meta, tasks.take(members)))))
    return join_chunks(parts)


def adapt_quietly(learner: Learner, weights: Weights, tasks: TaskBatch) -> TraceSegment:
    """Adapt a learner to tasks without notes; see `adapt_in_chunks`."""
    notes = adapt_in_chunks(learner, weights, tasks, "")
    while True:
        try:
            next(notes)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
