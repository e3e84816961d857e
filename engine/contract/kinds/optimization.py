"""Optimization: base learners are trained, and their optimizer is meta-learned."""

from dataclasses import replace

from engine.contract.kinds.kind_record import Criterion, Kind, Metrics, Words

_WORDS = Words(
    tasks="optimization tasks",
    does="learns optimizers",
    family="an optimizer family",
    tests="tasks",
    work="gradients",
    first_choice="a task",
    learner="Learned optimizer",
    learner_help="What is meta-trained and compared with the baselines.",
    net="Base learner",
    net_help="The model that the optimizer trains.",
    baselines="Same tasks, same start, same steps",
    baselines_help="“Tuned” means: with the best rate found on meta-training tasks.",
    shifts_help="After training, the frozen learner is tested on the same tasks, "
    "shifted.",
    question="Can an optimizer be learned that beats well-tuned SGD and "
    "Adam on new tasks?",
)
_METRICS = Metrics(
    validation="validation",
    tuning="tuning",
    traces=("loss", "lr_scale", "grad_norm", "weight_norm"),
    checks=("loss", "lr_scale"),
    training=(
        "validation",
        "meta_loss",
        "outer_grad_norm",
        "return",
        "entropy",
        "value_loss",
        "explained_variance",
        "kl",
    ),
    per_task=(
        "held_log_loss",
        "final_held_loss",
        "final_loss",
        "best_loss",
        "area",
        "steps_to_threshold",
        "final_accuracy",
    ),
    by_severity=(
        "held_log_loss",
        "final_loss",
        "steps_to_threshold",
        "area",
        "final_accuracy",
        "best_loss",
    ),
    by_family=(
        "held_log_loss",
        "area",
        "final_loss",
        "best_loss",
        "rmst",
        "final_accuracy",
    ),
    curves=("loss", "held_loss", "accuracy", "grad_norm", "lr_scale"),
    numbers=(
        "final_held_loss",
        "final_loss",
        "best_loss",
        "area",
        "steps_to_threshold",
        "final_accuracy",
    ),
    scores={
        "held_log_loss": "Held-out ln loss",
        "final_loss": "Final loss",
        "best_loss": "Best loss",
        "area": "Training ln loss",
        "rmst": "Steps to threshold",
        "final_accuracy": "Accuracy",
    },
)
# Of bare functions, which have no held-out data, the mean log loss decides: it combines
# speed and final loss. The steps to a threshold are compared, too.
LOSSES = Criterion(
    marks=frozenset({"area"}),
    deciding="area",
    beside="steps_to_threshold",
    reported="steps_to_threshold",
    shown=(
        "final_loss",
        "best_loss",
        "area",
        "final_accuracy",
        "grad_cv",
        "reached",
        "recovery_steps",
        "recovered",
    ),
    # 5 % of the loss, as numpy's ln 1.05 (math.log differs in the last bit); one step
    margin={"area": 0.04879016416943204, "steps_to_threshold": 1.0},
    relative=frozenset(),
    within="5 %",
    singles=False,
    called="training log loss",
    unit="ln",
)
# On data the loss on held-out rows decides; the training loss stands beside it.
HELD_OUT_LOSSES = replace(
    LOSSES,
    marks=frozenset({"held_log_loss"}),
    deciding="held_log_loss",
    compared=("area",),
    shown=("held_log_loss", "final_held_loss", *LOSSES.shown),
    margin={"held_log_loss": LOSSES.margin["area"], **LOSSES.margin},
    called="held-out log loss",
)
OPTIMIZATION = Kind(
    name="optimization",
    title="Optimizer",
    preset="default",
    words=_WORDS,
    metrics=_METRICS,
    criteria=(HELD_OUT_LOSSES, LOSSES),
    outer_alone=False,
    threshold=True,
)
