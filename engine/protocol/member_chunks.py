"""Split a batch of members into chunks of the size at which the net is fastest."""

from collections.abc import Iterator

import torch

from engine.protocol import TaskBatch, TraceSegment, Weights


def chunks(tasks: TaskBatch) -> Iterator[tuple[range, range]]:
    """Cut members into chunks of whole replicates, or pieces of one.

    Args:
        tasks: The batch to cut; members lie replicate by replicate.

    Yields:
        The members of a chunk and the replicates that they belong to.
    """
    each = tasks.members // tasks.replicates
    yield from chunk_ranges(tasks.replicates, each, tasks.chunk)


def chunk_ranges(
    replicates: int, each: int, chunk: int
) -> Iterator[tuple[range, range]]:
    """Cut replicates of equally many members into chunks; see `chunks`.

    Args:
        replicates: How many there are.
        each: Members of a replicate.
        chunk: The largest chunk.
    """
    # Large replicates are cut one by one, so that no chunk holds parts of two.
    if each >= chunk:
        for r in range(replicates):
            for first in range(0, each, chunk):
                last = min(first + chunk, each)
                yield range(r * each + first, r * each + last), range(r, r + 1)
        return
    group = chunk // each
    for first in range(0, replicates, group):
        last = min(first + group, replicates)
        yield range(first * each, last * each), range(first, last)


def select_replicates(weights: Weights, replicates: range) -> Weights:
    """Return the meta-weights of some replicates.

    Args:
        weights: Shape (replicate, …), or (1, …) where all replicates share a tensor,
            such as a tuned rate.
        replicates: A contiguous range of replicates.

    Returns:
        Shape (len(replicates), …); shared tensors stay (1, …).
    """
    return {
        name: tensor if len(tensor) == 1 else tensor[replicates.start : replicates.stop]
        for name, tensor in weights.items()
    }


def broadcast_to_members(weights: Weights, members: int) -> Weights:
    """Repeat each group's weights for each of its members.

    Args:
        weights: Shape (group, …).
        members: How many members there are, a multiple of the groups.

    Returns:
        Shape (member, …); the members of a group are consecutive.
    """
    return {
        # Each group's copies are consecutive, as members lie replicate by replicate.
        name: tensor.unsqueeze(1)
        .expand(-1, members // len(tensor), *tensor.shape[1:])
        .flatten(0, 1)
        for name, tensor in weights.items()
    }


def join_segments(segments: list[TraceSegment]) -> TraceSegment:
    """Concatenate consecutive segments along their step axis.

    Args:
        segments: In the order of their steps.

    Returns:
        One segment; its answer is that of the last one.
    """
    names = {name for s in segments for name in s.traces}
    traces = {
        # Not every segment has every metric: join those that have it.
        name: torch.cat([s.traces[name] for s in segments if name in s.traces], 1)
        for name in sorted(names)
    }
    paths = [s.path for s in segments if s.path is not None]
    steps = tuple(step for s in segments for step in s.steps)
    path = torch.cat(paths, 1) if paths else None
    last = segments[-1]
    return TraceSegment(traces, path, steps, last.answer_indices, last.answers)


def join_chunks(parts: list[TraceSegment]) -> TraceSegment:
    """Concatenate the traces of consecutive chunks of members.

    Args:
        parts: In the order of their members, with the same recorded steps.

    Returns:
        One segment, without a path.
    """
    traces = _concatenate([part.traces for part in parts])
    indices = tuple(index for part in parts for index in part.answer_indices)
    known = [part.answers for part in parts if part.answers is not None]
    answers = _concatenate(known) if known else None
    return TraceSegment(traces, None, parts[0].steps, indices, answers)


def _concatenate(trees: list[Weights]) -> Weights:
    """Concatenate named tensors along their first axis."""
    return {name: torch.cat([tree[name] for tree in trees]) for name in trees[0]}
