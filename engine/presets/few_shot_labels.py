"""Experiments in which labels come one at a time, as in MANN's protocol."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baselines, candidate, experiment, shift

LABELS_ONE_AT_A_TIME = experiment(
    "labels_one_at_a_time",
    "Labels that come one at a time",
    "An LSTM and MANN read points of five classes, each label one step late; beside "
    "them MAML and baselines that are asked again after each label. In three minutes "
    "the readers only begin to learn; give them 60,000 episodes or more.",
    family=Choice(name="gaussian_sequences", knobs={"presentations": 25}),
    net=Choice(name="mlp", knobs={"depth": 0}),
    learners=(
        candidate("recurrent"),
        candidate("mann", strength=10.0),
        candidate("maml", inner_lr=0.1),
        *baselines("raw_neighbor", "from_scratch"),
    ),
    shifts=(shift("longer_sequence", 1.0), shift("support_order", 1.0)),
    outer=Choice(name="adam", knobs={"lr": 0.003}),
    budget=Budget(
        task_evaluations=24_000,
        tasks_per_step=16,
        validation_tasks=40,
        validate_every=300,
        test_tasks=100,
        horizon=5,
        tuning_tasks=16,
    ),
    replicates=1,
)

CHARACTERS_ONE_AT_A_TIME_PUBLISHED = experiment(
    "characters_one_at_a_time_published",
    "Published: Omniglot, labels one at a time",
    "MANN and an LSTM of the paper's sizes read 50 presentations of five characters; "
    "raw pixels at 14 × 14, where the paper has 20 × 20, and 16,000 episodes, where it "
    "has 100,000.",
    family=Choice(name="omniglot_sequences", knobs={"side": "14"}),
    net=Choice(name="mlp", knobs={"depth": 0}),
    learners=(
        candidate("mann", hidden=200, slots=128, width=40, heads=4, strength=10.0),
        candidate("recurrent", hidden=200),
        *baselines("raw_neighbor"),
    ),
    outer=Choice(name="adam", knobs={"lr": 0.001}),
    budget=Budget(
        task_evaluations=16_000,
        tasks_per_step=16,
        validation_tasks=40,
        validate_every=250,
        test_tasks=200,
        horizon=1,
        tuning_tasks=16,
    ),
    replicates=1,
)
