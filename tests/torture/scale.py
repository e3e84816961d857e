"""Ten thousand runs, and one spec in many processes."""

import hashlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from engine.contract.jobs import JobState
from engine.store import Store, run_rows
from engine.store.queue import Submission
from tests.store import fake
from tests.torture.items import Outcome, item

FAMILIES = ("mixtures", "moons", "digits", "rings")


def fill(store: Store, count: int) -> None:
    """Enter so many finished runs in one transaction."""

    def change(db: object) -> None:
        for seed in range(count):
            wish = fake.spec(seed)
            family = wish.family.model_copy(update={"name": FAMILIES[seed % 4]})
            wish = wish.model_copy(update={"family": family})
            key = hashlib.sha256(str(seed).encode()).hexdigest()
            state = JobState.FAILED if seed % 10 == 0 else JobState.DONE
            row = Submission(wish, key, f"run {seed}").first_row(state, seed)
            run_rows.put(db, replace(row, created=float(seed)))  # type: ignore[arg-type]
            run_rows.put_text(db, key, "spec", wish.model_dump(mode="json"))  # type: ignore[arg-type]

    store.index.write(change)


@item("E4", "so many stored runs, listed, filtered and opened", full=10_000, quick=2000)
def listing(home: Path, count: int) -> Outcome:
    """Time what the runs page asks; the answers must be right, too."""
    store = Store.open(home)
    fill(store, count)
    start = time.monotonic()
    page, all_of_them = store.jobs(limit=25), store.count()
    listed = time.monotonic() - start
    start = time.monotonic()
    found = store.jobs([JobState.FAILED], "digits run", limit=25)
    matching = store.count([JobState.FAILED], "digits run")
    filtered = time.monotonic() - start
    start = time.monotonic()
    spec = store.spec(page[-1].key)
    opened = time.monotonic() - start
    right = (
        all_of_them == count
        and [job.title for job in page] == [f"run {count - 1 - i}" for i in range(25)]
        and matching == sum(i % 4 == 2 for i in range(0, count, 10))
        and all("digits" in job.about and job.state == "failed" for job in found)
        and spec.seed == count - 25
    )
    figures = (
        f"{count} runs: page {listed * 1e3:.0f} ms, filter {filtered * 1e3:.0f} ms, "
        f"one run {opened * 1e3:.0f} ms, right: {right}"
    )
    fast = listed < 1 and filtered < 0.3 and opened < 0.5
    return Outcome(right and (fast or count < 10_000), figures)


_PLAY = "import sys; from tests.torture.scale import told; told({})"


def told(engine: bool) -> None:
    """Write the digest of one run's rows to standard output."""
    blocks = _real() if engine else list(fake.unbroken(fake.spec(3)).items())
    sys.stdout.write(hashlib.sha256(repr(blocks).encode()).hexdigest())


def _real() -> list[object]:
    from engine.catalogue import find_card
    from engine.contract.run_spec import complete_spec
    from engine.executors.worker_functions import load_toolkit
    from engine.presets import preset
    from tests.in_memory_run_cache import InMemoryRunCache

    tools = load_toolkit()
    spec = complete_spec(preset("smoke").spec, find_card, "cpu")
    blocks = [
        e for e in tools.run(spec, InMemoryRunCache(), None) if hasattr(e, "axes")
    ]
    return list(fake.rows(blocks).items())  # type: ignore[arg-type]


@item("D1", "one spec in fresh processes under load", full=20, quick=3)
def fresh_processes(home: Path, count: int) -> Outcome:
    """Play the smoke preset in full, the fake run in short; compare every bit."""
    real = count >= 20
    env = {**os.environ, "METASCOPE_HOME": str(home), "OMP_NUM_THREADS": "1"}
    answers = []
    for _ in range(0, count, 4):
        started = [
            subprocess.Popen(
                [sys.executable, "-c", _PLAY.format(real)],
                cwd=fake.root(),
                env=env,
                stdout=subprocess.PIPE,
            )
            for _ in range(min(4, count))
        ]
        answers += [process.communicate()[0] for process in started]
    different = len(set(answers))
    what = "the smoke preset" if real else "the fake run"
    return Outcome(
        different == 1 and len(answers[0]) == 64,
        f"{what} in {len(answers)} processes: {different} different result(s)",
    )
