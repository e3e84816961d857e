"""What tuning chose, what a run cost, and what must not have changed."""

from engine.contract.metrics.metric_record import Metric

BOOKKEEPING = (
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
