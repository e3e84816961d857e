"""Notes on equal learners and families of a run, which are computed once."""

from collections.abc import Sequence

from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import RunSpec, canonical_json, group_equal_learners
from engine.stats.family_names import name_test_families
from engine.stats.verdicts.wording import join_words


def describe_duplicates(spec: RunSpec) -> list[str]:
    """Return a sentence for each set of equal learners, and of equal families.

    Args:
        spec: The completed spec.
    """
    learners = [
        [choice.label for choice in same] for same in group_equal_learners(spec)
    ]
    return [
        *_sentences(
            learners,
            "are equal learners: computed once, and shown under each label with the "
            "whole cost.",
        ),
        *_sentences(
            _group_equal_families(spec),
            "are equal families: tested once, and shown under each name with the "
            "whole cost.",
        ),
    ]


def _group_equal_families(spec: RunSpec) -> list[list[str]]:
    names = [
        f"{name_in_words(spec.family.name)} (trained on)",
        *name_test_families(spec),
    ]
    groups: dict[bytes, list[str]] = {}
    choices = (spec.family, *spec.test_families)
    for name, choice in zip(names, choices, strict=True):
        groups.setdefault(canonical_json([choice.name, choice.knobs]), []).append(name)
    return list(groups.values())


def _sentences(groups: Sequence[Sequence[str]], claim: str) -> list[str]:
    return [f"{join_words(names)} {claim}" for names in groups if len(names) > 1]
