"""One search over terms, lessons and cards, best match first."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from app.client.catalogue import Catalogue
from app.glossary import TERMS
from app.views.learn.lessons import LESSONS
from engine.contract import kinds
from engine.contract.learner_appearance import name_in_words

TERM, LESSON = "term", "lesson"  # besides the slots of cards
MOST = 12  # results
# What a word of the query is worth, by where it is found.
WHOLE_NAME, NAME, NAME_START, TEXT, TEXT_START = 100, 20, 10, 2, 1
_WORD = re.compile(r"[^\W_]+\+*")  # MAML++ is no MAML


class Entry(NamedTuple):
    """Something that can be found.

    Args:
        sort: "term", "lesson", or the slot of a card.
        name: Its name among those of its sort.
        title: As it is shown.
        names: All of its names.
        text: What it says.
        summary: What is shown of that.
    """

    sort: str
    name: str
    title: str
    names: tuple[str, ...]
    text: str
    summary: str


def glossary_entries() -> list[Entry]:
    """Return the terms of the glossary."""
    return [
        Entry(
            sort=TERM,
            name=term.name,
            title=term.name,
            names=(term.name, *term.aliases),
            text=term.text,
            summary=term.text,
        )
        for term in TERMS
    ]


def lesson_entries() -> list[Entry]:
    """Return the lessons."""
    return [
        Entry(
            sort=LESSON,
            name=name,
            title=lesson.title,
            names=(lesson.title, lesson.label),
            text=lesson.text,
            summary=" · ".join(step.title for step in lesson.steps),
        )
        for name, lesson in LESSONS.items()
    ]


def card_entries(catalogue: Catalogue, slots: Iterable[str]) -> list[Entry]:
    """Return the cards of some slots."""
    return [
        Entry(
            sort=slot,
            name=card.name,
            title=card.title,
            names=(card.title, card.short, name_in_words(card.name)),
            text=f"{card.summary} {card.helps} {card.group} "
            + " ".join(kinds.kind_named(kind).title for kind in card.solves),
            summary=card.summary[:1].upper() + card.summary[1:],
        )
        for slot in slots
        for card in catalogue.cards_of(slot)
    ]


def find(entries: Iterable[Entry], query: str) -> list[Entry]:
    """Return the entries that contain every word of a query, best match first.

    A name counts more than a text, a whole word more than its beginning; the middle of
    a word does not count ("PES" is not found in "shapes").

    Args:
        entries: In the order in which equally good ones are shown.
        query: What the user typed.
    """
    wanted = _words(query)
    if not wanted:
        return []
    scored = [(_score(entry, wanted), entry) for entry in entries]
    found = [pair for pair in scored if pair[0]]
    found.sort(key=lambda pair: -pair[0])  # stable
    return [entry for _, entry in found]


def _score(entry: Entry, wanted: list[str]) -> int:
    """Return how well an entry matches; 0 if a word is missing."""
    names = [_words(name) for name in entry.names]
    of_names = {word for words in names for word in words}
    of_text = set(_words(entry.text))
    each = [_worth(word, of_names, of_text) for word in wanted]
    return sum(each) + WHOLE_NAME * (wanted in names) if all(each) else 0


def _worth(word: str, of_names: set[str], of_text: set[str]) -> int:
    for words, whole, start in (
        (of_names, NAME, NAME_START),
        (of_text, TEXT, TEXT_START),
    ):
        if word in words:
            return whole
        if any(other.startswith(word) for other in words):
            return start
    return 0


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
