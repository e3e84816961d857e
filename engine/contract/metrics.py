"""The metrics: name, label, unit, range, direction and averaging of each."""

from math import inf
from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """One measured quantity.

    `direction` is -1 if less is better, +1 if more is better, else 0. Values lie from
    `low` to `high`; a `flag` is 0 or 1; a value that is `always` there is never NaN. A
    `share` is a fraction of 1; a `logarithm` is already one, so that differences are
    ratios. `mean` says how values are averaged; the interval of that mean is clipped to
    `ends`.
    """

    name: str
    label: str
    unit: str
    direction: Literal[-1, 0, 1]
    scale: Literal["linear", "log"]
    help: str
    low: float = -inf
    high: float = inf
    flag: bool = False
    always: bool = False
    share: bool = False
    logarithm: bool = False
    mean: Literal["arithmetic", "geometric"] = "arithmetic"
    ends: tuple[float, float] = (-inf, inf)


class UnknownMetric(KeyError):
    """There is no metric of this name."""


_ALL = (
    # along a run of the base learner
    Metric("loss", "Training loss", "nats", -1, "log", "Objective of the training."),
    Metric("held_loss", "Held-out loss", "nats", -1, "log", "Loss on held-out rows."),
    Metric("accuracy", "Held-out accuracy", "share", 1, "linear", "Correct answers."),
    Metric("grad_norm", "Gradient norm", "L2", 0, "log", "Norm of the gradient."),
    Metric("weight_norm", "Weight norm", "L2", 0, "linear", "Norm of the weights."),
    Metric("lr_scale", "Learning-rate scale", "× base", 0, "log", "Rate over base."),
    Metric("update_norm", "Update norm", "L2", 0, "log", "Norm of the update."),
    # along the adaptation to an episode
    Metric("query_loss", "Query loss", "nats", -1, "log", "Loss on the queries."),
    Metric("query_accuracy", "Query accuracy", "share", 1, "linear", "Of the queries."),
    Metric("query_mse", "Query error", "MSE", -1, "log", "Squared error on queries."),
    Metric(
        "support_loss", "Support loss", "nats or MSE", -1, "log", "Inner objective."
    ),
    Metric("moved", "Distance moved", "L2", 0, "linear", "From the initialization."),
    Metric(
        "inner_grad_norm",
        "Inner gradient norm",
        "L2",
        0,
        "log",
        "Of the support loss, layer by layer, before each inner step.",
    ),
    # per episode
    Metric(
        "error",
        "Error after adaptation",
        "share wrong or MSE",
        -1,
        "linear",
        "Learners are compared by it; a diverged episode has the worst value.",
    ),
    Metric("final_mse", "Final query error", "MSE", -1, "log", "After adaptation."),
    Metric("final_query_loss", "Final query loss", "nats", -1, "log", "At the end."),
    Metric("start_accuracy", "Accuracy before", "share", 1, "linear", "At step 0."),
    Metric("start_mse", "Query error before", "MSE", -1, "log", "At step 0."),
    Metric(
        "adaptation_gain",
        "Adaptation gain",
        "share",
        1,
        "linear",
        "Share by which the inner steps lower the query loss.",
    ),
    # along a search of architectures
    Metric(
        "score",
        "Best so far, as tested",
        "share",
        1,
        "linear",
        "Test accuracy of the architecture with the best validation accuracy so far.",
    ),
    Metric(
        "regret",
        "Regret",
        "share",
        -1,
        "log",
        "Distance of the best so far from the best of the space; from 1 where that is "
        "unknown.",
    ),
    Metric("signal", "Validation accuracy", "share", 1, "linear", "Of the evaluated."),
    Metric("architecture", "Architecture", "index", 0, "linear", "Which was trained."),
    Metric(
        "spent",
        "Price so far",
        "unit of the space",
        0,
        "linear",
        "Total of all trainings so far.",
    ),
    Metric(
        "capped",
        "Cap holds",
        "share",
        0,
        "linear",
        "1 from the evaluation on at which a cap applies.",
    ),
    # per search
    Metric(
        "regret_area",
        "Mean regret",
        "share",
        -1,
        "linear",
        "Regret averaged over the evaluations: speed and end in one.",
    ),
    Metric("final_regret", "Final regret", "share", -1, "log", "At the end."),
    Metric("final_score", "Final accuracy", "share", 1, "linear", "As tested."),
    Metric(
        "evaluations_to_goal",
        "Evaluations to the goal",
        "evaluations",
        -1,
        "linear",
        "Until the best so far is in the top share of the space; the horizon if it "
        "never is.",
    ),
    Metric(
        "cost_to_goal",
        "Price to the goal",
        "unit of the space",
        -1,
        "log",
        "Total of all trainings until the goal; of the whole search if never reached.",
    ),
    Metric("trained", "Architectures trained", "count", 0, "linear", "In the budget."),
    Metric("repeated", "Repeated", "share", -1, "linear", "Trained more than once."),
    Metric("coverage", "Coverage", "share", 0, "linear", "Of the space, tried."),
    # per task
    Metric("final_loss", "Final loss", "nats", -1, "log", "Loss at the horizon."),
    Metric("best_loss", "Best loss", "nats", -1, "log", "Lowest loss of the run."),
    Metric(
        "area",
        "Mean log loss",
        "ln nats",
        -1,
        "linear",
        "Mean over steps of ln(loss), clamped to [1e-4, 1e2]: speed and end in one.",
    ),
    Metric("final_accuracy", "Final accuracy", "share", 1, "linear", "At its end."),
    Metric(
        "steps_to_threshold",
        "Steps to threshold",
        "steps",
        -1,
        "linear",
        "First step at or below the threshold; the horizon if never reached.",
    ),
    Metric("reached", "Reached threshold", "share", 1, "linear", "1 if reached."),
    Metric(
        "grad_cv",
        "Gradient-norm variation",
        "ratio",
        -1,
        "linear",
        "Standard deviation of the gradient norm over steps, divided by its mean.",
    ),
    Metric("diverged", "Diverged", "share", -1, "linear", "1 if a loss was not finite"),
    Metric("diverged_at", "Diverged at step", "steps", 0, "linear", "NaN if never."),
    Metric(
        "recovery_steps",
        "Recovery steps",
        "steps",
        -1,
        "linear",
        "Steps from the drift until the loss is back at its level just before it.",
    ),
    Metric("recovered", "Recovered", "share", 1, "linear", "1 if it recovered."),
    # during meta-training
    Metric("meta_loss", "Meta-training loss", "ln nats", -1, "linear", "Outer loss."),
    Metric(
        "outer_grad_norm", "Outer gradient norm", "L2", 0, "log", "Before clipping."
    ),
    Metric(
        "validation",
        "Validation score",
        "ln nats",
        -1,
        "linear",
        "Mean log loss on validation tasks; it chooses the checkpoint.",
    ),
    Metric(
        "lesson_loss",
        "Meta-training loss",
        "nats or MSE",
        -1,
        "log",
        "Query loss of the training episodes.",
    ),
    Metric(
        "validation_error",
        "Validation error",
        "share wrong or MSE",
        -1,
        "linear",
        "Error on validation episodes; it chooses the checkpoint.",
    ),
    Metric(
        "met_before",
        "Test tasks learned on",
        "share",
        -1,
        "linear",
        "Share of the test tasks that a strategy was trained on; must be 0.",
    ),
    Metric(
        "validation_regret",
        "Validation regret",
        "share",
        -1,
        "linear",
        "Mean regret on validation searches; it chooses the checkpoint.",
    ),
    Metric("inner_lr", "Inner learning rate", "per step", 0, "log", "As learned."),
    Metric(
        "meta_cosine",
        "First against second order",
        "cosine",
        0,
        "linear",
        "Cosine between the meta-gradients with and without second derivatives.",
    ),
    Metric(
        "class_spread",
        "Spread within over between classes",
        "ratio",
        -1,
        "log",
        "Squared distance of queries to their class mean, over that between means.",
    ),
    Metric(
        "compile_gap",
        "Compiled against eager",
        "relative",
        -1,
        "log",
        "Difference of the first compiled outer gradient from the eager one.",
    ),
    Metric("return", "Return", "ln nats", 1, "linear", "Drop of the log loss."),
    Metric(
        "entropy",
        "Policy entropy",
        "nats",
        0,
        "linear",
        "Of the action; for architectures summed over all decisions, at most ln of "
        "their number.",
    ),
    Metric("value_loss", "Value loss", "squared ln nats", -1, "log", "Of the critic."),
    Metric(
        "explained_variance",
        "Explained variance",
        "share",
        1,
        "linear",
        "Of the returns, by the critic.",
    ),
    Metric(
        "task_coverage",
        "Source tasks drawn",
        "share",
        0,
        "linear",
        "Share of the source tasks that meta-training has drawn so far.",
    ),
    Metric(
        "mean_difficulty",
        "Difficulty of the tasks",
        "share",
        0,
        "linear",
        "Share of a task's first evaluations that were not near their best, averaged "
        "over the tasks of a meta-step.",
    ),
    Metric(
        "difficulty_balance",
        "Balance of difficulty",
        "share",
        0,
        "linear",
        "Entropy of the draws over four bins of difficulty, relative to its maximum.",
    ),
    Metric("kl", "Policy change", "nats", 0, "log", "KL divergence of the update."),
    # probes: a few test episodes are repeated with changes
    Metric(
        "as_asked_error",
        "Error, unchanged",
        "share wrong or MSE",
        -1,
        "linear",
        "Of the test episodes that are repeated, without a change.",
    ),
    Metric(
        "shuffled_error",
        "Error, support labels shuffled",
        "share wrong or MSE",
        0,
        "linear",
        "Nothing can be learned from such a support set.",
    ),
    Metric(
        "reordered_error",
        "Error, classes renamed",
        "share wrong",
        -1,
        "linear",
        "The same episodes with other class indices, which should change nothing.",
    ),
    Metric(
        "together_error",
        "Error, queries together",
        "share wrong or MSE",
        -1,
        "linear",
        "Of the few queries that are also answered alone.",
    ),
    Metric(
        "alone_error",
        "Error, queries alone",
        "share wrong or MSE",
        -1,
        "linear",
        "The same queries, one at a time.",
    ),
    Metric(
        "company_matters",
        "Answers that depend on other queries",
        "share",
        -1,
        "linear",
        "Must be 0 unless a learner may see all queries at once.",
    ),
    Metric(
        "duplicates",
        "Examples in support and query",
        "count",
        -1,
        "linear",
        "Must be 0, or the support set would contain the answers.",
    ),
    Metric(
        "single_class",
        "Support or queries of one class",
        "share",
        -1,
        "linear",
        "1 if there are no classes to distinguish.",
    ),
    Metric(
        "label_mismatch",
        "Label counts of support and queries",
        "p",
        0,
        "log",
        "p-value of the difference if both came from one distribution.",
    ),
    Metric(
        "bound_error",
        "Error of the best predictor",
        "share wrong or MSE",
        -1,
        "linear",
        "Of a predictor that knows the true classes; no learner can do better.",
    ),
    Metric("chance_error", "Error by chance", "share wrong", 0, "linear", "1 − 1/N."),
    Metric(
        "normed_over",
        "Examples behind the net's statistics",
        "count",
        0,
        "linear",
        "How many examples batch normalization averages over; 0 if there is none.",
    ),
    # tuning and bookkeeping
    Metric("tuning", "Tuning score", "ln nats", -1, "linear", "By learning rate."),
    Metric(
        "tuning_error",
        "Tuning error",
        "share wrong or MSE",
        -1,
        "log",
        "Error on validation episodes, by learning rate.",
    ),
    Metric("tuned_steps", "Tuned steps", "steps", 0, "linear", "Chosen inner steps."),
    Metric("tuned_lr", "Tuned learning rate", "per step", 0, "log", "Chosen rate."),
    Metric("scale_low", "Lowest scale", "× base", 0, "log", "Its lower bound."),
    Metric("scale_high", "Highest scale", "× base", 0, "log", "Its upper bound."),
    Metric("thawed", "Frozen weights changed", "share", -1, "linear", "Must be 0."),
    Metric("threshold", "Threshold", "nats", 0, "log", "Fixed on validation tasks."),
    Metric(
        "gradient_evaluations",
        "Gradient evaluations",
        "count",
        -1,
        "log",
        "Gradients of a base learner that were computed.",
    ),
    Metric(
        "examples_seen",
        "Examples seen",
        "count",
        -1,
        "log",
        "Examples used in meta-training, counting repeats.",
    ),
)
_MANY = 1e15  # no count of a run is larger
# By unit. Losses (of a density) and rates (if learned) have no range: both may be
# negative.
_RANGES = {
    **dict.fromkeys(("share", "share wrong", "p"), (0.0, 1.0)),
    **dict.fromkeys(("count", "steps", "evaluations", "index"), (0.0, _MANY)),
    **dict.fromkeys(("L2", "MSE", "share wrong or MSE", "ratio"), (0.0, inf)),
    **dict.fromkeys(("× base", "unit of the space"), (0.0, inf)),
    **dict.fromkeys(("relative", "squared ln nats"), (0.0, inf)),
    "cosine": (-1.0, 1.0),
}
_OWN_RANGES = {
    **dict.fromkeys(("adaptation_gain", "explained_variance"), (-inf, 1.0)),
    "area": (-9.22, 4.61),  # ln of the bounds that its losses are clamped to
    "signal": (-inf, inf),  # a share plus noise of measurement
    # Negative where the best so far exceeds what a later cap allows.
    **dict.fromkeys(("regret", "regret_area", "final_regret"), (-1.0, 1.0)),
    "validation_regret": (-1.0, 1.0),
}
# By unit: the bounds that the interval of a mean is clipped to.
_ENDS = {
    "share": (0.0, 1.0),
    **dict.fromkeys(("steps", "evaluations", "ratio"), (0.0, inf)),
    **dict.fromkeys(("MSE", "share wrong or MSE", "unit of the space"), (0.0, inf)),
}
# Drawn on a log axis, and yet averaged arithmetically: published errors are, a regret
# is 0 where the best was found, and a censored price has a restricted mean.
_ARITHMETIC = frozenset({"MSE", "share", "unit of the space"})
_FLAGS = frozenset(
    {"reached", "diverged", "recovered", "capped", "single_class", "thawed"}
)
_ALWAYS = frozenset({"area", "error", "regret_area", "steps_to_threshold"}) | _FLAGS


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
        ends=_ENDS.get(unit, (-inf, inf)),
    )


METRICS: dict[str, Metric] = {metric.name: _declare_metric(metric) for metric in _ALL}


def metric(name: str) -> Metric:
    """Return a metric by its name.

    Raises:
        UnknownMetric: If there is none; declare it in this file.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise UnknownMetric(f"no metric is called {name!r}") from None
