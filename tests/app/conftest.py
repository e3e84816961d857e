"""One finished run, made once; every test gets a store of its own with it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.charts import figure_cache
from app.client import catalogue as shelves
from app.client import (
    client,
    engine_process,
    process_store,
    recorded_claims,
    recorded_examples,
    run_block_cache,
    spec_checks,
)
from app.form import all_settings
from engine.catalogue import catalogue, find_card
from engine.contract.jobs import JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec, complete_spec
from engine.presets import preset
from engine.runner.loop import run
from engine.stats.run_summary import summarize
from engine.store import Store, StoredRunCache

ROOT = Path(__file__).resolve().parents[2]


class NoEngine(spec_checks.SpecChecker):
    """Accepts every spec, as no engine is started."""

    def refusal(self, key: str, spec: RunSpec, seconds: float) -> str | None:
        return ""


@pytest.fixture(scope="session")
def known() -> shelves.Catalogue:
    return shelves.parse_catalogue(json.dumps(catalogue()))


@pytest.fixture(scope="session")
def tiny() -> RunSpec:
    spec = preset("smoke").spec
    budget = spec.budget.model_copy(
        update={"task_evaluations": 32, "tuning_tasks": 4, "horizon": 8}
    )
    return complete_spec(spec.model_copy(update={"budget": budget}), find_card, "cpu")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, tiny: RunSpec) -> tuple[Path, str]:
    """A store that holds one finished run, and its key."""
    home = tmp_path_factory.mktemp("made") / "home"
    return home, finish(home, tiny)


def finish(home: Path, spec: RunSpec) -> str:
    """Compute a run and file it in a store; return its key."""
    store, key = Store.open(home), run_key(spec, find_card)
    store.submit(spec, key, "First")
    claim = store.claim()
    assert claim is not None
    recorder = store.recorder(claim)
    for event in run(spec, StoredRunCache(store.index)):
        recorder.add(event)
    recorder.flush()
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
    cache = shelves.CatalogueCache(lambda: None)
    cache._made = known
    monkeypatch.setattr(client, "_catalogue_cache", cache)
    monkeypatch.setattr(process_store, "_stores", {})
    monkeypatch.setattr(client, "_block_cache", run_block_cache.BlockCache())
    client._runs.clear()
    monkeypatch.setattr(engine_process, "ensure_supervisor", lambda home: "warm")
    monkeypatch.setattr(recorded_examples, "FOLDER", tmp_path / "recorded")
    monkeypatch.setattr(recorded_claims, "FILE", tmp_path / "claims.json")
    recorded_claims.read_board.cache_clear()
    monkeypatch.setattr(spec_checks, "checker", NoEngine())
    figure_cache._figures.clear()
    yield copy
    recorded_examples.read_recorded.cache_clear()
    recorded_claims.read_board.cache_clear()


@pytest.fixture
def key(made: tuple[Path, str]) -> str:
    return made[1]


@pytest.fixture
def lab(home: Path) -> AppTest:
    return open_lab()


def open_settings(at: AppTest, group: str) -> AppTest:
    """Open all settings of the form at one of their groups."""
    at.session_state[all_settings.TAB] = group
    return at.button(key="open_settings").click().run()


def open_lab(kind: str = "optimization") -> AppTest:
    """Return the Lab, not yet run, with the form of a kind of task."""
    at = AppTest.from_file(str(ROOT / "app/navigation.py"), default_timeout=60)
    at.session_state["k.kind"] = kind
    return at.switch_page("../pages/lab.py")
