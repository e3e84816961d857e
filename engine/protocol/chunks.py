"""Members are computed a chunk at a time: as many at once as the net does best."""

from collections.abc import Iterator

import torch

from engine.protocol import TaskBatch, TraceSegment, Weights


def chunks(tasks: TaskBatch) -> Iterator[tuple[range, range]]:
    """Cut members into chunks of whole replicates, or pieces of one.

    Yields:
        The members of a chunk and the replicates that they belong to.
    """
    each = tasks.members // tasks.replicates
    if each >= tasks.chunk:
        for r in range(tasks.replicates):
            for first in range(0, each, tasks.chunk):
                last = min(first + tasks.chunk, each)
                yield range(r * each + first, r * each + last), range(r, r + 1)
        return
    group = tasks.chunk // each
    for first in range(0, tasks.replicates, group):
        last = min(first + group, tasks.replicates)
        yield range(first * each, last * each), range(first, last)


def select_replicates(weights: Weights, replicates: range) -> Weights:
    """Return the meta-weights of some replicates; one tuned rate serves them all."""
    return {
        name: tensor if len(tensor) == 1 else tensor[replicates.start : replicates.stop]
        for name, tensor in weights.items()
    }


def broadcast_to_members(weights: Weights, members: int) -> Weights:
    """Give each member its own copy; (group, …) → (member, …), groups in order."""
    return {
        name: tensor.unsqueeze(1)
        .expand(-1, members // len(tensor), *tensor.shape[1:])
        .flatten(0, 1)
        for name, tensor in weights.items()
    }


def join_segments(stretches: list[TraceSegment]) -> TraceSegment:
    """Put consecutive stretches together along their step axis."""
    names = {name for s in stretches for name in s.traces}
    traces = {
        name: torch.cat([s.traces[name] for s in stretches if name in s.traces], 1)
        for name in sorted(names)
    }
    paths = [s.path for s in stretches if s.path is not None]
    at = tuple(step for s in stretches for step in s.steps)
    path = torch.cat(paths, 1) if paths else None
    return TraceSegment(traces, path, at, stretches[-1].answer_index)
