import random
from pathlib import Path

import pytest

from engine.contract.jobs import JobState
from engine.store import DamagedRun, Store
from tests.store import fake
from tests.torture import damage


def test_a_flipped_byte_never_shows_a_wrong_value(home: Path) -> None:
    outcome = damage.flip_bytes(home, 12)
    assert outcome.held, outcome.figures


@pytest.mark.parametrize("suffix", ["arrow", "artefact"])
def test_only_the_damaged_run_is_quarantined_by_name(
    store: Store, home: Path, suffix: str
) -> None:
    sound, hurt = fake.played(store, 1), fake.played(store, 2)
    (path,) = store.folder(hurt).glob(f"*.{suffix}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert store.check() == [hurt]
    assert store.job(hurt).damaged == path.name
    with pytest.raises(DamagedRun, match=hurt[:12]):
        store.blocks(hurt)
    assert fake.stored(store, sound) == fake.unbroken(fake.spec(1))
    assert not store.job(sound).damaged
    assert fake.played(store, 2) == hurt  # run again, its numbers are back
    assert fake.stored(store, hurt) == fake.unbroken(fake.spec(2))


def test_a_missing_file_sets_its_run_aside(store: Store) -> None:
    key = fake.played(store, 1)
    next(store.folder(key).glob("*.arrow")).unlink()
    with pytest.raises(DamagedRun):
        store.blocks(key)
    assert store.job(key).damaged


def test_a_changed_title_is_not_shown(store: Store) -> None:
    key = fake.played(store, 1)
    store.rename(key, "nine in ten")
    store.index.write(lambda db: db.execute("UPDATE runs SET title = 'all of ten'"))
    (job,) = store.jobs()
    assert job.damaged
    assert job.title == ""


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM texts WHERE name = 'summary'",
        "UPDATE texts SET text = replace(text, '1', '2')",
        "DELETE FROM payloads WHERE kind = 'blocks'",
        "UPDATE payloads SET file = 'other.arrow'",
    ],
)
def test_rows_of_the_index_are_not_lost_or_changed_unseen(
    store: Store, harm: str
) -> None:
    key = fake.played(store, 1)
    store.index.write(lambda db: db.execute(harm))
    with pytest.raises(DamagedRun):
        damage.seen(store, key)


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_a_smashed_index_is_rebuilt_from_the_runs(
    store: Store, home: Path, size: int
) -> None:
    keys = [fake.played(store, seed) for seed in range(2)]
    waiting = fake.submit(store, 3)
    before = [damage.seen(store, key) for key in keys]
    path = home / "index.sqlite"
    data = random.Random(1).randbytes(size)
    path.write_bytes(data + path.read_bytes()[size:] if size else b"x")
    again = Store.open(home)
    again.check()
    assert [damage.seen(again, key) for key in keys] == before
    assert again.job(waiting).state == JobState.INTERRUPTED
    assert size == 0 or list(home.glob("damaged-*"))
    assert again.resume(waiting).state == JobState.QUEUED


def test_a_damaged_checkpoint_only_costs_time(store: Store) -> None:
    key = fake.submit(store, 1)
    recorder = store.recorder(store.claim())
    for event in list(fake.run(fake.spec(1), None))[:20]:
        recorder.add(event)
    recorder.release()
    (path,) = store.folder(key).glob("*.checkpoint")
    path.write_bytes(b"")
    claim = store.claim()
    assert claim.checkpoint is None
    recorder = store.recorder(claim)
    for event in fake.run(claim.spec, None, claim.checkpoint):
        recorder.add(event)
    recorder.finish(JobState.DONE, {})
    assert fake.stored(store, key) == fake.unbroken(fake.spec(1))
