"""Experiments with few-shot learners; the first is the default one.

Those whose name ends in "published" follow a paper's protocol as far as two cores
go; the page shows the published figures beside theirs.
"""

from engine.contract.runs import Budget, Choice, RunSpec
from engine.presets.builders import PLAIN_ADAM, Preset, baseline, chosen, shift
from engine.presets.few_shot_characters import (
    MAML_PUBLISHED,
    METRIC_OMNIGLOT,
    PROTOTYPES_PUBLISHED,
    R2D2_PUBLISHED,
)

_WAVES = Choice(name="sinusoids")
_SMALL = Choice(name="mlp", knobs={"depth": 2, "width": 40})

DEFAULT = Preset(
    "few_shot",
    "Ten points of a wave, the rest to be told",
    "MAML on sinusoids: a start from which one gradient step fits any wave.",
    RunSpec(
        family=_WAVES,
        net=_SMALL,
        learners=(chosen("maml"), *map(baseline, ("from_scratch", "fine_tune"))),
        shifts=(shift("shots", 5, 20), shift("amplitude", 0.5, 1.0)),
        budget=Budget(
            task_evaluations=25_000,
            tasks_per_step=25,
            validation_tasks=100,
            validate_every=100,
            test_tasks=200,
            horizon=10,
            tuning_tasks=64,
        ),
        replicates=3,
    ),
)

SMOKE = Preset(
    "few_shot_smoke",
    "Few-shot in a few seconds, to see that everything works",
    "Every stage of the experiment with waves, far too small for a verdict.",
    RunSpec(
        family=_WAVES,
        net=_SMALL,
        learners=(chosen("maml"), *map(baseline, ("from_scratch", "fine_tune"))),
        shifts=(shift("shots", 5),),
        budget=Budget(
            task_evaluations=200,
            tasks_per_step=10,
            validation_tasks=8,
            validate_every=10,
            test_tasks=16,
            horizon=5,
            tuning_tasks=8,
        ),
        replicates=2,
    ),
)

GLYPHS = Preset(
    "glyphs",
    "New characters from one example each",
    "Prototypical networks on letters drawn from a font, beside simple baselines.",
    RunSpec(
        family=Choice(
            name="glyphs",
            knobs={"side": "14", "train_ways": 20, "train_queries": 5},
        ),
        net=Choice(name="conv4", knobs={"filters": 32}),
        learners=(
            chosen("protonet"),
            *map(baseline, ("linear_probe", "feature_neighbors", "raw_neighbor")),
        ),
        shifts=(
            shift("shots", 5, 10),
            shift("ways", 10, 20),
            shift("image_rotation", 15, 45, 90),
        ),
        budget=Budget(
            task_evaluations=400,
            tasks_per_step=1,
            validation_tasks=40,
            validate_every=50,
            test_tasks=200,
            horizon=5,
            tuning_tasks=16,
        ),
        replicates=3,
    ),
)

DIGITS_IN_PAIRS = Preset(
    "digits_in_pairs",
    "Two digits from five examples each",
    "scikit-learn's digits: four classes to learn on, four others to be tested on.",
    RunSpec(
        family=Choice(name="ten_classes"),
        net=Choice(name="mlp", knobs={"depth": 2, "width": 64}),
        learners=(
            chosen("protonet"),
            chosen("maml", inner_lr=0.1, inner_steps=3),
            *map(baseline, ("from_scratch", "raw_neighbor")),
        ),
        shifts=(shift("shots", 1, 10), shift("label_noise", 0.1, 0.2, 0.4)),
        budget=Budget(
            task_evaluations=4000,
            tasks_per_step=4,
            validation_tasks=50,
            validate_every=100,
            test_tasks=200,
            horizon=5,
            tuning_tasks=32,
        ),
        replicates=3,
    ),
)

MIXED_FUNCTIONS = Preset(
    "mixed_functions",
    "Waves, lines, parabolas and steps, told apart",
    "Tasks of four kinds: does one start serve them all, or a rate per weight?",
    RunSpec(
        family=Choice(name="function_mixture"),
        test_families=(Choice(name="gaussian_process"), _WAVES),
        net=_SMALL,
        learners=(
            chosen("maml"),
            chosen("meta_sgd"),
            *map(baseline, ("from_scratch", "fine_tune")),
        ),
        budget=Budget(
            task_evaluations=50_000,
            tasks_per_step=25,
            validation_tasks=100,
            validate_every=200,
            test_tasks=200,
            horizon=10,
            tuning_tasks=64,
        ),
        replicates=3,
    ),
)


def _published(steps: int, *, every: int) -> Budget:
    """Return the budget of the papers' sinusoids: 25 tasks a meta-step."""
    return Budget(
        task_evaluations=25 * steps,
        tasks_per_step=25,
        validation_tasks=200,
        validate_every=every,
        test_tasks=1000,
        horizon=10,
        tuning_tasks=128,
    )


WAVES_PUBLISHED = Preset(
    "waves_published",
    "Published: sinusoids, ten points",
    "MAML, Meta-SGD, first-order MAML and ANIL, 20,000 meta-steps of 25 tasks.",
    RunSpec(
        family=_WAVES,
        net=_SMALL,
        learners=(
            *map(chosen, ("maml", "meta_sgd", "fomaml", "anil")),
            *map(baseline, ("from_scratch", "joint")),
        ),
        outer=PLAIN_ADAM,
        budget=_published(20_000, every=500),
        replicates=1,
    ),
)

WAVES_5_PUBLISHED = Preset(
    "waves_5_published",
    "Published: sinusoids, five points",
    "MAML and Meta-SGD from five points, 20,000 meta-steps of 25 tasks.",
    RunSpec(
        family=Choice(name="sinusoids", knobs={"shots": 5, "queries": 5}),
        net=_SMALL,
        learners=(
            *map(chosen, ("maml", "meta_sgd")),
            *map(baseline, ("from_scratch", "joint")),
        ),
        outer=PLAIN_ADAM,
        budget=_published(20_000, every=500),
        replicates=1,
    ),
)

T_NET_RATES = Preset(
    "t_net_rates",
    "T-Net beside MAML at three inner rates",
    "Does a learned metric forgive an inner rate that is a hundred times too large?",
    RunSpec(
        family=_WAVES,
        net=_SMALL,
        learners=(
            *map(chosen, ("maml", "t_net")),
            *(
                chosen(name, f"{name}_{rate:g}", inner_lr=rate)
                for rate in (0.1, 1.0)
                for name in ("maml", "t_net")
            ),
            baseline("from_scratch"),
        ),
        outer=PLAIN_ADAM,
        budget=_published(4_000, every=200),
        replicates=1,
    ),
)

REPTILE_WAVES = Preset(
    "reptile_waves",
    "Published: Reptile's own waves",
    "Fifty points of each wave in training, ten in the tests, 32 inner steps.",
    RunSpec(
        family=Choice(
            name="sinusoids",
            knobs={"phase": 2.0, "train_shots": 25, "train_queries": 25},
        ),
        net=Choice(name="mlp", knobs={"depth": 2, "width": 64, "activation": "tanh"}),
        learners=(
            chosen("reptile", test_steps=32),
            baseline("from_scratch"),
        ),
        outer=Choice(name="sgd", knobs={"lr": 0.1, "clip": 0.0, "schedule": "linear"}),
        budget=Budget(
            task_evaluations=30_000,
            tasks_per_step=1,
            validation_tasks=50,
            validate_every=1000,
            test_tasks=600,
            horizon=32,
            tuning_tasks=64,
        ),
        replicates=1,
    ),
)


PRESETS = (
    *(DEFAULT, SMOKE, GLYPHS, DIGITS_IN_PAIRS, MIXED_FUNCTIONS),
    *(WAVES_PUBLISHED, WAVES_5_PUBLISHED, T_NET_RATES, REPTILE_WAVES),
    *(PROTOTYPES_PUBLISHED, R2D2_PUBLISHED, MAML_PUBLISHED, METRIC_OMNIGLOT),
)
