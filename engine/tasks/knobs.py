"""Knobs that many families share: how many rows a task is trained and judged on."""

from typing import Literal

from engine.contract.parts import knob

Balance = Literal["balanced", "uneven"]
Side = Literal["28", "14"]
Rotations = Literal["none", "train", "all"]
Normalize = Literal["none", "support", "training"]


def examples(default: int, *, high: int = 2048) -> int:
    """Declare how many rows a base learner is trained on."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Training points",
        unit="points",
        low=4,
        high=high,
        work="rows",
        help="Rows that the base learner is trained on.",
    )


def held_out(default: int, *, high: int = 2048) -> int:
    """Declare how many rows a base learner is judged on."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Held-out points",
        unit="points",
        low=2,
        high=high,
        work="rows",
        help="Other rows of the same task, for accuracy.",
        advanced=True,
    )


def features(default: int, *, high: int) -> int:
    """Declare how many of a table's inputs each task sees."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Features",
        unit="inputs",
        low=0,
        high=high,
        help="Inputs of each task, drawn afresh; 0 takes all of them as they are.",
    )


def ways(default: int, *, high: int = 100) -> int:
    """Declare how many classes an episode has."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Ways N",
        unit="classes",
        low=2,
        high=high,
        work="size",
        help="Classes of each episode; more of them are harder.",
    )


def shots(default: int, *, high: int = 100) -> int:
    """Declare how many labelled examples there are: of each class, or in all."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Shots K",
        unit="examples",
        low=1,
        high=high,
        work="rows",
        help="Labelled examples to learn from, of each class.",
    )


def queries(default: int, *, high: int = 200) -> int:
    """Declare how many examples are to be answered: of each class, or in all."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Queries",
        unit="examples",
        low=1,
        high=high,
        work="rows",
        help="Examples to be answered, of each class.",
    )


def train_ways(*, high: int = 200) -> int:
    """Declare how many classes an episode of meta-training has."""
    return knob(  # type: ignore[no-any-return]
        0,
        label="Ways in training",
        unit="classes",
        low=0,
        high=high,
        advanced=True,
        help="Classes of each episode to learn from; 0 means as many as in the tests. "
        "Metric learners gain by more; one with a head cannot change its ways.",
    )


def train_shots(*, high: int = 100) -> int:
    """Declare how many labelled examples of a class meta-training shows."""
    return knob(  # type: ignore[no-any-return]
        0,
        label="Shots in training",
        unit="examples",
        low=0,
        high=high,
        advanced=True,
        help="Labelled examples of each class while it learns to learn; 0 means as "
        "many as in the tests.",
    )


def train_queries(*, high: int = 200) -> int:
    """Declare how many examples of a class are to be answered in meta-training."""
    return knob(  # type: ignore[no-any-return]
        0,
        label="Queries in training",
        unit="examples",
        low=0,
        high=high,
        advanced=True,
        help="Examples of each class to be answered while it learns to learn; 0 means "
        "as many as in the tests.",
    )


def balance() -> Balance:
    """Declare whether every class has as many support examples as the others."""
    return knob(  # type: ignore[no-any-return]
        "balanced",
        label="Class balance",
        advanced=True,
        help="Uneven: one example of each class, the rest by shares drawn anew; K is "
        "their mean.",
    )


def train_tasks() -> int:
    """Declare how many different tasks meta-training sees."""
    return knob(  # type: ignore[no-any-return]
        0,
        label="Training tasks",
        unit="tasks",
        low=0,
        high=1_000_000,
        advanced=True,
        before=0,
        help="Different tasks in meta-training, with fixed examples; 0 draws each task "
        "anew. With few of them, a learner memorizes.",
    )


def side(default: Side = "28") -> Side:
    """Declare how large gray images are."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Pixels per side",
        work="area",
        help="14 are averages of blocks of 2 × 2, and faster.",
    )


def rotations(default: Rotations) -> Rotations:
    """Declare where images turned by quarters are classes of their own."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Turned classes",
        help="Turned by 90, 180 and 270° images are classes of their own: nowhere, in "
        "meta-training alone, or in validation and tests too.",
    )


def normalize() -> Normalize:
    """Declare by what inputs are brought to mean 0 and deviation 1."""
    return knob(  # type: ignore[no-any-return]
        "none",
        label="Input scale",
        advanced=True,
        help="As it is, or mean 0 and deviation 1: by each task's support, or by what "
        "meta-training shows.",
    )
