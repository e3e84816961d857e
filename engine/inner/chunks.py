"""Members are computed a chunk at a time: as many at once as the net does best."""

from collections.abc import Iterator

from engine.protocol import TaskBatch, Weights


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


def rows_of(weights: Weights, replicates: range) -> Weights:
    """Return the meta-weights of some replicates; one tuned rate serves them all."""
    return {
        name: tensor if len(tensor) == 1 else tensor[replicates.start : replicates.stop]
        for name, tensor in weights.items()
    }
