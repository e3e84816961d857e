"""The batches in which a run computes its replicates."""

import itertools

from engine.contract.run_spec import RunSpec

MOST_AT_ONCE = 64  # replicates of a batch; more would only take memory


def replicate_batches(spec: RunSpec) -> tuple[range, ...]:
    """Return the batches of a run, which may end after any that is a look.

    Args:
        spec: The run.

    Returns:
        The replicates of each batch, counted from the run's first one.

    >>> spec = RunSpec.model_validate(
    ...     {"family": {"name": "mixtures"}, "learners": [{"name": "sgd"}],
    ...      "replicates": 100, "looks": [8, 16, 100]}
    ... )
    >>> replicate_batches(spec)
    (range(0, 8), range(8, 16), range(16, 80), range(80, 100))
    """
    batches = []
    for first, look in itertools.pairwise((0, *(spec.looks or (spec.replicates,)))):
        for start in range(first, look, MOST_AT_ONCE):
            batches.append(range(start, min(start + MOST_AT_ONCE, look)))
    return tuple(batches)
