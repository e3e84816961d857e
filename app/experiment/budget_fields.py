"""The form's budget fields: seed, and how much may be computed."""

from typing import Any

from app.experiment import fields
from engine.contract.errors import Refused
from engine.contract.kinds import OPTIMIZATION, Kind
from engine.contract.knobs import KnobCard
from engine.contract.run_spec import Budget

_BUDGET = {
    "task_evaluations": (
        "Meta-training budget",
        "task evaluations",
        "Limit per replicate; one task evaluation is one full inner run.",
    ),
    "horizon": ("Horizon", "steps", "Training steps of each base learner."),
    "test_tasks": (
        "Test tasks",
        "tasks",
        "Held-out tasks per replicate and condition.",
    ),
    "tasks_per_step": (
        "Tasks per meta-step",
        "tasks",
        "Tasks averaged in one outer step.",
    ),
    "validation_tasks": (
        "Validation tasks",
        "tasks",
        "Held-out tasks that select the checkpoint.",
    ),
    "validate_every": (
        "Validate every",
        "meta-steps",
        "Meta-steps between two validations.",
    ),
    "patience": (
        "Patience",
        "checks",
        "Validations without improvement before training stops; 0 disables it.",
    ),
    "tuning_tasks": (
        "Tuning tasks",
        "tasks",
        "Meta-training tasks that a learning rate is tuned on, pooled.",
    ),
    "threshold": (
        "Threshold",
        "nats",
        "Loss to reach; at 0 it is set from validation tasks before any test.",
    ),
}
BASIC = ("task_evaluations", "horizon", "test_tasks")


def budget_fields(kind: Kind = OPTIMIZATION) -> list[fields.Field]:
    """Return the budget's fields, the ones most often changed first.

    Args:
        kind: The kind of task, which names them.
    """
    return [
        fields.Field(f"k.budget.{name}", _budget_knob(name, kind)) for name in _BUDGET
    ]


def _budget_knob(name: str, kind: Kind) -> KnobCard:
    label, unit, text = kind.budget.get(name) or _BUDGET[name]
    return model_knob(Budget, name, label, text).model_copy(
        update={"unit": unit, "advanced": name not in BASIC}
    )


def compile_field() -> fields.Field:
    """Return the switch that turns `torch.compile` on."""
    text = (
        "Worth it for long runs; needs a C++ compiler. Compiled runs are stored "
        "separately."
    )
    knob = KnobCard(
        name="compile",
        kind="bool",
        default=False,
        help=text,
        label="Compile the meta-step",
    )
    return fields.Field("k.compile", knob)


def seed_field() -> fields.Field:
    """Return the seed's field: text, since browsers count exactly only to 2⁵³."""
    text = "The same seed gives the same tasks, weights and curves."
    knob = KnobCard(name="seed", kind="text", default="7", label="Seed", help=text)
    return fields.Field("k.seed", knob)


def read_seed(typed: Any) -> int:
    """Read a seed.

    Raises:
        Refused: If it is not a whole number from 0 to 2⁶³ − 1.
    """
    text = str(typed).strip()
    if not (text.isascii() and text.isdigit()) or int(text[:30]) >= 2**63:
        raise Refused(
            f"Seed must be a whole number from 0 to {2**63 - 1}, not {text[:40]!r}.",
            "seed",
        )
    return int(text)


def model_knob(model: Any, name: str, label: str, text: str) -> KnobCard:
    """Return a knob with the limits and the default of a spec's field.

    Args:
        model: The class of the field.
        name: The field.
        label: Label of the knob.
        text: Help of the knob.
    """
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
