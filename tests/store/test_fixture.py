"""Stores of earlier releases, as they were committed, still open."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.store import Store
from tests.store import fake

FIXTURES = fake.root() / "tests" / "fixtures"


def digests(store: Store) -> dict[str, dict[str, object]]:
    """Return what a store holds, as a committed file can say it."""
    return {
        job.key: {
            "title": job.title,
            "state": str(job.state),
            "about": job.about,
            "seed": store.spec(job.key).seed,
            "summary": store.summary(job.key),
            "rows": len(store.blocks(job.key)[0]),
            "digest": _digest(store, job.key),
            "artefacts": [list(entry[:3]) for entry in store.artefacts(job.key)],
        }
        for job in store.jobs()
    }


def _digest(store: Store, key: str) -> str:
    rows = sorted((repr(a), data) for a, data in fake.stored(store, key).items())
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@pytest.mark.parametrize(
    "name", [path.name for path in sorted(FIXTURES.glob("store-*"))]
)
def test_a_store_of_every_release_opens_as_it_was(name: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(FIXTURES / name, home)
    store = Store.open(home)
    assert digests(store) == json.loads((home / "expected.json").read_text())
    assert store.check() == []
    if int(name.removeprefix("store-")) < store.format:
        assert list((home / "backups").iterdir())
    (cancelled,) = store.jobs([JobState.CANCELLED])
    store.resume(cancelled.key)
    fake.played_on(store)
    assert store.job(cancelled.key).state == JobState.DONE
    assert fake.stored(store, cancelled.key) == fake.unbroken(store.spec(cancelled.key))


def test_the_present_format_has_its_fixture(store: Store) -> None:
    assert (FIXTURES / f"store-{store.format}").is_dir()
