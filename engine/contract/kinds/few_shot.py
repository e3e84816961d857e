"""Few-shot: a learner sees a few examples and answers queries about them."""

from engine.contract.kinds.kind_record import (
    Criterion,
    FieldWords,
    Kind,
    Metrics,
    Words,
)

_WORDS = Words(
    tasks="few-shot tasks",
    does="learns few-shot tasks",
    family="a few-shot family",
    tests="episodes",
    work="episodes",
    first_choice="an episode family",
    learner="Few-shot learner",
    learner_help="What is meta-trained on episodes and judged against the baselines.",
    net="Net",
    net_help="The model whose weights are meta-learned and adapted.",
    baselines="Same episodes, same number of examples seen",
    baselines_help="What few-shot learning has to beat. Tuned rates are tuned on "
    "validation episodes.",
    shifts_help="After training, the frozen learner is tested on the same episodes, "
    "shifted.",
    step="Inner step",
    question="Can a net learn a new task from a few examples because it "
    "has seen many like it?",
)
_METRICS = Metrics(
    validation="validation_error",
    tuning="tuning_error",
    traces=("query_accuracy", "query_mse", "query_loss"),
    checks=("query_accuracy", "query_mse"),
    training=("validation_error", "lesson_loss", "outer_grad_norm"),
    per_task=(
        "final_accuracy",
        "final_mse",
        "error",
        "adaptation_gain",
        "final_query_loss",
        "start_accuracy",
        "start_mse",
        "nll",
        "interval_coverage",
        "sharpness",
        "component_spread",
        "confidence",
    ),
    by_severity=(
        "final_accuracy",
        "final_mse",
        "error",
        "adaptation_gain",
        "nll",
        "interval_coverage",
        "sharpness",
        "confidence",
    ),
    by_family=("error", "final_accuracy", "final_mse", "adaptation_gain", "nll"),
    curves=("query_accuracy", "query_mse", "query_loss", "support_loss", "moved"),
    numbers=("final_accuracy", "final_mse", "error", "adaptation_gain", "nll"),
    scores={
        "final_accuracy": "Accuracy",
        "final_mse": "MSE",
        "error": "Error",
        "adaptation_gain": "Adaptation gain",
        "nll": "Negative log-likelihood",
        "calibration_error": "Calibration error",
        "interval_coverage": "90 % coverage",
        "sharpness": "Predicted spread",
    },
)
# Nats: the probability of the targets is 5 % higher, as their geometric mean. So it is
# where both the spread and the errors are 5 % smaller.
_NLL_MARGIN = 0.05
# For classification the share of wrong answers decides, for regression the MSE.
ANSWERS = Criterion(
    marks=frozenset({"error", "final_accuracy"}),
    deciding="error",
    beside="",
    reported="final_accuracy",
    shown=(
        "error",
        "final_accuracy",
        "start_accuracy",
        "final_query_loss",
        "adaptation_gain",
        "nll",
        "confidence",
    ),
    compared=("nll",),
    margin={"error": 0.01, "nll": _NLL_MARGIN},
    relative=frozenset(),
    within="1 point",
    singles=True,
    called="accuracy",
    unit="%",
    scale=100.0,
)
VALUES = Criterion(
    marks=frozenset({"error", "final_mse"}),
    deciding="error",
    beside="",
    reported="final_mse",
    shown=(
        "error",
        "final_mse",
        "start_mse",
        "adaptation_gain",
        "nll",
        "interval_coverage",
        "sharpness",
        "component_spread",
    ),
    compared=("nll",),
    margin={"error": 0.05, "nll": _NLL_MARGIN},
    relative=frozenset({"error"}),
    within="5 %",
    singles=True,
    called="mean squared error",
    unit="MSE",
)
_BUDGET = {
    "task_evaluations": FieldWords(
        "Meta-training budget",
        "episodes",
        "Episodes that each learner is trained on, per replicate; every learner "
        "sees as many.",
    ),
    "tasks_per_step": FieldWords(
        "Meta-batch", "episodes", "Episodes averaged in one meta-step."
    ),
    "horizon": FieldWords(
        "Inner steps shown",
        "steps",
        "Inner steps that the tests record; each learner is scored after its own "
        "number of steps.",
    ),
    "test_tasks": FieldWords(
        "Test episodes",
        "episodes",
        "Held-out episodes per replicate and condition; papers use 600.",
    ),
    "validation_tasks": FieldWords(
        "Validation episodes", "episodes", "They choose the checkpoint."
    ),
    "tuning_tasks": FieldWords(
        "Tuning episodes",
        "episodes",
        "Validation episodes on which rates and inner steps are tuned.",
    ),
}
FEW_SHOT = Kind(
    name="few_shot",
    title="Few-shot",
    preset="few_shot",
    words=_WORDS,
    metrics=_METRICS,
    criteria=(ANSWERS, VALUES),
    budget=_BUDGET,
    no_budget=frozenset({"threshold"}),
    fixed_examples=True,
    tuned_last=True,
    same_speed=("net",),
    # A training takes seconds to minutes; its many episodes leave little noise.
    batch=4,
    ceiling=32,
)
