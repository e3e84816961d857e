"""The title of an experiment that nobody named: what is tried, and on which tasks."""

from collections.abc import Mapping

from engine.contract.run_spec import RunSpec
from engine.stats.verdicts.wording import (
    capitalize_first,
    join_words,
    learner_names,
    spell_family,
)

NAMED = 3  # learners; of more the others are counted


def experiment_title(spec: RunSpec, titles: Mapping[str, str] | None = None) -> str:
    """Return what an experiment is about, as plain text.

    Args:
        spec: The experiment.
        titles: Titles of parts, by name; spelled from the names otherwise.

    >>> from engine.contract.run_spec import Choice, LearnerChoice
    >>> learners = (LearnerChoice(name="lr_scale", label="lr_scale"),
    ...     LearnerChoice(name="sgd", label="sgd", role="baseline"))
    >>> experiment_title(RunSpec(family=Choice(name="mixtures"), learners=learners))
    'LR scale on mixtures'
    """
    names, about = learner_names(spec, titles), _judged_labels(spec)
    told = [
        f"{names[label]} (frozen)" if label in spec.inputs else names[label]
        for label in about[:NAMED]
    ]
    if len(about) > NAMED:
        told.append(f"{len(about) - NAMED} more")
    family = spell_family(spec.family.name, titles or {})
    return capitalize_first(f"{join_words(told)} on {family}")


def _judged_labels(spec: RunSpec) -> list[str]:
    """Return the chosen learners; the baselines where there is no other."""
    chosen = [entry.label for entry in spec.learners if entry.role == "chosen"]
    return chosen or [entry.label for entry in spec.learners]
