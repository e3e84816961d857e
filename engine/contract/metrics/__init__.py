"""The metrics: name, label, unit, range, direction and averaging of each.

The files of this folder declare them; what follows from name and unit is added here.
"""

from math import inf

from engine.contract.metrics.beliefs import BELIEFS
from engine.contract.metrics.bookkeeping import BOOKKEEPING
from engine.contract.metrics.metric_record import Metric
from engine.contract.metrics.outcomes import OUTCOMES
from engine.contract.metrics.probes import PROBES
from engine.contract.metrics.training import TRAINING
from engine.contract.metrics.trials import TRIALS

__all__ = ["METRICS", "Metric", "UnknownMetric", "metric"]


class UnknownMetric(KeyError):
    """There is no metric of this name."""


_MANY = 1e15  # no count of a run is larger
# By unit. Losses (of a density) and rates (if learned) have no range: both may be
# negative.
_RANGES = {
    **dict.fromkeys(("share", "share wrong", "p"), (0.0, 1.0)),
    **dict.fromkeys(("count", "steps", "evaluations", "index"), (0.0, _MANY)),
    **dict.fromkeys(("L2", "MSE", "share wrong or MSE", "ratio"), (0.0, inf)),
    **dict.fromkeys(("× base", "unit of the space", "unit of the target"), (0.0, inf)),
    **dict.fromkeys(("relative", "squared return"), (0.0, inf)),
    "cosine": (-1.0, 1.0),
}
_OWN_RANGES = {
    **dict.fromkeys(("adaptation_gain", "explained_variance"), (-inf, 1.0)),
    # ln of the bounds that these losses are clamped to
    **dict.fromkeys(("area", "held_log_loss"), (-9.22, 4.61)),
    "signal": (-inf, inf),  # a share plus noise of measurement
    "nll": (-20.0, 20.0),  # clipped, so that one episode cannot decide
    # Negative where the best so far exceeds what a later cap allows.
    **dict.fromkeys(("regret", "regret_area", "final_regret"), (-1.0, 1.0)),
    "validation_regret": (-1.0, 1.0),
}
# By unit: the range of a mean; its interval is made on a scale that stays within.
_ENDS = {
    **dict.fromkeys(("share", "share wrong"), (0.0, 1.0)),
    **dict.fromkeys(("steps", "evaluations", "count", "ratio", "L2"), (0.0, inf)),
    **dict.fromkeys(("MSE", "share wrong or MSE", "unit of the space"), (0.0, inf)),
    "unit of the target": (0.0, inf),
}
# Shares that may be negative, and shares plus noise.
_OWN_ENDS = {
    **dict.fromkeys(("adaptation_gain", "explained_variance"), (-inf, 1.0)),
    **dict.fromkeys(("regret", "regret_area", "final_regret"), (-inf, inf)),
    **dict.fromkeys(("validation_regret", "signal"), (-inf, inf)),
}
# What a diverged task counts as: the ceiling of the log loss, or no right answer.
_WORST = {
    **dict.fromkeys(
        ("loss", "held_loss", "final_loss", "best_loss", "final_held_loss"), 1e2
    ),
    **dict.fromkeys(("query_loss", "final_query_loss"), 1e2),
    **dict.fromkeys(("query_mse", "final_mse"), 1e2),
    **dict.fromkeys(("accuracy", "query_accuracy", "final_accuracy"), 0.0),
}
# Drawn on a log axis, and yet averaged arithmetically: published errors are, a regret
# is 0 where the best was found, and a censored price has a restricted mean.
_ARITHMETIC = frozenset({"MSE", "share", "unit of the space", "unit of the target"})
_FLAGS = frozenset(
    {"reached", "diverged", "recovered", "capped", "single_class", "thawed"}
)
_ALWAYS = _FLAGS | {
    "area",
    "held_log_loss",
    "error",
    "nll",
    "regret_area",
    "trial_regret",
    "steps_to_threshold",
}


def _declare_metric(metric: Metric) -> Metric:
    """Return a metric with the fields that follow from its name, unit and scale."""
    name, unit = metric.name, metric.unit
    low, high = _OWN_RANGES.get(name) or _RANGES.get(unit, (-inf, inf))
    geometric = metric.scale == "log" and unit not in _ARITHMETIC
    return metric._replace(
        low=low,
        high=high,
        flag=name in _FLAGS,
        always=name in _ALWAYS,
        share=unit == "share",
        logarithm=unit.startswith("ln "),
        mean="geometric" if geometric else "arithmetic",
        worst=_WORST.get(name),
        ends=_OWN_ENDS.get(name) or _ENDS.get(unit, (-inf, inf)),
    )


# In this order rows are exported, so new metrics go to the end of their kind.
_ALL = (*OUTCOMES, *BELIEFS, *TRIALS, *TRAINING, *PROBES, *BOOKKEEPING)
METRICS: dict[str, Metric] = {metric.name: _declare_metric(metric) for metric in _ALL}


def metric(name: str) -> Metric:
    """Return a metric by its name.

    Raises:
        UnknownMetric: If there is none; declare it in a file of this folder.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise UnknownMetric(f"no metric is called {name!r}") from None
