"""Experiments with learners that read the support and take no step at test."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import (
    baseline,
    baselines,
    candidate,
    experiment,
    shift,
)


def _reading_budget(meta_steps: int) -> Budget:
    """Return a budget of 25 tasks per meta-step."""
    return Budget(
        task_evaluations=25 * meta_steps,
        tasks_per_step=25,
        validate_every=250,
        validation_tasks=100,
        test_tasks=400,
        horizon=5,
        tuning_tasks=32,
    )


SNAIL_WAVES = experiment(
    "snail_waves",
    "A sine wave read as a sequence",
    "SNAIL reads ten points of a wave in one pass and takes no gradient step; beside "
    "it MAML, and a Gaussian process that knows the waves' own kernel.",
    family=Choice(name="sinusoids"),
    net=Choice(name="mlp", knobs={"depth": 2, "width": 40}),
    learners=(
        candidate("snail"),
        candidate("maml"),
        baseline("gp_regression", "oracle", kernel="cosine"),
        *baselines("from_scratch"),
    ),
    shifts=(shift("shots", 5, 20), shift("support_order", 1.0)),
    outer=Choice(name="adam", knobs={"lr": 0.002, "schedule": "cosine"}),
    budget=_reading_budget(4000),
    replicates=1,
)

IN_CONTEXT_REGRESSION = experiment(
    "in_context_regression",
    "Is learning in context ridge regression?",
    "A layer of linear attention and two of softmax attention read ten noisy examples "
    "of a linear function in five dimensions, beside ridge regression, whose penalty "
    "is learned, and the exact posterior.",
    family=Choice(name="linear_regression", knobs={"noise": 0.5}),
    net=Choice(name="mlp", knobs={"depth": 0}),  # inputs are read as they are
    learners=(
        candidate(
            "transformer",
            "linear_attention",
            attention="linear",
            layers=1,
            heads=1,
            hidden=0,
            width=16,
        ),
        candidate("transformer", "softmax_attention"),
        candidate("r2d2", "ridge"),
        *baselines("bayes_linear"),
    ),
    shifts=(shift("shots", 5, 20),),
    outer=Choice(name="adam", knobs={"lr": 0.003, "schedule": "cosine"}),
    budget=_reading_budget(4000),
    replicates=1,
)
