"""Online episodes for learners that adapt to a whole support at once.

Such a learner is asked again after each revealed example; one that reads sequences
answers all queries in one pass.
"""

from collections.abc import Callable, Iterator, Sequence

import torch

from engine.protocol import Density, EpisodeBatch, Prediction, Weights

Predict = Callable[[Weights, EpisodeBatch], Iterator[Prediction]]


def predict_prefixes(
    predict: Predict, theta: Weights, tasks: EpisodeBatch
) -> Iterator[Prediction]:
    """Predict each query of online episodes from the examples before it.

    The first query comes before any example: all outputs are 0, which is chance for
    classes whose labels are shuffled, and the mean of centered targets.

    Args:
        predict: The learner's predictions for a whole support.
        theta: Meta-weights of each member; shape (member, …).
        tasks: Online episodes.

    Yields:
        The predictions after each inner step, as `predict`.
    """
    later = [
        list(predict(theta, tasks.split(seen, seen + 1)))
        for seen in range(1, tasks.query.count)
    ]
    for parts in zip(*later, strict=True):
        first = torch.zeros_like(parts[0].query_outputs)
        outputs = torch.cat([first, *(part.query_outputs for part in parts)], 2)
        yield Prediction(parts[0].step, outputs, density=_join_densities(parts))


def _join_densities(parts: Sequence[Prediction]) -> Density | None:
    """Join densities along the queries; the first has mean 0 and the second's spread.

    The second's mean would not do: the first query's target is in its support.
    """
    found = [part.density for part in parts if part.density is not None]
    if not found:
        return None
    means = [torch.zeros_like(found[0].mean), *(each.mean for each in found)]
    sds = [found[0].sd, *(each.sd for each in found)]
    return Density(torch.cat(means, 2), torch.cat(sds, 2))
