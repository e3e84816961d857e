"""Experiments with few-shot learners; the first is the default.

Those whose name ends in "published" follow a paper's protocol as far as two CPU cores
allow; the page shows the published figures beside theirs.
"""

from engine.contract.kinds import FEW_SHOT
from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import (
    PLAIN_ADAM,
    baseline,
    baselines,
    candidate,
    experiment,
    shift,
)
from engine.presets.few_shot_adaptation import (
    CONTEXT_PARAMETERS,
    LEARNED_STEPS,
    SEVERAL_STARTS,
    USERS,
)
from engine.presets.few_shot_characters import (
    MAML_PUBLISHED,
    METRIC_OMNIGLOT,
    PROTOTYPES_PUBLISHED,
    R2D2_PUBLISHED,
)
from engine.presets.few_shot_doubt import AMBIGUOUS_FUNCTIONS
from engine.presets.few_shot_in_context import (
    IN_CONTEXT_REGRESSION,
    SNAIL_WAVES,
)
from engine.presets.few_shot_labels import (
    CHARACTERS_ONE_AT_A_TIME_PUBLISHED,
    LABELS_ONE_AT_A_TIME,
)
from engine.presets.few_shot_processes import (
    DIGIT_COMPLETION,
    PROCESSES,
    SMOOTH_FUNCTIONS,
)

_WAVES = Choice(name="sinusoids")
_SMALL = Choice(name="mlp", knobs={"depth": 2, "width": 40})
# As MAML's own code: a small normal, biases 0. It learns later than the default start.
_AS_PUBLISHED = Choice(
    name="mlp", knobs={"depth": 2, "width": 40, "start": "small_normal"}
)
_TWICE_64 = Choice(name="mlp", knobs={"depth": 2, "width": 64})


def _episodes(meta_steps: int, tasks: int, *, every: int, **others: int) -> Budget:
    """Return a budget for few-shot tasks.

    Args:
        meta_steps: Number of outer updates.
        tasks: Episodes per meta-step.
        every: Meta-steps between two validations.
        others: Fields of the budget that differ from the usual ones here.
    """
    usual = {
        "validation_tasks": 100,
        "test_tasks": 200,
        "horizon": 10,
        "tuning_tasks": 64,
    }
    return Budget(
        task_evaluations=meta_steps * tasks,
        tasks_per_step=tasks,
        validate_every=every,
        **(usual | others),
    )


def _published_budget(meta_steps: int, *, every: int) -> Budget:
    """Return the budget of the papers' sinusoids: 25 tasks per meta-step."""
    return _episodes(
        meta_steps,
        25,
        every=every,
        validation_tasks=200,
        test_tasks=1000,
        tuning_tasks=128,
    )


DEFAULT = experiment(
    "few_shot",
    "Regress a sine wave from ten points",
    "MAML on sinusoids: an initialization that a few gradient steps fit to a new wave.",
    family=_WAVES,
    net=_SMALL,
    learners=(candidate("maml"), *baselines("from_scratch", "fine_tune")),
    shifts=(shift("shots", 5, 20), shift("amplitude", 0.5, 1.0)),
    budget=_episodes(1000, 25, every=100, test_tasks=100),
    until_decided=FEW_SHOT,
)

SMOKE = experiment(
    "few_shot_smoke",
    "Few-shot in a few seconds, to see that everything works",
    "Every stage of the sine wave experiment, far too small for a verdict.",
    family=_WAVES,
    net=_SMALL,
    learners=(candidate("maml"), *baselines("from_scratch", "fine_tune")),
    shifts=(shift("shots", 5),),
    budget=_episodes(
        20, 10, every=10, validation_tasks=8, test_tasks=16, horizon=5, tuning_tasks=8
    ),
    replicates=2,
)

GLYPHS = experiment(
    "glyphs",
    "New characters from one example each",
    "Prototypical networks on characters of a font, against simple baselines.",
    family=Choice(
        name="glyphs",
        knobs={"side": "14", "train_ways": 20, "train_queries": 5},
    ),
    net=Choice(name="conv4", knobs={"filters": 32}),
    learners=(
        candidate("protonet"),
        *baselines("linear_probe", "feature_neighbors", "raw_neighbor"),
    ),
    shifts=(
        shift("shots", 5, 10),
        shift("ways", 10, 20),
        shift("image_rotation", 15, 45, 90),
    ),
    budget=_episodes(400, 1, every=50, validation_tasks=40, horizon=5, tuning_tasks=16),
    until_decided=FEW_SHOT,
)

DIGITS_IN_PAIRS = experiment(
    "digits_in_pairs",
    "Two digits from five examples each",
    "scikit-learn's digits: four classes for meta-training, four others for the tests.",
    family=Choice(name="ten_classes"),
    net=_TWICE_64,
    learners=(
        candidate("protonet"),
        candidate("maml", inner_lr=0.1, inner_steps=3),
        *baselines("from_scratch", "raw_neighbor"),
    ),
    shifts=(shift("shots", 1, 10), shift("label_noise", 0.1, 0.2, 0.4)),
    budget=_episodes(
        1000, 4, every=100, validation_tasks=50, horizon=5, tuning_tasks=32
    ),
    until_decided=FEW_SHOT,
)

MIXED_FUNCTIONS = experiment(
    "mixed_functions",
    "A mixture of waves, lines, parabolas and steps",
    "Is one initialization enough for four kinds of function, or a rate per weight?",
    family=Choice(name="function_mixture"),
    test_families=(Choice(name="gaussian_process"), _WAVES),
    net=_SMALL,
    learners=(
        candidate("maml"),
        candidate("meta_sgd"),
        *baselines("from_scratch", "fine_tune"),
    ),
    budget=_episodes(2000, 25, every=200),
    until_decided=FEW_SHOT,
)

WAVES_PUBLISHED = experiment(
    "waves_published",
    "Published: sinusoids, ten points",
    "MAML, Meta-SGD, first-order MAML and ANIL as in MAML's code: small normal "
    "weights, no clipping, a constant rate; 20,000 of its 70,000 meta-steps.",
    family=_WAVES,
    net=_AS_PUBLISHED,
    learners=(
        *map(candidate, ("maml", "meta_sgd", "fomaml", "anil")),
        *baselines("from_scratch", "joint"),
    ),
    outer=PLAIN_ADAM,
    budget=_published_budget(20_000, every=500),
    replicates=1,
)

WAVES_5_PUBLISHED = experiment(
    "waves_5_published",
    "Published: sinusoids, five points",
    "MAML and Meta-SGD from five points as in MAML's code: small normal weights, no "
    "clipping, a constant rate; 20,000 of its 70,000 meta-steps.",
    family=Choice(name="sinusoids", knobs={"shots": 5, "queries": 5}),
    net=_AS_PUBLISHED,
    learners=(
        *map(candidate, ("maml", "meta_sgd")),
        *baselines("from_scratch", "joint"),
    ),
    outer=PLAIN_ADAM,
    budget=_published_budget(20_000, every=500),
    replicates=1,
)

T_NET_RATES = experiment(
    "t_net_rates",
    "T-Net against MAML at three inner rates",
    "Does a learned metric tolerate an inner rate that is a hundred times too large?",
    family=_WAVES,
    net=_SMALL,
    learners=(
        *map(candidate, ("maml", "t_net")),
        *(
            candidate(name, f"{name}_{rate:g}", inner_lr=rate)
            for rate in (0.1, 1.0)
            for name in ("maml", "t_net")
        ),
        baseline("from_scratch"),
    ),
    outer=PLAIN_ADAM,
    budget=_published_budget(4_000, every=200),
    replicates=1,
)

REPTILE_WAVES = experiment(
    "reptile_waves",
    "Published: Reptile on sinusoids",
    "Fifty points of each wave in training, ten in the tests, 32 inner steps; as the "
    "authors' demo, but points are not on a grid, and many waves are tested, not one.",
    family=Choice(
        name="sinusoids",
        knobs={"phase": 2.0, "train_shots": 25, "train_queries": 25},
    ),
    net=Choice(
        name="mlp",
        knobs={
            "depth": 2,
            "width": 64,
            "activation": "tanh",
            "start": "torch_default",
        },
    ),
    learners=(
        candidate("reptile", test_steps=32),
        baseline("from_scratch"),
    ),
    outer=Choice(name="sgd", knobs={"lr": 0.1, "clip": 0.0, "schedule": "linear"}),
    budget=_episodes(
        30_000, 1, every=1000, validation_tasks=50, test_tasks=600, horizon=32
    ),
    replicates=1,
)


PRESETS = (
    DEFAULT,
    SMOKE,
    GLYPHS,
    DIGITS_IN_PAIRS,
    MIXED_FUNCTIONS,
    AMBIGUOUS_FUNCTIONS,
    WAVES_PUBLISHED,
    WAVES_5_PUBLISHED,
    T_NET_RATES,
    REPTILE_WAVES,
    PROTOTYPES_PUBLISHED,
    R2D2_PUBLISHED,
    MAML_PUBLISHED,
    METRIC_OMNIGLOT,
    LABELS_ONE_AT_A_TIME,
    CHARACTERS_ONE_AT_A_TIME_PUBLISHED,
    SNAIL_WAVES,
    IN_CONTEXT_REGRESSION,
    PROCESSES,
    SMOOTH_FUNCTIONS,
    DIGIT_COMPLETION,
    CONTEXT_PARAMETERS,
    SEVERAL_STARTS,
    LEARNED_STEPS,
    USERS,
)
