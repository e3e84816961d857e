"""Experiments on Omniglot with Vinyals' split, on a budget of minutes."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import PLAIN_ADAM, baseline, candidate, experiment, shift

# As the code of prototypical networks and of R2-D2.
_CONV4 = Choice(name="conv4", knobs={"start": "torch_default"})
_COSINE_ADAM = Choice(
    name="adam", knobs={"lr": 0.001, "clip": 0.0, "schedule": "cosine"}
)
_NEIGHBOR = baseline("raw_neighbor", measure="cosine")


def _omniglot(**knobs: int) -> Choice:
    """Return Vinyals' split, with rotated test characters, as in the papers."""
    return Choice(name="omniglot", knobs={"rotations": "all", **knobs})


def _minutes_budget(episodes: int, tasks: int = 1, every: int = 250) -> Budget:
    """Return a budget of minutes for 28 × 28 characters on one core.

    Args:
        episodes: Episodes of meta-training.
        tasks: Episodes per meta-step.
        every: Meta-steps between two validations.
    """
    return Budget(
        task_evaluations=episodes,
        tasks_per_step=tasks,
        validation_tasks=60,
        validate_every=every,
        test_tasks=600,
        horizon=3,
        tuning_tasks=16,
    )


PROTOTYPES_PUBLISHED = experiment(
    "prototypes_published",
    "Published: Omniglot, prototypical networks",
    "Conv-4, trained 60-way on Vinyals' split, tested 5-way with one and five shots; "
    "4,000 episodes, and the rate follows a cosine where the paper halves it.",
    family=_omniglot(train_ways=60, train_shots=1, train_queries=5),
    net=_CONV4,
    learners=(candidate("protonet"), _NEIGHBOR),
    shifts=(shift("shots", 5), shift("ways", 20)),
    outer=_COSINE_ADAM,
    budget=_minutes_budget(4000),
    replicates=1,
)

R2D2_PUBLISHED = experiment(
    "r2d2_published",
    "Published: Omniglot, R2-D2",
    "A ridge regression head on Conv-4, trained 20-way on Vinyals' split; 6,000 "
    "episodes at a rate of 0.001 along a cosine, where the paper halves one of 0.005.",
    family=_omniglot(train_ways=20, train_shots=1, train_queries=5),
    net=_CONV4,
    learners=(candidate("r2d2"), _NEIGHBOR),
    shifts=(shift("shots", 5),),
    outer=_COSINE_ADAM,
    budget=_minutes_budget(6000),
    replicates=1,
)

MAML_PUBLISHED = experiment(
    "maml_published",
    "Published: Omniglot, MAML",
    "Second order, one inner step of size 0.4, Conv-4 with strides, Glorot weights, no "
    "clipping; 6,000 meta-steps of 8 tasks, where the paper has 60,000 of 32.",
    family=_omniglot(queries=5),
    # The authors' code draws the head alone from N(0, 1).
    net=Choice(name="conv4", knobs={"downsample": "stride", "start": "glorot"}),
    learners=(
        candidate("maml", inner_lr=0.4, test_steps=3),
        _NEIGHBOR,
    ),
    shifts=(shift("shots", 5),),
    outer=PLAIN_ADAM,
    budget=_minutes_budget(48_000, tasks=8, every=500),
    replicates=1,
)

METRIC_OMNIGLOT = experiment(
    "metric_omniglot",
    "Omniglot, four metric learners on equal budgets",
    "Prototypical, matching and relation networks and R2-D2, each with 600 episodes.",
    family=_omniglot(train_ways=20, train_shots=1, train_queries=5),
    net=_CONV4,
    learners=(
        *map(candidate, ("protonet", "matching", "relation", "r2d2")),
        baseline("linear_probe"),
        _NEIGHBOR,
    ),
    budget=_minutes_budget(600, every=100),
    outer=PLAIN_ADAM,
    replicates=1,
)
