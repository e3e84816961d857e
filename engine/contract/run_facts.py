"""What lists say of a run: its question, its answer and numbers, its tags and note."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from engine.contract.kinds import current_name
from engine.contract.learner_appearance import (
    appearances,
    name_in_words,
    split_label,
)
from engine.contract.run_answer import Answer, condition_rows, find_answer

_CLEAN = {"family": "", "shift": "", "severity": 0.0}  # the condition in distribution
_MOST = 3  # names in a row before they are counted instead


class Question(NamedTuple):
    """What a run compares, by the names in its spec.

    Args:
        family: The family of tasks.
        chosen: Labels of the chosen learners.
        rivals: Labels of the baselines.
        shifts: Names of the shifts.
        families: Names of the other families that it is tested on.
    """

    family: str
    chosen: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    shifts: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return the question as one line of text.

        >>> Question("moons", ("maml_plus",), ("sgd", "adam")).in_words()
        'MAML++ against SGD and Adam on moons'
        """
        text = _join([learner_in_words(label) for label in self.chosen])
        if self.rivals:
            text += f" against {_join([learner_in_words(at) for at in self.rivals])}"
        text += f" on {name_in_words(self.family)}"
        if self.shifts:
            text += f", shifted: {_join([name_in_words(at) for at in self.shifts])}"
        if self.families:
            text += f", then on {_join([name_in_words(at) for at in self.families])}"
        return text

    def as_title(self) -> str:
        """Return a short name for a run that nobody named.

        >>> Question("moons", ("my_net",), ("sgd",), ("noise",)).as_title()
        'My net on moons'
        """
        text = Question(self.family, self.chosen or self.rivals).in_words()
        return text[:1].upper() + text[1:]


def learner_in_words(label: str) -> str:
    """Return the display name of a learner's label, as plain text.

    >>> learner_in_words("sgd_tuned"), learner_in_words("my_net")
    ('SGD tuned', 'my net')
    """
    name, rest = split_label(label)
    return f"{appearances()[name].name if name else ''}{name_in_words(rest)}"


def _join(names: Sequence[str]) -> str:
    """Join names with commas and "and"; of many, name the first ones and count."""
    if len(names) > _MOST:
        names = [*names[: _MOST - 1], f"{len(names) - _MOST + 1} more"]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


class RunFacts(NamedTuple):
    """What lists show, sort and filter a run by.

    Args:
        kind: Its kind of task; empty where the spec is too old to contain it.
        question: What it compares.
        answer: Its answer; None before its end, or where nothing was compared.
        numbers: The judged learner's means in distribution by score, how many
            `replicates` there are, and the primary `difference`.
        tags: The user's tags.
        note: The user's note.
    """

    kind: str
    question: Question
    answer: Answer | None = None
    numbers: Mapping[str, float] = {}
    tags: tuple[str, ...] = ()
    note: str = ""

    def to_json(self) -> str:
        """Return the facts as JSON."""
        body = self._asdict() | {"question": self.question._asdict()}
        body["answer"] = self.answer._asdict() if self.answer else None
        return json.dumps(body, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "RunFacts":
        """Return the facts that `to_json` wrote."""
        body = json.loads(text)
        asked: dict[str, Any] = {
            name: value if isinstance(value, str) else tuple(value)
            for name, value in body["question"].items()
        }
        body["answer"] = Answer(**body["answer"]) if body["answer"] else None
        return cls(**body | {"question": Question(**asked), "tags": (*body["tags"],)})


def make_facts(
    spec: Mapping[str, Any],
    summary: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
) -> RunFacts:
    """Return the facts of a run.

    Args:
        spec: Its spec as JSON.
        summary: Its summary as JSON; None before its end.
        labels: The user's `tags` and `note` as JSON; None if there are none.
    """
    named = [(each.get("label") or each["name"], each) for each in spec["learners"]]
    is_baseline = [each.get("role") == "baseline" for _, each in named]
    question = Question(
        family=spec["family"]["name"],
        chosen=tuple(
            at for (at, _), b in zip(named, is_baseline, strict=True) if not b
        ),
        rivals=tuple(at for (at, _), b in zip(named, is_baseline, strict=True) if b),
        shifts=tuple(each["name"] for each in spec.get("shifts", ())),
        families=tuple(each["name"] for each in spec.get("test_families", ())),
    )
    answer = find_answer(summary or {})
    known = labels or {}
    return RunFacts(
        kind=current_name(spec.get("kind", "")),
        question=question,
        answer=answer,
        numbers=_judged_numbers(question, summary or {}, answer),
        tags=(*known.get("tags", ()),),
        note=known.get("note", ""),
    )


def _judged_numbers(
    question: Question, summary: Mapping[str, Any], answer: Answer | None
) -> dict[str, float]:
    judged = next(iter(question.chosen or question.rivals), "")
    row = condition_rows(summary, _CLEAN).get(judged, {})
    numbers = {
        name: float(value["mean"])
        for name, value in row.items()
        if isinstance(value, dict) and value.get("mean") is not None
    }
    if "replicates" in summary:
        numbers["replicates"] = float(summary["replicates"])
    if answer is not None and answer.difference is not None:
        numbers["difference"] = answer.difference
    return numbers
