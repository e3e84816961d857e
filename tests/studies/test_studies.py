"""Studies are data that can be run as they are, and each has its judge."""

import json
from pathlib import Path
from typing import get_args

import pytest

from engine import __main__, studies
from engine.catalogue import catalogue, discover_parts
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec
from engine.executors.in_process import settle_spec
from engine.stats.claims_board import STUDY_JUDGES
from engine.stats.claims_board.study_verdict import Verdict
from engine.store import Store
from engine.studies import study_benchmarks
from engine.studies.definition import COLD, RANDOM, WARM, Study, search_spec
from engine.studies.patterns_and_costs import pattern_and_cost_studies
from engine.studies.transfer import transfer_studies
from engine.tasks.search.mosaic import Mosaic

discover_parts()
MOSAIC = study_benchmarks._mosaic_benchmark()
GROUNDS = {
    "here": study_benchmarks.study_benchmark(),
    "mosaic": MOSAIC,
    "made up": study_benchmarks._nk_benchmark(),
}


def all_of(ground: study_benchmarks.StudyBenchmark) -> tuple[Study, ...]:
    return (*transfer_studies(ground), *pattern_and_cost_studies(ground))


@pytest.mark.parametrize("each", studies.studies(), ids=lambda s: s.name)
def test_every_spec_of_a_study_can_be_run_here(each: Study) -> None:
    for spec in each.specs[:3]:
        assert settle_spec(spec).learners


def test_every_study_has_its_judge_and_every_judge_its_study() -> None:
    assert {each.name for each in studies.studies()} == set(STUDY_JUDGES)


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
def test_every_number_comes_from_fifty_searches_or_more(
    ground: study_benchmarks.StudyBenchmark,
) -> None:
    for each in all_of(ground):
        for spec in each.specs:
            searches = spec.replicates * spec.budget.test_tasks
            # where only time is taken, each evaluation is a number
            timed = each.name == "overhead" and searches * spec.budget.horizon
            assert max(searches, timed // 2) >= 50
            assert len(spec.test_families) <= 16


def test_a_protocol_says_what_would_refute_the_claim() -> None:
    for each in studies.studies():
        assert "Supported:" in each.protocol and "Not supported:" in each.protocol


def test_the_catalogue_tells_specs_that_read_back_the_same() -> None:
    told = json.loads(json.dumps(catalogue()["studies"]))
    assert [each["name"] for each in told] == [s.name for s in studies.studies()]
    for each, known in zip(told, studies.studies(), strict=True):
        again = tuple(RunSpec.model_validate(spec) for spec in each["specs"])
        assert again == known.specs


def test_mosaic_is_left_out_one_task_at_a_time_and_none_is_chosen() -> None:
    tasks = set(get_args(Mosaic.model_fields["target"].annotation))
    assert set(study_benchmarks.TASKS) == tasks
    assert {choice.knobs["target"] for choice in MOSAIC.families} == tasks
    assert {choice.knobs["source"] for choice in MOSAIC.families} == {
        study_benchmarks.OTHERS
    }


def test_every_source_is_tried_on_every_other_task_and_never_on_itself() -> None:
    for family, others in MOSAIC.transfer_pairs:
        source = family.knobs["source"]
        targets = [family.knobs["target"], *(o.knobs["target"] for o in others)]
        assert sorted([source, *targets]) == sorted(study_benchmarks.PAIRS)
    firsts = [family.knobs["target"] for family, _ in MOSAIC.transfer_pairs]
    assert sorted(firsts) == sorted(
        study_benchmarks.PAIRS
    )  # so each task is filmed once


def test_studies_share_their_runs() -> None:
    every = {each.name: each.specs for each in studies.studies()}
    assert every["search_time"] == every["quality"] == every["cost"]
    assert every["near_domains"] == every["adaptation"]


def test_an_unknown_study_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Refused, match="search_time, quality"):
        studies.study("nonsense")


# --- the command --------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Study:
    """Return a study of two runs that take no time."""
    specs = []
    for kinship in (0.9, 0.5):
        family = study_benchmarks.Choice(
            name="nk_landscape", knobs={"kinship": kinship, "size": 3, "choices": 3}
        )
        spec = search_spec(family, WARM, COLD, RANDOM, sources=2, horizon=8)
        budget = spec.budget.model_copy(update={"test_tasks": 2})
        specs.append(spec.model_copy(update={"budget": budget, "replicates": 2}))
    made = Study("search_time", "Time", "It saves time.", "How.", tuple(specs), "here")
    monkeypatch.setattr(studies, "studies", lambda: (made,))
    return made


def test_a_study_is_measured_once_and_then_read_from_the_store(
    home: Path, tiny: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["study", tiny.name, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["judgment"]["verdict"] in get_args(Verdict)
    assert [row["What"] for row in first["judgment"]["rows"]] == [
        "kinship 0.9",
        "kinship 0.5",
    ]
    finished = {job.key: job.finished for job in Store.open(home).jobs()}
    assert len(finished) == 2
    assert __main__.main(["study", tiny.name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert {job.key: job.finished for job in Store.open(home).jobs()} == finished


def test_a_verdict_is_printed_with_its_interval(
    home: Path, tiny: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["study", tiny.name]) == 0
    told = capsys.readouterr()
    assert "It saves time." in told.out and "% of the search time" in told.out
    assert "How." in told.err and "nan" not in told.out


def test_studies_are_listed_without_a_name(
    home: Path, tiny: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["study"]) == 0
    assert "It saves time." in capsys.readouterr().out


def test_an_unknown_study_is_one_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["study", "nonsense"]) == 2
    assert "no study is called 'nonsense'" in capsys.readouterr().err
