"""What is equal in a spec is computed once, and shown under each of its names.

A learner's label and a condition's name change nothing that is computed, so the rows
of equal learners, and of equal families, differ in these alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from engine.contract.blocks import Artefact, Block, Event, Timing
from engine.runner.context import Bench, Trial, labels_of
from engine.runner.films.embeddings import named
from engine.runner.meta_test import remarks_name
from engine.runner.state import StageKey


def equal_trials(trials: Iterable[Trial]) -> list[list[Trial]]:
    """Return the conditions of the meta-test, those with equal settings together."""
    groups: list[list[Trial]] = []
    for trial in trials:
        found = next((each for each in groups if _equal(each[0], trial)), None)
        if found is None:
            groups.append([trial])
        else:
            found.append(trial)
    return groups


def _equal(one: Trial, other: Trial) -> bool:
    # Settings leave their changes of data out when they are compared.
    warps = one.setting.warps == other.setting.warps
    return warps and one.setting == other.setting


def under_each_label(bench: Bench, events: Iterable[Event]) -> Iterator[Event]:
    """Yield events, those of a learner again for every learner that equals it."""
    for event in events:
        yield event
        match event:
            case Block() | Timing():
                for label in labels_of(bench, event.learner)[1:]:
                    yield replace(event, learner=label)
            case Artefact(kind="frozen"):
                for label in labels_of(bench, event.name)[1:]:
                    yield replace(event, name=label)
            case Artefact(kind="snapshot"):
                for label in labels_of(bench, event.info["learner"])[1:]:
                    yield named(event, label)


def under_each_condition(
    same: Sequence[Trial], events: Iterable[Event]
) -> Iterator[Event]:
    """Yield the events of a test, again for every condition that equals its own."""
    for event in events:
        yield event
        for trial in same[1:]:
            match event:
                case Block():
                    yield replace(event, condition=trial.condition)
                case Timing():
                    title = StageKey("test", condition=trial.condition).title
                    yield replace(event, stage=title)
                case Artefact(kind="remarks"):
                    yield replace(event, name=remarks_name(trial))
