"""An experiment's main settings in words, for where it has no result yet."""

from collections.abc import Sequence

from app.experiment import effort_fields, form_words, spec_mapping
from app.experiment.spec_mapping import FindCard
from engine.contract.kinds import kind_named
from engine.contract.run_spec import LearnerChoice, RunSpec


def describe_experiment(spec: RunSpec, cards: FindCard) -> dict[str, str]:
    """Return the main settings of a completed spec, worded, by their names.

    Args:
        spec: The experiment.
        cards: Returns the card of (slot, name).
    """
    kind = kind_named(spec.kind)
    roles: dict[str, list[LearnerChoice]] = {"chosen": [], "baseline": []}
    for entry in spec.learners:
        roles[entry.role].append(entry)
    shifts = [cards("shift", shift.name).title for shift in spec.shifts]
    families = [cards("family", other.name).title for other in spec.test_families]
    return {
        "Task": cards("family", spec.family.name).title,
        kind.words.learner: _names(roles["chosen"]),
        "Compared with": _names(roles["baseline"]),
        "Shifts": ", ".join(shifts) or "none",
        "Other families": ", ".join(families) or "none",
        "Effort": effort_fields.describe_effort(spec_mapping.spec_to_form(spec), kind),
        "Seed": str(spec.seed),
    }


def _names(entries: Sequence[LearnerChoice]) -> str:
    return form_words.learners_in_words([entry.label for entry in entries])
