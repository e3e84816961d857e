"""Every metric once: what it is called, its unit, and which way is better."""

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """One measured quantity.

    `direction` is -1 where less is better, +1 where more is, 0 where neither.
    """

    name: str
    label: str
    unit: str
    direction: Literal[-1, 0, 1]
    scale: Literal["linear", "log"]
    help: str


class UnknownMetric(KeyError):
    """A name that no metric has."""


_ALL = (
    # along a run of the base learner
    Metric("loss", "Training loss", "nats", -1, "log", "Objective that is descended."),
    Metric("held_loss", "Held-out loss", "nats", -1, "log", "Loss on held-out rows."),
    Metric("accuracy", "Held-out accuracy", "share", 1, "linear", "Right answers."),
    Metric("grad_norm", "Gradient norm", "L2", 0, "log", "Size of the gradient."),
    Metric("weight_norm", "Weight norm", "L2", 0, "linear", "Size of the weights."),
    Metric("lr_scale", "Learning-rate scale", "× base", 0, "log", "Rate over base."),
    Metric("update_norm", "Update norm", "L2", 0, "log", "Size of the step taken."),
    # per task
    Metric("final_loss", "Final loss", "nats", -1, "log", "Loss at the horizon."),
    Metric("best_loss", "Best loss", "nats", -1, "log", "Lowest loss of the run."),
    Metric(
        *("area", "Mean log loss", "ln nats", -1, "linear"),
        "Mean over steps of ln(loss), clamped to [1e-4, 1e2]: speed and end in one.",
    ),
    Metric("final_accuracy", "Final accuracy", "share", 1, "linear", "At the horizon."),
    Metric(
        *("steps_to_threshold", "Steps to threshold", "steps", -1, "linear"),
        "First step at or below the threshold; the horizon where it never got there.",
    ),
    Metric("reached", "Reached threshold", "share", 1, "linear", "1 if it got there."),
    Metric(
        *("grad_cv", "Gradient-norm variation", "ratio", -1, "linear"),
        "Standard deviation of the gradient norm over steps, divided by its mean.",
    ),
    Metric("diverged", "Diverged", "share", -1, "linear", "1 if a loss was not finite"),
    Metric("diverged_at", "Diverged at step", "steps", 0, "linear", "NaN if never."),
    Metric(
        *("recovery_steps", "Recovery steps", "steps", -1, "linear"),
        "Steps from the drift until the loss is back at its level just before it.",
    ),
    Metric("recovered", "Recovered", "share", 1, "linear", "1 if it came back."),
    # while learning to learn
    Metric("meta_loss", "Meta-training loss", "ln nats", -1, "linear", "Outer loss."),
    Metric("outer_grad_norm", "Outer gradient norm", "L2", 0, "log", "Before clip."),
    Metric("validation", "Validation score", "ln nats", -1, "linear", "Judge."),
    Metric("return", "Return", "ln nats", 1, "linear", "Drop of the log loss."),
    Metric("entropy", "Policy entropy", "nats", 0, "linear", "Of the action."),
    Metric("value_loss", "Value loss", "squared ln nats", -1, "log", "Critic."),
    Metric("explained_variance", "Explained variance", "share", 1, "linear", "Critic"),
    Metric("kl", "Policy change", "nats", 0, "log", "KL divergence of the update."),
    # tuning and bookkeeping
    Metric("tuning", "Tuning score", "ln nats", -1, "linear", "By learning rate."),
    Metric("tuned_lr", "Tuned learning rate", "per step", 0, "log", "Chosen rate."),
    Metric("scale_low", "Lowest scale", "× base", 0, "log", "It can go no lower."),
    Metric("scale_high", "Highest scale", "× base", 0, "log", "Nor any higher."),
    Metric("thawed", "Frozen weights changed", "share", -1, "linear", "Must be 0."),
    Metric("threshold", "Threshold", "nats", 0, "log", "Fixed on validation tasks."),
    Metric(
        *("gradient_evaluations", "Gradient evaluations", "count", -1, "log"),
        "Gradients of a base learner that were paid for.",
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def metric(name: str) -> Metric:
    """Return the metric of that name.

    Raises:
        UnknownMetric: If there is none; add it to this file.
    """
    try:
        return METRICS[name]
    except KeyError:
        raise UnknownMetric(f"no metric is called {name!r}") from None
