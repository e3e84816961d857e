from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.store import Store
from tests.store import fake
from tests.torture import scale


def test_many_runs_are_listed_filtered_and_counted_right(home: Path) -> None:
    outcome = scale.listing(home, 300)
    assert outcome.held, outcome.figures


def test_the_newest_is_first_and_pages_do_not_overlap(store: Store) -> None:
    scale.fill(store, 60)
    pages = [store.jobs(limit=25, offset=offset) for offset in (0, 25, 50)]
    titles = [job.title for page in pages for job in page]
    assert titles == [f"run {59 - i}" for i in range(60)]


@pytest.mark.parametrize("text", ["%", "_", "\\", "'; DROP TABLE runs", "(", "*"])
def test_a_search_takes_every_sign_as_itself(store: Store, text: str) -> None:
    fake.submit(store, 1)
    assert store.jobs(text=text) == []
    store.rename(fake.key(fake.spec(1)), f"a {text} b")
    assert store.count(text=text) == 1


def test_a_run_is_found_by_part_title_or_id(store: Store) -> None:
    key = fake.submit(store, 1)
    store.rename(key, "Tuesday's sweep")
    for text in ("walk", "FAKE sgd", "tuesday", key[:9]):
        assert [job.key for job in store.jobs(text=text)] == [key]
    assert store.jobs(text="walk moons") == []
    assert store.jobs([JobState.DONE]) == []
    assert store.jobs([]) == []


def test_a_visitor_sees_only_their_workspace(store: Store) -> None:
    for seed, who in enumerate(("ann", "bob")):
        wish = fake.spec(seed)
        store.submit(wish, fake.key(wish), workspace=who)
    assert [job.workspace for job in store.jobs(workspace="ann")] == ["ann"]
    assert store.count(workspace="bob") == 1
    assert store.count() == 2


def test_a_title_is_cleaned(store: Store) -> None:
    key = fake.submit(store, 1)
    job = store.rename(key, "a\u202eb\x00\x1b[31m" + "x" * 500)
    assert job.title.startswith("ab[31mx")
    assert len(job.title) == 120
