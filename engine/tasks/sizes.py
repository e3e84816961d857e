"""Knobs that many families share: how many rows a task is trained and judged on."""

from engine.contract.knobs import knob


def examples(default: int, *, high: int = 2048) -> int:
    """Declare how many rows a base learner is trained on."""
    return knob(  # type: ignore[no-any-return]
        default, label="Training points", unit="points", low=4, high=high,
        help="Rows that the base learner is trained on.",
    )  # fmt: skip


def held_out(default: int, *, high: int = 2048) -> int:
    """Declare how many rows a base learner is judged on."""
    return knob(  # type: ignore[no-any-return]
        default, label="Held-out points", unit="points", low=2, high=high,
        help="Other rows of the same task, for accuracy.", advanced=True,
    )  # fmt: skip


def features(default: int, *, high: int) -> int:
    """Declare how many of a table's inputs each task sees."""
    return knob(  # type: ignore[no-any-return]
        default, label="Features", unit="inputs", low=0, high=high,
        help="Inputs of each task, drawn afresh; 0 takes all of them as they are.",
    )  # fmt: skip


def ways(default: int, *, high: int = 100) -> int:
    """Declare how many classes an episode has."""
    return knob(  # type: ignore[no-any-return]
        default, label="Ways N", unit="classes", low=2, high=high,
        help="Classes of each episode; more of them are harder.",
    )  # fmt: skip


def shots(default: int, *, high: int = 100) -> int:
    """Declare how many labelled examples there are: of each class, or in all."""
    return knob(  # type: ignore[no-any-return]
        default, label="Shots K", unit="examples", low=1, high=high,
        help="Labelled examples to learn from, of each class.",
    )  # fmt: skip


def queries(default: int, *, high: int = 200) -> int:
    """Declare how many examples are to be answered: of each class, or in all."""
    return knob(  # type: ignore[no-any-return]
        default, label="Queries", unit="examples", low=1, high=high,
        help="Examples to be answered, of each class.",
    )  # fmt: skip
