"""One finished run, made once; every test gets a store of its own with it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.charts import figure_cache
from app.client import block_cache, client, engine_process, examples, process_store
from app.client import catalogue as shelves
from engine.catalogue import cards, catalogue
from engine.contract.jobs import JobState
from engine.contract.runs import RunSpec, complete_spec, run_key
from engine.presets import preset
from engine.runner.loop import run
from engine.stats.run_summary import summarize
from engine.store import Store, StoreShelf

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def known() -> shelves.Catalogue:
    return shelves.parse(json.dumps(catalogue()))


@pytest.fixture(scope="session")
def tiny() -> RunSpec:
    spec = preset("smoke").spec
    budget = spec.budget.model_copy(
        update={"task_evaluations": 32, "tuning_tasks": 4, "horizon": 8}
    )
    return complete_spec(spec.model_copy(update={"budget": budget}), cards, "cpu")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, tiny: RunSpec) -> tuple[Path, str]:
    """A store that holds one finished run, and its key."""
    home = tmp_path_factory.mktemp("made") / "home"
    return home, finish(home, tiny)


def finish(home: Path, spec: RunSpec) -> str:
    """Compute a run and file it in a store; return its key."""
    store, key = Store.open(home), run_key(spec, cards)
    store.submit(spec, key, "First")
    claim = store.claim()
    assert claim is not None
    recorder = store.recorder(claim)
    for event in run(spec, StoreShelf(store.index)):
        recorder.add(event)
    recorder.tick()
    summary = summarize(store.blocks(key)[0], spec)
    texts = {"summary": summary, "fingerprint": {"device": "cpu"}}
    recorder.finish(JobState.DONE, texts)
    return key


@pytest.fixture
def home(
    made: tuple[Path, str],
    known: shelves.Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """A copy of that store, in use by the app; no engine is started."""
    yield from in_use(made[0], known, tmp_path, monkeypatch)


def in_use(
    made: Path,
    known: shelves.Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """Let the app use a copy of a store."""
    copy = tmp_path / "home"
    shutil.copytree(made, copy)
    monkeypatch.setenv("METASCOPE_HOME", str(copy))
    shelf = shelves.Shelf(lambda: None)
    shelf._made = known
    monkeypatch.setattr(client, "_shelf", shelf)
    monkeypatch.setattr(process_store, "_opened", {})
    monkeypatch.setattr(client, "_watches", block_cache.Watches())
    monkeypatch.setattr(engine_process, "state", lambda home: "warm")
    monkeypatch.setattr(examples, "FOLDER", tmp_path / "recorded")
    figure_cache._kept.clear()
    yield copy
    examples.read.cache_clear()


@pytest.fixture
def key(made: tuple[Path, str]) -> str:
    return made[1]


@pytest.fixture
def lab(home: Path) -> AppTest:
    return AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=60)
