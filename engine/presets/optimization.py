"""Experiments with learned optimizers; the first is the default."""

from engine.contract.kinds import OPTIMIZATION
from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import (
    baseline,
    candidate,
    experiment,
    shift,
    tuned_baseline,
)

_USUAL = (
    candidate("lr_scale"),
    baseline("sgd"),
    tuned_baseline("sgd"),
    tuned_baseline("adam"),
)
_MIXTURES = Choice(name="mixtures")
_STRETCH = shift("stretch", 0.5, 1.0, 1.5, 2.0, 2.5)
_MINIBATCH = Choice(name="mlp", knobs={"batch_size": 32})
# A difference varies by 0.42 between tasks and by 0.06 between replicates, and a
# replicate costs as much as 70 tasks: few tasks would waste its training.
_MANY_TASKS = Budget(test_tasks=32)

DEFAULT = experiment(
    "default",
    "A learned learning rate against tuned baselines",
    "Meta-trains LR-scale with PES on Gaussian mixtures, then stretches the inputs.",
    family=_MIXTURES,
    budget=_MANY_TASKS,
    until_decided=OPTIMIZATION,
    learners=_USUAL,
    shifts=(_STRETCH,),
)

SMOKE = experiment(
    "smoke",
    "A few seconds, to see that everything works",
    "Every stage of the default experiment, far too small for a verdict.",
    family=_MIXTURES,
    learners=(candidate("lr_scale"), baseline("sgd"), tuned_baseline("sgd")),
    shifts=(shift("stretch", 1.0),),
    budget=Budget(
        task_evaluations=128,
        tasks_per_step=2,
        validation_tasks=4,
        validate_every=4,
        test_tasks=4,
        horizon=20,
    ),
    replicates=2,
)

LONG = experiment(
    "long",
    "The default experiment, ten times longer",
    "Ten times the meta-training and tuning, and 64 test tasks: does the verdict hold?",
    family=_MIXTURES,
    learners=(
        candidate("lr_scale"),
        baseline("sgd"),
        *(tuned_baseline(name, "equal_budget") for name in ("sgd", "adam")),
    ),
    shifts=(_STRETCH,),
    budget=Budget(task_evaluations=20_800, test_tasks=64),
)

DIGITS = experiment(
    "digits",
    "The same question on real digits",
    "Five digits and 32 pixels per task, minibatches of 32; then noisy pixels.",
    family=Choice(name="digits"),
    net=_MINIBATCH,
    budget=_MANY_TASKS,
    until_decided=OPTIMIZATION,
    learners=_USUAL,
    shifts=(shift("feature_noise", 0.25, 0.5, 1.0, 2.0),),
)

BREAST_CANCER = experiment(
    "breast_cancer",
    "The same question on breast cancer cells",
    "Malignant or benign from ten measurements per task; then some are missing.",
    family=Choice(name="breast_cancer"),
    net=_MINIBATCH,
    budget=_MANY_TASKS,
    until_decided=OPTIMIZATION,
    learners=_USUAL,
    shifts=(shift("missing", 0.1, 0.25, 0.5, 0.75),),
)

SIGMOID_CONTROLLER = experiment(
    "sigmoid_controller",
    "The published sigmoid controller",
    "A sigmoid that can only lower the rate, trained on one task, over 60 pairs of "
    "seeds.",
    family=Choice(name="gaussians"),
    test_families=(Choice(name="gaussians", knobs={"noise": 0.25, "offset": 4.0}),),
    # As published code, which is plain PyTorch: the median run takes 8 steps to the
    # threshold, with He weights 2. With either, one task in eight begins below it.
    net=Choice(name="mlp", knobs={"depth": 2, "start": "torch_default"}),
    learners=(
        candidate("sigmoid"),
        candidate("lr_scale", lr=0.01),
        baseline("sgd", lr=0.01),
        tuned_baseline("sgd"),
    ),
    # 60 replicates of the default training would exceed a worker's memory.
    estimator=Choice(name="pes", knobs={"pairs": 2}),
    budget=Budget(
        task_evaluations=320,
        tasks_per_step=2,
        validation_tasks=2,
        test_tasks=1,
        threshold=0.62,
    ),
    replicates=60,
)

GENERALIZATION = experiment(
    "optimizer_generalization",
    "Where learned optimizers are known to fail",
    "Longer runs, another activation, wider and deeper nets, other families.",
    family=_MIXTURES,
    test_families=(Choice(name="moons"), Choice(name="spirals")),
    budget=_MANY_TASKS,
    until_decided=OPTIMIZATION,
    learners=(
        candidate("lr_scale"),
        candidate("mlp_optimizer"),
        *_USUAL[1:],
    ),
    shifts=(
        shift("horizon", 1.0, 2.0),
        shift("activation", 1.0),
        shift("wider", 1.0, 2.0),
        shift("deeper", 1.0, 2.0),
    ),
)

LSTM_QUADRATICS = experiment(
    "lstm_quadratics",
    "The LSTM optimizer on random quadratics",
    "The first experiment of Andrychowicz et al. (2016), against tuned optimizers.",
    family=Choice(name="quadratic"),
    learners=(
        candidate("lstm"),
        *map(tuned_baseline, ("sgd", "momentum", "nesterov", "rmsprop", "adam")),
    ),
    estimator=Choice(name="unroll", knobs={"length": 20, "equal": False}),
    outer=Choice(name="adam", knobs={"lr": 0.01, "clip": 0.0}),
    budget=Budget(
        task_evaluations=4000,
        tasks_per_step=16,
        validation_tasks=16,
        validate_every=50,
        test_tasks=64,
        horizon=100,
        tuning_tasks=128,
    ),
    replicates=3,
)

TRUNCATED_UNROLL = experiment(
    "truncated_unroll",
    "Short-horizon bias",
    "The default experiment, trained with unrolls of 10 steps: it learns low rates.",
    family=_MIXTURES,
    budget=_MANY_TASKS,
    until_decided=OPTIMIZATION,
    learners=_USUAL,
    shifts=(_STRETCH,),
    estimator=Choice(name="unroll", knobs={"length": 10}),
)

DRIFT = experiment(
    "drift",
    "A task that changes during training",
    "Labels in a region flip midway, at once or gradually: who recovers sooner?",
    family=_MIXTURES,
    budget=_MANY_TASKS,
    until_decided=OPTIMIZATION,
    learners=_USUAL,
    shifts=(
        shift("drift", 0.1, 0.3, 0.5),
        shift("gradual_drift", 0.1, 0.3, 0.5),
    ),
)

PRESETS = (
    DEFAULT,
    SMOKE,
    LONG,
    DIGITS,
    BREAST_CANCER,
    DRIFT,
    TRUNCATED_UNROLL,
    GENERALIZATION,
    LSTM_QUADRATICS,
    SIGMOID_CONTROLLER,
)
