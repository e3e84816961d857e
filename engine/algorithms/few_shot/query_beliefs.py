"""What a prediction says of each query: its confidence, or its density at the target.

Proper scores and calibration are made of these numbers. A learner that only predicts
values leaves its residuals; the runner gives them a spread that is fixed before tests.
"""

from torch import Tensor

from engine.protocol import (
    Density,
    EpisodeBatch,
    Prediction,
    Weights,
    chosen_class,
    square_root,
)


def query_beliefs(tasks: EpisodeBatch, prediction: Prediction) -> Weights:
    """Return what a prediction says of each query.

    Args:
        tasks: The episodes.
        prediction: Of all queries.

    Returns:
        By name, without a graph; shape (member, query). For classes `confidence`, the
        probability of the chosen class, and `right`, 1 where it is the target. For
        values with a density `log_density` (nats) and `below`, the probability of a
        lower value, both at the target, `sd` and, of a mixture, `component_sd`, the
        standard deviation of its means. For values without one the `residual`.
    """
    outputs, y = prediction.query_outputs.detach(), tasks.query.y
    if tasks.has_classes:
        right = (chosen_class(outputs) == y).to(outputs.dtype)
        return {"confidence": outputs.softmax(1).amax(1), "right": right}
    if prediction.density is None:
        return {"residual": outputs[:, 0] - y}
    return _density_beliefs(prediction.density, y)


def _density_beliefs(density: Density, y: Tensor) -> Weights:
    density = Density(density.mean.detach(), density.sd.detach())
    beliefs = {
        "log_density": density.log_density(y),
        "below": density.below(y),
        "sd": density.moments()[1],
    }
    if density.mean.shape[1] > 1:
        away = density.mean - density.mean.mean(1, keepdim=True)
        beliefs["component_sd"] = square_root(away.square().mean(1))
    return beliefs
