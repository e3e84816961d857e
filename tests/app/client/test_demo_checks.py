"""A run that is too large for the demo is refused before it starts."""

from pathlib import Path

import pytest

from app.client import client, demo_checks, process_store, spec_checks
from app.client.catalogue import Catalogue
from app.client.process_store import Visitor
from app.experiment import cost_estimate, run_needs
from app.experiment.speeds import Speeds
from app.experiment.timed_runs import shipped_runs
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec, complete_spec
from engine.presets import preset

VISITOR = "a" * 32
DEFAULTS = ("default", "few_shot", "bandit", "search")


@pytest.fixture(autouse=True)
def demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    monkeypatch.setattr(process_store._Demo, "find_visitor", lambda: Visitor(VISITOR))
    monkeypatch.setattr(process_store, "is_public", lambda key: False)
    monkeypatch.setattr(demo_checks._Estimates, "of", run_needs.estimate_needs)
    shipped = Speeds(shipped_runs()), 0  # this machine may be busy with other tests
    monkeypatch.setattr(cost_estimate, "known_speeds", lambda: shipped)


def of_size(known: Catalogue, **budget: int) -> RunSpec:
    spec = preset("default").spec
    budget = spec.budget.model_copy(update=budget)
    return complete_spec(spec.model_copy(update={"budget": budget}), known.card, "cpu")


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_each_kind_begins_with_is_within_the_limits(
    known: Catalogue, name: str
) -> None:
    spec = complete_spec(preset(name).spec, known.card, "cpu")
    assert demo_checks.check_limits(spec) == []


@pytest.mark.parametrize(
    ("setting", "budget", "said"),
    [
        ("RUN_MINUTES", {"task_evaluations": 100_000}, "h on one core"),
        ("RUN_MILLION_GRADIENTS", {"horizon": 500}, "million gradients"),
        ("RUN_DISK_MIB", {"test_tasks": 1000}, "MiB"),
    ],
)
def test_a_run_beyond_a_limit_is_refused_and_not_stored(
    known: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    budget: dict[str, int],
    said: str,
) -> None:
    spec, store = of_size(known, **budget), process_store.shared_store()
    before = store.count(kind=None)
    found = demo_checks.check_limits(spec)
    assert any(said in sentence and sentence.count(".") == 1 for sentence in found)
    with pytest.raises(Refused, match="of this demo may"):
        client.submit(spec)
    assert store.count(kind=None) == before
    monkeypatch.setenv(f"METASCOPE_DEMO_{setting}", "9999")
    assert not any(said in each for each in demo_checks.check_limits(spec))


def test_a_result_that_is_there_is_opened_whatever_it_took(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = process_store.shared_store().spec(key)
    monkeypatch.setattr(demo_checks, "describe_excess", lambda *asked: ["Too large."])
    assert client.submit_completed((spec, key)).key == key
    with pytest.raises(Refused, match="Too large"):
        client.submit_completed((spec, "0" * 64))


def test_what_only_the_engine_knows_is_asked_before_the_queue(
    known: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TooFewClasses(spec_checks.SpecChecker):
        def refusal(self, key: str, spec: RunSpec, seconds: float) -> str:
            return "ways must be at most 5, not 9"

    monkeypatch.setattr(spec_checks, "checker", TooFewClasses())
    with pytest.raises(Refused, match="ways must be at most 5"):
        client.submit(of_size(known))
    # What ships is within all limits, and no question delays it.
    monkeypatch.setattr(process_store, "is_public", lambda key: True)
    assert client.submit(of_size(known)).key


def test_without_estimates_nothing_is_started(
    known: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_checks._Estimates, "of", None)
    with pytest.raises(RuntimeError, match="use_estimates"):
        client.submit(of_size(known))
    monkeypatch.setenv("METASCOPE_MODE", "local")
    assert demo_checks.check_limits(of_size(known)) == []


def test_the_log_holds_no_title_and_no_whole_name(
    known: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    settled = client.complete_with_key(preset("smoke").spec)
    client.submit_completed(settled, "a secret title")
    told = capsys.readouterr().err
    assert '"event": "run_accepted"' in told and VISITOR[:8] in told
    assert not any(text in told for text in (VISITOR, settled[1], "secret"))
