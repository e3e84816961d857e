"""Maps of what a learner looks at, on one episode of each replicate."""

from torch import Tensor

from engine.protocol import Inspection

SIDE = 64  # of a map; larger ones could not be read


def attention_map(weights: Tensor) -> Inspection:
    """Return attention weights as the metric `attention` has them.

    Args:
        weights: Weight of each support example for each query, mean over heads; shape
            (replicate, query, example). Where a query may not see an example it is 0.
    """
    return Inspection(("query", "example"), _cut(weights))


def memory_map(usage: Tensor) -> Inspection:
    """Return the usage of memory slots as the metric `memory_usage` has it.

    Args:
        usage: How much each slot is in use after each example; shape (replicate, time,
            slot).
    """
    return Inspection(("time", "slot"), _cut(usage))


def _cut(values: Tensor) -> Tensor:
    return values.detach()[:, :SIDE, :SIDE]
