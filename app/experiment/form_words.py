"""Values of the form in words."""

from collections.abc import Sequence
from typing import Any

from engine.contract.learner_appearance import appearances, name_in_words, split_label

NO_VALUE = "none"


def learner_in_words(label: str) -> str:
    """Return a learner's name.

    >>> learner_in_words("maml_plus_2"), learner_in_words("mine")
    ('MAML++ 2', 'mine')
    """
    name, rest = split_label(label)
    return f"{appearances()[name].name}{name_in_words(rest)}" if name else label


def learners_in_words(labels: Sequence[str]) -> str:
    """Return the names of learners as a phrase."""
    return ", ".join(map(learner_in_words, labels)) or NO_VALUE


def value_in_words(value: Any) -> str:
    """Return a field's value as the screen shows it.

    >>> value_in_words(20.0), value_in_words(True), value_in_words([])
    ('20', 'on', 'none')
    """
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NO_VALUE
    return name_in_words(str(value)) or NO_VALUE
