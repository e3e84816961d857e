"""One search finds terms, lessons and cards, what is named so first."""

import pytest

from app.client.catalogue import Catalogue
from app.views.learn import search_index
from app.views.learn.part_cards import SHELVES
from app.views.learn.search_index import Entry, find


@pytest.fixture(scope="module")
def entries(known: Catalogue) -> list[Entry]:
    return [
        *search_index.glossary_entries(),
        *search_index.lesson_entries(),
        *search_index.card_entries(known, SHELVES),
    ]


@pytest.mark.parametrize(
    ("query", "sort", "name"),
    [
        ("PES", "term", "PES"),
        ("pes", "term", "PES"),
        ("replicates", "term", "Replicate"),
        ("doubt", "lesson", "doubt"),
        ("MAML", "learner", "maml"),
        ("maml++", "learner", "maml_plus"),
        ("relation", "learner", "relation"),
        ("evolution strategies", "estimator", "es"),
        ("warm evo", "learner", "warm_evolution"),
    ],
)
def test_what_is_called_so_comes_first(
    entries: list[Entry], query: str, sort: str, name: str
) -> None:
    best = find(entries, query)[0]
    assert (best.sort, best.name) == (sort, name)


def test_the_middle_of_a_word_is_no_match(entries: list[Entry]) -> None:
    # "types" and "shapes" hold "pes", and so relation networks came first.
    assert "relation" not in [entry.name for entry in find(entries, "PES")]


def test_every_word_must_be_there(entries: list[Entry]) -> None:
    assert find(entries, "pes zebra") == []
    assert find(entries, " ") == []
    assert len(find(entries, "adam sgd")) < len(find(entries, "adam"))


def test_every_entry_is_found_by_its_title(entries: list[Entry]) -> None:
    for entry in entries:
        best = find(entries, entry.title)[0]
        names = [name.casefold() for name in best.names]
        assert entry.title.casefold() in names, entry.title
