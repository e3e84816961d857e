"""Bytes flipped at random: a wrong value is never shown."""

import random
import shutil
from pathlib import Path

from engine.store import DamagedRun, NoRun, Store, StoreError
from tests.store import fake
from tests.torture.items import Outcome, item

RUNS = 4


@item("A9", "one byte of one file of the store flipped", full=500, quick=25)
def flip_bytes(home: Path, count: int) -> Outcome:
    """Flip, read everything, compare; then put the byte back."""
    store, chance = Store.open(home), random.Random(9)
    keys = [fake.played(store, seed, steps=6) for seed in range(RUNS)]
    whole = {key: seen(store, key) for key in keys}
    master = home.with_name("master")
    shutil.copytree(home, master)
    wrong = collateral = aside = 0
    for _ in range(count):
        shutil.rmtree(home)
        shutil.copytree(master, home)
        flip(chance, home)
        shown = {key: _shown(home, key) for key in keys}
        hurt = [key for key in keys if shown[key] != whole[key]]
        wrong += sum(shown[key] is not None for key in hurt)
        collateral += max(0, len(hurt) - 1)
        aside += len(hurt)
    figures = (
        f"{count} flips: {wrong} wrong values shown, {aside} runs set aside, "
        f"{collateral} sound ones with them"
    )
    return Outcome(not wrong and not collateral, figures)


def flip(chance: random.Random, home: Path) -> Path:
    """Flip some bits of one byte, each byte of the store being as likely."""
    files = [p for p in sorted(home.rglob("*")) if p.is_file() and p.stat().st_size]
    sizes = [path.stat().st_size for path in files if path.name != "ballast"]
    files = [path for path in files if path.name != "ballast"]
    (path,) = chance.choices(files, sizes)
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    path.write_bytes(data)
    return path


def seen(store: Store, key: str) -> object:
    """Return all that a page shows of a run."""
    job = store.job(key)
    if job is None:
        raise NoRun(key)
    if job.damaged:
        raise DamagedRun(key, job.damaged)
    listed = [other for other in store.jobs() if other.key == key]
    weights = store.artefact(key, "walk").arrays["place"].tobytes()
    rows = fake.stored(store, key)
    texts = (store.spec(key), store.summary(key), store.fingerprint(key))
    return (job, listed, weights, rows, texts, store.timings(key), store.progress(key))


def _shown(home: Path, key: str) -> object | None:
    """Return what is shown after a start, or none where the run is set aside."""
    try:
        store = Store.open(home)
        store.check(deep=False)
        return seen(store, key)
    except StoreError:
        return None
