"""How sure the answers to queries are, and how often they are right to be."""

from engine.contract.metrics.metric_record import Metric

BELIEFS = (
    # per episode
    Metric(
        "nll",
        "Negative log-likelihood",
        "nats",
        -1,
        "linear",
        "Mean over the queries of −ln p(target), within ±20; 20 if it diverged. Of a "
        "learner without a density: with a constant spread, from validation.",
    ),
    Metric(
        "interval_coverage",
        "Coverage of 90 % intervals",
        "share",
        0,
        "linear",
        "Share of targets inside the central 90 % of what was predicted: 0.9 at best.",
    ),
    Metric(
        "sharpness",
        "Predicted spread",
        "unit of the target",
        0,
        "log",
        "Mean standard deviation of the prediction. Less is better at equal coverage.",
    ),
    Metric(
        "component_spread",
        "Spread between components",
        "unit of the target",
        0,
        "log",
        "Standard deviation of the means of samples or particles.",
    ),
    Metric(
        "confidence",
        "Confidence",
        "share",
        0,
        "linear",
        "Mean probability of the chosen class: as high as the accuracy at best.",
    ),
    # per replicate, by interval of a probability
    Metric(
        "below_share",
        "Share by predicted quantile",
        "share",
        0,
        "linear",
        "Share of targets in each twentieth of the predicted distribution; all are "
        "0.05 if it is calibrated.",
    ),
    Metric(
        "confidence_share",
        "Share by confidence",
        "share",
        0,
        "linear",
        "Share of queries answered with a confidence in each tenth.",
    ),
    Metric(
        "bin_confidence",
        "Confidence, by confidence",
        "share",
        0,
        "linear",
        "Mean confidence of these queries.",
    ),
    Metric(
        "bin_accuracy",
        "Accuracy, by confidence",
        "share",
        0,
        "linear",
        "Share of right answers among these queries.",
    ),
    # per replicate
    Metric(
        "calibration_error",
        "Expected calibration error",
        "share",
        -1,
        "linear",
        "Mean distance between what was predicted and what happened: of central "
        "intervals and their coverage, or of confidence and accuracy.",
    ),
    # before the tests
    Metric(
        "residual_variance",
        "Constant spread, from validation",
        "MSE",
        0,
        "log",
        "Mean squared error on validation episodes: the variance of the density that "
        "a learner without one is given.",
    ),
)
