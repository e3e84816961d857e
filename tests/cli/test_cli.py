"""The command line: what it prints, what it writes, how it ends."""

import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import __main__
from engine.catalogue import find_card
from engine.cli import run
from engine.contract.effort import Effort
from engine.contract.jobs import JobState
from engine.contract.parsing import parse_spec
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec
from engine.executors import in_process
from engine.executors.in_process import settle_spec
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import load_toolkit
from engine.presets import preset, spec_as_json
from engine.store import Store
from engine.tasks.optimization.own_data import OwnData

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "family": {"name": "mixtures"},
    "learners": [
        {"name": "lr_scale"},
        {"name": "sgd", "role": "baseline"},
    ],
    "budget": {
        "task_evaluations": 24,
        "tasks_per_step": 2,
        "validation_tasks": 2,
        "validate_every": 2,
        "test_tasks": 2,
        "horizon": 8,
        "tuning_tasks": 4,
        "threshold": 0.5,
    },
    "replicates": 2,
    "seed": 3,
}
FILES = {
    *("metrics.csv", "claims.csv", "timings.csv", "config.json", "summary.json"),
    *("DATA_DICTIONARY.md", "run.zip"),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    monkeypatch.setenv("METASCOPE_HOME", str(place))
    return place


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    return written(tmp_path / "tiny.json", TINY)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    spec = written(folder / "tiny.json", TINY)
    assert __main__.main(["run", spec, "--out", str(folder / "out")]) == 0
    return folder / "out"


def written(path: Path, value: object) -> str:
    path.write_text(json.dumps(value))
    return str(path)


def called(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", *words],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def errors(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.strip().splitlines()


# --- run ----------------------------------------------------------------------


def test_a_run_writes_its_files_and_nothing_else(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == FILES


def test_a_run_files_the_completed_spec_and_its_verdict(finished: Path) -> None:
    asked = settle_spec(parse(TINY))
    assert json.loads((finished / "config.json").read_text()) == asked.model_dump(
        mode="json"
    )
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["run"] == run_key(asked, find_card)
    assert summary["sentence"]
    assert summary["fingerprint"]["threads"] == 1


def test_a_config_that_was_written_runs_to_the_same_numbers(
    finished: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    config = str(finished / "config.json")
    assert __main__.main(["run", config, "--out", str(again)]) == 0
    for name in ("metrics.csv", "config.json"):
        assert (again / name).read_bytes() == (finished / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "looks", "replicates"),
    [
        (["--effort", "quick", "--replicates", "3"], [3], 3),
        (["--effort", "until-decided", "--replicates", "12"], [8, 12], 12),
        (["--effort", "fixed"], None, 2),
        (["--replicates", "3"], None, 3),
    ],
)
def test_an_effort_becomes_looks_and_is_in_the_command_that_resumes(
    options: list[str], looks: list[int] | None, replicates: int, tiny: str
) -> None:
    effort = Effort(options[1]) if "--effort" in options else None
    count = int(options[-1]) if "--replicates" in options else None
    call = run.RunCommand(tiny, effort, count, "", traces=False)
    asked = call.with_effort(settle_spec(parse(TINY)))
    assert asked.model_dump(mode="json").get("looks") == looks
    assert asked.replicates == replicates
    local = in_process.LocalRun(asked, Path("out"), lambda event: None, StopSignal())
    assert call.resume_command(local).split()[7:-1] == options
    assert call.with_effort(asked) == asked  # it is asked of the settled spec again


def test_a_quick_run_files_its_one_look(tiny: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--effort", "quick", "--replicates", "1"]
    assert __main__.main(["run", tiny, "--out", str(out), *options]) == 0
    filed = json.loads((out / "config.json").read_text())
    assert (filed["replicates"], filed["looks"]) == (1, [1])


@pytest.mark.parametrize(
    "options", [["--effort", "long"], ["--replicates", "0"], ["--replicates", "513"]]
)
def test_an_effort_that_there_is_not_is_refused(
    options: list[str], tiny: str, tmp_path: Path
) -> None:
    assert __main__.main(["run", tiny, "--out", str(tmp_path / "o"), *options]) == 2


def test_traces_are_written_only_when_asked_for(
    finished: Path, tiny: str, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    assert __main__.main(["run", tiny, "--out", str(full), "--traces"]) == 0
    assert single_losses(finished) == 0
    members = 2 * 2  # replicates × test tasks, each with 9 losses and two learners
    assert single_losses(full) == members * 9 * 2


def test_an_interrupted_run_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    body = TINY | {"budget": TINY["budget"] | {"task_evaluations": 1200}}  # type: ignore[operator]
    spec = written(tmp_path / "longer.json", body)
    whole, broken = str(tmp_path / "whole"), str(tmp_path / "broken")
    assert __main__.main(["run", spec, "--out", whole]) == 0

    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "run", spec, "--out", broken],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_it_trains(Path(broken))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert "stopping…" in told
    assert "--resume" in told.strip().splitlines()[-1]
    assert not (Path(broken) / "metrics.csv").exists()

    assert __main__.main(["run", spec, "--out", broken]) == 2
    assert __main__.main(["run", spec, "--out", broken, "--resume"]) == 0
    for name in ("metrics.csv", "config.json"):
        one, two = (Path(folder) / name for folder in (whole, broken))
        assert one.read_bytes() == two.read_bytes()
    assert {path.name for path in Path(broken).iterdir()} == FILES


@pytest.mark.parametrize(
    ("where", "bar"),
    [
        ("engine.executors.in_process.settle_spec", "starting"),
        ("engine.runner.memory_estimate.check_memory", "estimating memory"),
        ("engine.executors.in_process.load_toolkit", "starting"),
    ],
)
def test_an_interrupt_before_anything_is_computed_ends_at_once_and_leaves_nothing(
    where: str,
    bar: str,
    tiny: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = ["starting"]
    monkeypatch.setattr(run.ProgressBar, "show", lambda self, what: shown.append(what))

    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("it went on")

    monkeypatch.setattr(where, interrupted)
    out = tmp_path / "out"
    assert __main__.main(["run", tiny, "--out", str(out)]) == 130
    assert "stopping…" in capsys.readouterr().err
    assert not out.exists()
    assert shown[-1] == bar


def test_an_interrupt_that_python_loses_ends_the_run_at_its_first_event(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("engine.runner.memory_estimate.check_memory", lose)
    assert __main__.main(["run", tiny, "--out", str(tmp_path / "out")]) == 130


def test_a_diverged_run_keeps_its_rows_and_ends_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learners = [{"name": "sgd", "knobs": {"lr": 1e4}}]
    budget = TINY["budget"] | {"horizon": 60}  # type: ignore[operator]
    spec = written(
        tmp_path / "wild.json", TINY | {"learners": learners, "budget": budget}
    )
    assert __main__.main(["run", spec, "--out", str(tmp_path / "out")]) == 3
    assert errors(capsys)[-1].startswith("error: ")
    with (tmp_path / "out" / "metrics.csv").open() as file:
        statuses = {row["status"] for row in csv.DictReader(file)}
    assert "diverged" in statuses


def test_a_failed_run_ends_with_1_in_one_line_and_leaves_its_traceback(
    tiny: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*given: object, **more: object) -> Iterator[object]:
        raise ArithmeticError("the part is broken")
        yield

    tools = in_process.load_toolkit()
    monkeypatch.setattr(in_process, "load_toolkit", lambda: replace(tools, run=broken))
    assert __main__.main(["run", tiny, "--out", str(tmp_path / "out")]) == 1
    assert errors(capsys)[-1].startswith("error: ArithmeticError: the part is broken")
    assert "broken" in (tmp_path / "out" / "traceback.txt").read_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "this is not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"family": {"name": "mixtures"}, "learners": []}', "learners"),
        (
            '{"family": {"name": "mixtures"}, "learners": [{"name": "sgd"}], "x": 1}',
            "no such field",
        ),
        (
            '{"family": {"name": "nowhere"}, "learners": [{"name": "sgd"}]}',
            "no family is called 'nowhere'",
        ),
        (
            '{"family": {"name": "mixtures"}, "learners": [{"name": "sgd",'
            ' "knobs": {"lr": -1}}]}',
            "learners[0].knobs.lr: Learning rate must be a number from",
        ),
        (
            '{"family": {"name": "mixtures"}, "learners": [{"name": "sgd",'
            ' "learning_rte": 1}]}',
            "did you mean 'learners[0].knobs.lr'?",
        ),
        (
            '{"family": {"name": "mixtures"}, "learners": [{"name": "sgd"}],'
            ' "device": "tpu"}',
            "device",
        ),
    ],
)
def test_a_bad_spec_is_one_line_and_nothing_is_made(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "bad.json"
    spec.write_text(text)
    assert __main__.main(["run", str(spec), "--out", str(tmp_path / "out")]) == 2
    lines = errors(capsys)
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert told in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "nosuchpreset", "--out", "x"],
        ["run", "nosuchfile.json", "--out", "x"],
        ["run", "smoke"],
        ["run", "smoke", "--out", "/proc/nowhere"],
        ["run", "smoke", "--out", "x", "--device", "tpu"],
        ["presets", "nosuchpreset"],
        ["runs", "show", "xyz"],
        ["runs", "show", "abcd1234"],
        ["runs", "list", "--state", "asleep"],
        ["runs", "import", "nosuchfile.zip"],
        ["data", "own", "nosuchfile.csv"],
        ["nosuchcommand"],
        ["runs", "list", "--nosuchoption"],
    ],
    ids=" ".join,
)
def test_bad_input_ends_with_2_and_one_line(
    words: list[str],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Store.open(home)
    assert __main__.main(words) == 2
    lines = errors(capsys)
    assert len(lines) == 1
    assert lines[0].startswith("error: ")


def test_a_folder_with_an_unfinished_run_of_another_spec_is_refused(
    tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    other = settle_spec(parse(TINY | {"seed": 4}))
    store = Store.open(out / in_process.UNFINISHED)
    store.submit(other, run_key(other, find_card))
    assert __main__.main(["run", tiny, "--out", str(out), "--resume"]) == 2
    assert "another spec" in errors(capsys)[-1]


def test_resume_without_an_unfinished_run_is_refused(
    tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert __main__.main(["run", tiny, "--out", out, "--resume"]) == 2
    assert "no unfinished run" in errors(capsys)[-1]


# --- catalogue, presets, data, doctor ---------------------------------------------


def test_a_printed_preset_is_its_spec(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["presets", "smoke"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == spec_as_json(preset("smoke").spec)


def test_the_catalogue_prints_only_json() -> None:
    done = called("catalogue", "--json")
    assert done.returncode == 0
    assert {card["slot"] for card in json.loads(done.stdout)["cards"]} >= {"learner"}
    assert done.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "list"],
        ["presets"],
        ["data"],
        ["data", "fetch"],
        ["presets", "smoke"],
        ["supervise", "--stop"],
    ],
    ids=" ".join,
)
def test_a_command_that_computes_nothing_imports_no_torch(
    words: list[str], tmp_path: Path
) -> None:
    program = (
        "import sys; from engine.__main__ import main;"
        f"code = main({words!r}); assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "METASCOPE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_data_lists_what_is_brought_along(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["data", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    present = {e["families"][0] for e in entries if e["state"] == "present"}
    assert present >= {"digits", "breast_cancer", "wine", "iris", "diabetes"}


def test_own_data_becomes_a_spec_that_runs(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i % 17},{i % 23},{'yes' if i % 17 > 8 else 'no'}" for i in range(300)]
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["a,b,answer", *rows]) + "\n")
    assert __main__.main(["data", "own", str(file), "--target", "answer"]) == 0
    spec = json.loads(capsys.readouterr().out)
    body = TINY | {"family": spec["family"]}
    path = written(tmp_path / "own.json", body)
    assert __main__.main(["run", path, "--out", str(tmp_path / "out")]) == 0


def test_points_of_a_small_file_fit_its_smallest_pool(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i},{i * i},{'abc'[i % 3]}" for i in range(150)]
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["a,b,answer", *rows]) + "\n")
    assert __main__.main(["data", "own", str(file), "--target", "answer"]) == 0
    knobs = json.loads(capsys.readouterr().out)["family"]["knobs"]
    assert (knobs["examples"], knobs["held_out"]) == (30, 15)
    OwnData.model_validate(knobs).check()


def test_empty_cells_can_be_filled_with_the_mean(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i or ''},{i % 7},{'yes' if i % 2 else 'no'}" for i in range(300)]
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["a,b,answer", *rows]) + "\n")
    words = ["data", "own", str(file), "--target", "answer"]
    assert __main__.main(words) == 2
    assert any("(--drop or --mean)" in line for line in errors(capsys))
    assert __main__.main([*words, "--mean"]) == 0
    knobs = json.loads(capsys.readouterr().out)["family"]["knobs"]
    assert (knobs["empty"], knobs.get("text", "refuse")) == ("mean", "refuse")


def test_classes_that_look_the_same_are_told(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i},{('alder', 'alder ', 'birch')[i % 3]}" for i in range(150)]
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["a,answer", *rows]) + "\n")
    assert __main__.main(["data", "own", str(file), "--target", "answer"]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "'alder' and 'alder ' are counted as different classes" in told


def test_own_data_without_a_target_is_previewed_and_not_kept(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.csv"
    file.write_text("a,answer\n1,x\n2,y\n")
    assert __main__.main(["data", "own", str(file)]) == 2
    assert any("answer" in line for line in errors(capsys))
    assert not (home / "own").exists()


def test_the_doctor_is_content_here(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["doctor"]) == 0
    assert "WRONG" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["METASCOPE_WORKERS", "METASCOPE_NICENESS"])
def test_the_doctor_names_a_bad_setting_and_checks_the_rest(
    name: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, "many")
    assert __main__.main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    wrong = [line for line in lines if line.startswith("WRONG")]
    assert len(wrong) == 1
    assert f"{name} must be a whole number" in wrong[0]
    assert any(line.split()[:2] == ["ok", "disk"] for line in lines)


def test_the_doctor_names_a_damaged_run_and_ends_with_1(
    home: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = stored(home)
    chunk = next((Store.open().folder(key)).glob("*.arrow"))
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(bytes(data))
    assert __main__.main(["doctor"]) == 1
    wrong = [
        line
        for line in capsys.readouterr().out.splitlines()
        if line.startswith("WRONG")
    ]
    assert len(wrong) == 1
    assert key[:12] in wrong[0]


# --- runs ---------------------------------------------------------------------


def test_a_stored_run_is_worked_off_listed_and_exported_as_headless_does(
    home: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = stored(home)
    assert __main__.main(["runs", "list", "--json"]) == 0
    jobs = json.loads(capsys.readouterr().out)
    assert [(job["key"], job["state"]) for job in jobs] == [(key, "done")]

    out = tmp_path / "exported"
    assert __main__.main(["runs", "export", key[:10], "--out", str(out)]) == 0
    for name in ("metrics.csv", "config.json"):
        assert (out / name).read_bytes() == (finished / name).read_bytes()

    assert __main__.main(["runs", "show", key[:10]]) == 0
    verdict = json.loads((out / "summary.json").read_text())["headline"]
    assert verdict in capsys.readouterr().out


def test_an_archive_carries_a_run_to_another_store(
    home: Path,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = stored(home)
    archive, out = tmp_path / "run.zip", tmp_path / "exported"
    assert __main__.main(["runs", "export", key[:10], "--out", str(archive)]) == 0
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "elsewhere"))
    assert __main__.main(["runs", "import", str(archive)]) == 0
    assert __main__.main(["runs", "export", key[:10], "--out", str(out)]) == 0
    name = "metrics.csv"
    assert (out / name).read_bytes() == (finished / name).read_bytes()


def test_a_queued_run_is_cancelled_queued_again_and_deleted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = settle_spec(parse(TINY))
    key = run_key(spec, find_card)
    store = Store.open()
    store.submit(spec, key)
    start = key[:8]
    for words, state in (("cancel", JobState.CANCELLED), ("resume", JobState.QUEUED)):
        assert __main__.main(["runs", words, start]) == 0
        job = store.job(key)
        assert job is not None
        assert job.state == state
    assert __main__.main(["runs", "delete", start]) == 2
    assert "--yes" in errors(capsys)[-1]
    assert __main__.main(["runs", "delete", start, "--yes"]) == 0
    assert store.job(key) is None


def test_runs_are_tagged_noted_and_listed_by_kind_call_and_number(
    home: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = stored(home)
    assert __main__.main(["runs", "tag", key[:8], "paper", "first try"]) == 0
    assert __main__.main(["runs", "tag", key[:8], "--remove", "first try"]) == 0
    assert __main__.main(["runs", "note", key[:8], "Watch the tail."]) == 0
    assert __main__.main(["runs", "show", key[:8]]) == 0
    shown = capsys.readouterr().out
    assert "paper" in shown and "Watch the tail." in shown and "first try" not in shown
    (claim,) = [
        each
        for each in json.loads((finished / "summary.json").read_text())["claims"]
        if each["primary"]
    ]
    assert __main__.main(["runs", "list"]) == 0
    listed = capsys.readouterr().out
    assert all(word in listed for word in ("Optimizer", claim["call"], "paper"))
    for where, expected in (("replicates >= 1", [key]), ("replicates < 1", [])):
        words = ["runs", "list", "--where", where, "--tag", "paper", "--json"]
        assert __main__.main(words) == 0
        found = json.loads(capsys.readouterr().out)
        assert [job["key"] for job in found] == expected
        assert all(job["answer"]["call"] == claim["call"] for job in found)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--where", "area"], "area < -3"),
        (["--where", "colour < 1"], "'colour'"),
        (["--where", "area < nan"], "finite"),
        (["--kind", "cats"], "'cats'"),
        (["--sort", "taste"], "'taste'"),
        (["--state", "asleep"], "'asleep'"),
    ],
)
def test_a_wrong_filter_is_one_line_with_what_is_allowed(
    home: Path, words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["runs", "list", *words]) == 2
    assert named in errors(capsys)[-1]


def test_a_done_run_cannot_be_resumed(
    home: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["runs", "resume", stored(home)[:8]]) == 2
    assert errors(capsys)[-1] == "error: a done job cannot become queued"


# --- the README -------------------------------------------------------------------


def test_the_learner_of_the_readme_is_one_file_that_runs(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text().partition("## A learner of your own")[2]
    block = text.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "sign_descent.py").write_text(block)
    learners = [{"name": "sign_descent", "knobs": {"tuning": "tuned"}}]
    spec = written(tmp_path / "spec.json", TINY | {"learners": learners})
    program = (
        "import sys, engine.learners.baseline as room;"
        f"room.__path__.append({str(tmp_path)!r});"
        "from engine.__main__ import main;"
        f"sys.exit(main(['run', {spec!r}, '--out', {str(tmp_path / 'out')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "metrics.csv").open() as file:
        assert "sign_descent" in {row["learner"] for row in csv.DictReader(file)}


def test_every_file_that_the_readme_names_exists() -> None:
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"`((?:engine|app|tests|pages)/[\w/.-]+)`", text))
    named |= set(re.findall(r"\]\(([\w/.-]+)\)", text))
    made = {"engine/learners/baseline/sign_descent.py"}
    assert len(named) > 3
    assert [name for name in named - made if not (ROOT / name).exists()] == []


def parse(body: object) -> RunSpec:
    return parse_spec(json.dumps(body))


def stored(home: Path) -> str:
    """Queue the tiny run in the store and let a worker of this process play it."""
    spec = settle_spec(parse(TINY))
    store = Store.open(home)
    store.submit(spec, run_key(spec, find_card))
    claim = store.claim()
    assert claim is not None
    play(store, claim, load_toolkit(), StopSignal())
    return claim.key


def single_losses(folder: Path) -> int:
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return sum(
        (row["metric"], row["statistic"], row["phase"]) == ("loss", "value", "test")
        for row in rows
    )


def wait_until_it_trains(folder: Path) -> None:
    """Wait until the run has written something of its own."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = list((folder / in_process.UNFINISHED).rglob("*.arrow"))
        if found:
            return
        time.sleep(0.05)
    raise AssertionError("it wrote nothing in a minute")
