"""The folder of a run: never replaced in silence, gone on with by a line to paste."""

import io
import json
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import __main__
from engine.cli.run import ProgressBar, RunCommand
from engine.contract.effort import Effort
from engine.contract.errors import Refused
from engine.contract.events import Event, Note
from engine.contract.parsing import parse_spec
from engine.executors import in_process
from engine.executors.in_process import ASKED, UNFINISHED, LocalRun
from engine.executors.stop_signal import StopSignal
from engine.store import Recorder, Store, StoreFull
from tests.cli.test_cli import FILES, TINY
from tests.store import fake

TEXT = json.dumps(TINY)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    (tmp_path / "my spec.json").write_text(TEXT)
    return "my spec.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.json").write_text(TEXT)
    words = ["run", str(folder / "tiny.json"), "--out", str(folder / "out")]
    assert __main__.main(words) == 0
    return folder / "out"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def copy(finished: Path, to: Path) -> Path:
    to.mkdir()
    for name, data in bytes_of(finished).items():
        (to / name).write_bytes(data)
    return to


def test_a_folder_of_another_run_is_refused_and_left_as_it_is(
    spec: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = copy(finished, tmp_path / "out")
    (tmp_path / "other.json").write_text(json.dumps(TINY | {"seed": 4}))
    before = bytes_of(out)
    assert __main__.main(["run", "other.json", "--out", "out"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert re.fullmatch(r"error: out holds another finished run \(\w+\); .*", line)
    assert "--force" in line and "another folder" in line
    assert bytes_of(out) == before


def test_a_forced_run_replaces_another(
    spec: str, finished: Path, tmp_path: Path
) -> None:
    out = copy(finished, tmp_path / "out")
    (out / "traceback.txt").write_text("of an attempt before")
    (tmp_path / "other.json").write_text(json.dumps(TINY | {"seed": 4}))
    assert __main__.main(["run", "other.json", "--out", "out", "--force"]) == 0
    assert set(bytes_of(out)) == FILES
    assert json.loads((out / "config.json").read_bytes())["seed"] == 4


def test_the_same_run_is_not_computed_again(
    spec: str,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def computed(*given: object) -> None:
        raise AssertionError("it was computed again")

    monkeypatch.setattr(LocalRun, "play", computed)
    out = copy(finished, tmp_path / "out")
    before = bytes_of(out)
    assert __main__.main(["run", spec, "--out", "out"]) == 0
    said = capsys.readouterr()
    filed = json.loads(before["summary.json"])
    assert said.out.split("\n")[0] == filed["headline"]
    assert " ".join(said.out.split()) == " ".join(filed["sentence"].split())
    assert "out already holds this run; add --force" in said.err
    assert bytes_of(out) == before
    assert __main__.main(["run", spec, "--out", "out", "--traces"]) == 2
    assert "without traces; add --force" in capsys.readouterr().err
    assert bytes_of(out) == before


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_unknown_file_is_not_replaced(
    spec: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("[1]")
    assert __main__.main(["run", spec, "--out", "out"]) == 2
    assert "out holds other results" in capsys.readouterr().err
    assert bytes_of(tmp_path / "out") == {name: b"[1]"}


def test_to_resume_and_to_force_at_once_is_refused(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["run", spec, "--out", "o", "--resume", "--force"]) == 2
    assert "give only one" in capsys.readouterr().err


def test_an_export_replaces_no_other_run_and_no_other_file(
    spec: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = copy(finished, tmp_path / "out")
    before = bytes_of(out)
    key = fake.played(Store.open(), 1, steps=2)
    export = ["runs", "export", key, "--out"]
    assert __main__.main([*export, "out"]) == 2
    assert "another finished run" in capsys.readouterr().err
    assert bytes_of(out) == before
    assert __main__.main([*export, "out", "--force"]) == 0
    assert __main__.main([*export, "out"]) == 0
    assert json.loads((out / "summary.json").read_bytes())["run"] == key
    (tmp_path / "a.zip").write_bytes(b"mine")
    assert __main__.main([*export, "a.zip"]) == 2
    assert "a.zip exists already" in capsys.readouterr().err
    assert (tmp_path / "a.zip").read_bytes() == b"mine"
    for words in (["--force"], []):
        assert __main__.main([*export, "a.zip", *words]) == 0


# interrupted ------------------------------------------------------------------
def interrupt_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first note of a run be answered by Ctrl-C, once."""
    taken, done = ProgressBar.__call__, []

    def once(watch: ProgressBar, event: Event) -> None:
        taken(watch, event)
        if isinstance(event, Note) and not done:
            done.append(event)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ProgressBar, "__call__", once)


@pytest.mark.parametrize("given", ["a file", "standard input"])
def test_the_printed_resume_command_can_be_pasted_and_finishes_the_same_run(
    given: str,
    spec: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Piped:
        buffer = io.BytesIO(TEXT.encode())

    monkeypatch.setattr(sys, "stdin", Piped)
    interrupt_first(monkeypatch)
    word = spec if given == "a file" else "-"
    options = ["--traces", "--device", "cpu"]
    assert __main__.main(["run", "--out", "my results", *options, word]) == 130
    told = capsys.readouterr().err.strip().splitlines()[-1]
    words = shlex.split(told.partition("resume with: ")[2])
    assert words[:4] == ["python", "-m", "engine", "run"]
    assert {"--traces", "--device", "--resume", "my results"} <= set(words)
    assert __main__.main(words[3:]) == 0
    assert set(bytes_of(tmp_path / "my results")) == FILES
    assert in_process.has_traces(tmp_path / "my results")


@pytest.mark.parametrize(
    "call",
    [
        RunCommand("smoke", None, None, "", False),
        RunCommand("my spec.json", None, None, "cuda", True, 3),
        RunCommand("-", None, None, "cpu", False),
        RunCommand("/dev/stdin", Effort.FIXED, 3, "", True),
    ],
)
@pytest.mark.parametrize("folder", ["o", "my results", "$(x) 'y' ; z", "-", "é\n"])
def test_a_line_to_paste_is_quoted_and_holds_every_option(
    call: RunCommand, folder: str, spec: str
) -> None:
    outing = LocalRun(parse_spec(TEXT), Path(folder), lambda event: None, StopSignal())
    words = shlex.split(call.resume_command(outing))
    last = str(Path(folder) / UNFINISHED / ASKED)
    asked = call.spec if call.spec in ("smoke", "my spec.json") else last
    assert words[4:7] == [asked, "--out", folder]
    assert ("--traces" in words) == call.traces
    assert ("--device" in words) == bool(call.device)
    assert not call.device or words[words.index("--device") + 1] == call.device
    assert ("--effort" in words) == bool(call.effort)
    assert not call.jobs or words[words.index("--jobs") + 1] == str(call.jobs)
    assert words[-1] == "--resume"


def test_an_unfinished_run_can_be_replaced(
    spec: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_first(monkeypatch)
    assert __main__.main(["run", spec, "--out", "out"]) == 130
    assert __main__.main(["run", spec, "--out", "out"]) == 2
    assert "--resume" in capsys.readouterr().err.strip().splitlines()[-1]
    assert __main__.main(["run", spec, "--out", "out", "--force"]) == 0
    assert set(bytes_of(Path("out"))) == FILES


def test_a_full_disk_is_told_with_the_command_that_goes_on(
    spec: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(recorder: Recorder) -> None:
        raise StoreFull("disk full")

    with monkeypatch.context() as full:
        full.setattr(Recorder, "flush", refuse)
        full.setattr(Recorder, "is_due", lambda recorder: True)
        assert __main__.main(["run", spec, "--out", "o", "--jobs", "1"]) == 1
    *_, error, told = capsys.readouterr().err.strip().splitlines()
    assert error == "error: disk full"
    assert told.startswith("free some space, then resume with: ")
    words = shlex.split(told.partition("resume with: ")[2])
    assert __main__.main(words[3:]) == 0


@pytest.mark.parametrize("name", ["METASCOPE_WORKERS", "METASCOPE_NICENESS"])
def test_a_setting_that_no_worker_would_take_is_refused_at_once(
    name: str,
    spec: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, "many")
    assert __main__.main(["run", spec, "--out", "o"]) == 2
    assert f"{name} must be a whole number" in capsys.readouterr().err
    assert not Path("o").exists()


# refused ----------------------------------------------------------------------
@pytest.mark.parametrize("after", [0, 1])
def test_a_refusal_by_a_part_is_bad_input_without_a_traceback(
    after: int,
    spec: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refusing(*given: object, **more: object) -> Iterator[Event]:
        yield from [Note("start", 0.0)] * after
        raise Refused("ways must be at most 5, not 9", "family.knobs.ways")

    tools = in_process.load_toolkit()
    monkeypatch.setattr(
        in_process, "load_toolkit", lambda: replace(tools, run=refusing)
    )
    assert __main__.main(["run", spec, "--out", "out"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines == ["error: ways must be at most 5, not 9"]
    assert not (tmp_path / "out").exists()
