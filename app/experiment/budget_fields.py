"""The price in the form: replicates, seed, and what may be spent, by kind of task."""

from typing import Any

from app.experiment import fields
from engine.contract.cards import KnobCard
from engine.contract.errors import Refused
from engine.contract.kinds import OPTIMIZATION, Kind
from engine.contract.runs import Budget, RunSpec

_BUDGET = {
    "task_evaluations": (
        "Meta-training budget",
        "task evaluations",
        "What learning to learn may cost, per replicate; one is a whole inner run.",
    ),
    "horizon": ("Horizon", "steps", "Steps that each base learner is trained."),
    "test_tasks": (
        "Test tasks",
        "tasks",
        "Held-out tasks per replicate and condition.",
    ),
    "tasks_per_step": ("Tasks per meta-step", "tasks", "Averaged in an outer step."),
    "validation_tasks": ("Validation tasks", "tasks", "They choose the checkpoint."),
    "validate_every": ("Validate every", "meta-steps", "How often it is looked at."),
    "patience": (
        "Patience",
        "checks",
        "Checks without progress before it stops; 0: off.",
    ),
    "tuning_tasks": ("Tuning tasks", "tasks", "Pooled tasks that a rate is tuned on."),
    "threshold": ("Threshold", "nats", "0: fixed on validation tasks before any test."),
}
BASIC = ("task_evaluations", "horizon", "test_tasks")


def budget_fields(kind: Kind = OPTIMIZATION) -> list[fields.Field]:
    """Return the budget's fields, the ones most often turned first.

    Args:
        kind: The kind of task, which names them.
    """
    return [
        fields.Field(f"k.budget.{name}", _budget_knob(name, kind)) for name in _BUDGET
    ]


def _budget_knob(name: str, kind: Kind) -> KnobCard:
    label, unit, text = kind.budget.get(name) or _BUDGET[name]
    return _model_knob(Budget, name, label, text).model_copy(
        update={"unit": unit, "advanced": name not in BASIC}
    )


def replicates_field() -> fields.Field:
    """Return the field of the replicates."""
    knob = _model_knob(
        RunSpec,
        "replicates",
        "Replicates",
        "Independent trainings; intervals are over them, so one gives no verdict.",
    )
    return fields.Field("k.replicates", knob)


def compile_field() -> fields.Field:
    """Return the switch of the compiler."""
    text = "Pays back on long runs; needs a C++ compiler. It is another run then."
    knob = KnobCard(
        name="compile",
        kind="bool",
        default=False,
        help=text,
        label="Compile the meta-step",
    )
    return fields.Field("k.compile", knob)


def seed_field() -> fields.Field:
    """Return the seed's field: text, for a form's numbers end at 2⁵³."""
    text = "The same seed gives the same tasks, weights and curves."
    knob = KnobCard(name="seed", kind="text", default="7", label="Seed", help=text)
    return fields.Field("k.seed", knob)


def read_seed(typed: Any) -> int:
    """Read a seed.

    Raises:
        Refused: If it is no whole number from 0 to 2⁶³ − 1.
    """
    text = str(typed).strip()
    if not (text.isascii() and text.isdigit()) or int(text[:30]) >= 2**63:
        raise Refused(
            f"Seed must be a whole number from 0 to {2**63 - 1}, not {text[:40]!r}.",
            "seed",
        )
    return int(text)


def _model_knob(model: Any, name: str, label: str, text: str) -> KnobCard:
    field = model.model_fields[name]
    bounds: dict[str, float] = {}
    for mark in field.metadata:
        bounds |= {
            k: v for k in ("ge", "le") if (v := getattr(mark, k, None)) is not None
        }
    kind = "int" if isinstance(field.default, int) else "float"
    return KnobCard(
        name=name,
        kind=kind,
        default=field.default,
        label=label,
        help=text,
        low=bounds.get("ge"),
        high=bounds.get("le"),
    )
