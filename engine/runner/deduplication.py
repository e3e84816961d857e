"""Deduplication: equal learners and conditions are computed once, under every name.

A learner's label and a condition's name do not affect the computation, so the results
of equal learners, or of equal test families, differ only in these names.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from engine.contract.events import Artefact, Block, Event, Timing
from engine.runner.context import MetaTestCondition, RunContext, labels_of
from engine.runner.films.embeddings import label_snapshot
from engine.runner.meta_test import remarks_name
from engine.runner.state import StageKey


def group_equal_conditions(
    conditions: Iterable[MetaTestCondition],
) -> list[list[MetaTestCondition]]:
    """Return the meta-test's conditions, those with equal settings in one group."""
    groups: list[list[MetaTestCondition]] = []
    for condition in conditions:
        found = next((each for each in groups if _are_equal(each[0], condition)), None)
        if found is None:
            groups.append([condition])
        else:
            found.append(condition)
    return groups


def _are_equal(one: MetaTestCondition, other: MetaTestCondition) -> bool:
    # `==` of settings ignores warps, the shifts of their data.
    warps = one.setting.warps == other.setting.warps
    return warps and one.setting == other.setting


def repeat_for_labels(context: RunContext, events: Iterable[Event]) -> Iterator[Event]:
    """Yield events, and repeat a learner's events for every learner equal to it."""
    for event in events:
        yield event
        match event:
            case Block() | Timing():
                for label in labels_of(context, event.learner)[1:]:
                    yield replace(event, learner=label)
            case Artefact(kind="frozen"):
                for label in labels_of(context, event.name)[1:]:
                    yield replace(event, name=label)
            case Artefact(kind="snapshot"):
                for label in labels_of(context, event.info["learner"])[1:]:
                    yield label_snapshot(event, label)


def repeat_for_conditions(
    same: Sequence[MetaTestCondition], events: Iterable[Event]
) -> Iterator[Event]:
    """Yield a test's events, and repeat them for every condition equal to its own."""
    for event in events:
        yield event
        for condition in same[1:]:
            match event:
                case Block():
                    yield replace(event, condition=condition.condition)
                case Timing():
                    title = StageKey("test", condition=condition.condition).title
                    yield replace(event, stage=title)
                case Artefact(kind="remarks"):
                    yield replace(event, name=remarks_name(condition))
