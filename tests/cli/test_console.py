"""What people wrote is shown as they wrote it: no command takes it for markup."""

import ast
import io
import json
import sys
from pathlib import Path

import pytest
from rich.progress import Progress
from rich.table import Table

from engine import __main__
from engine.cli import console as cli_console
from engine.cli import progress_bar
from engine.store import Store
from tests.data.user.images import packed, picture
from tests.store import fake

ROOT = Path(__file__).resolve().parents[2]
HARSH = ["[/x]", "[bold]a", "[link=https://a.b]c", ":smile:", "[red]", "\\[b]"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


def output(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """Return all that a command wrote, out and err."""
    assert __main__.main(list(words)) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.mark.parametrize("text", HARSH)
@pytest.mark.parametrize("console", [cli_console.out, cli_console.err])
def test_a_console_shows_text_and_tables_as_they_are(
    text: str, console: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(console)
    table = Table(f"head {text}", box=None)
    table.add_row(f"cell {text}")
    console().print(f"line {text}")
    console().print(table)
    cli_console.print_error(f"error {text}")
    cli_console.print_json({"json": text.replace("\\", "")})
    shown = "".join(capsys.readouterr())
    for word in ("head", "cell", "line", "error"):
        assert f"{word} {text}" in shown
    assert text.replace("\\", "") in shown.rpartition("json")[2]


@pytest.mark.parametrize("name", HARSH)
def test_a_file_with_such_a_column_is_previewed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.csv"
    numbers = [7 * i % 40 for i in range(40)]  # in an order that counts no rows
    rows = "".join(f"{i},{i % 3}.5,{'no' if i % 2 else 'yes'}\n" for i in numbers)
    file.write_text(f"{name},b,answer\n{rows}")
    assert name in output(capsys, "data", "own", str(file), "--target", "answer")
    words = ("--target", name, "--value", "--drop")
    assert name in output(capsys, "data", "own", str(file), *words)
    assert name in output(capsys, "data", "own", str(file), "--target", "no", code=2)
    assert "sha256" in output(capsys, "data")


def test_images_of_such_a_class_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("[bold]a", ":smile:")
    drawn = {
        f"{name}/{i}.png": picture(1000 * place + i)
        for place, name in enumerate(names)
        for i in range(8)
    }
    file = tmp_path / "images.zip"
    file.write_bytes(packed(drawn))
    shown = output(capsys, "data", "own-images", str(file))
    assert "[bold]a" in shown and ":smile:" in shown


def test_a_table_of_such_architectures_is_previewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        f"[/d],[red]{one},{two},{0.5 + 0.01 * (3 * one + two)}"
        for one in range(3)
        for two in range(3)
    ]
    head = "dataset,op:[/x],op:b,validation"
    file = tmp_path / "table.csv"
    file.write_text("\n".join([head, *lines]) + "\n")
    shown = output(capsys, "data", "own-architectures", str(file))
    assert "[/x]" in shown and "[red]0" in shown and "[/d]" in shown


def test_runs_of_such_a_title_are_listed_and_shown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(home)
    key = fake.played(store, 1, steps=2)
    for text in HARSH:
        store.rename(key, text)
        assert text in output(capsys, "runs", "list")
        assert text in output(capsys, "runs", "show", key)
        assert text in output(capsys, "runs", "list", "--state", text, code=2)


def test_a_progress_bar_shows_a_learners_label_as_it_is() -> None:
    console = cli_console.err()
    with progress_bar.draw_progress_bar() as watch:
        watch.progress.update(watch.task, description="train [/x]")
        assert isinstance(watch.progress, Progress)
        with console.capture() as held:
            console.print(watch.progress.get_renderable())
    assert "train [/x]" in held.get()


def test_no_command_makes_a_console_of_its_own() -> None:
    files = [*(ROOT / "engine").rglob("*.py")]
    assert len(files) > 100
    own = {"rich.console", "rich.text", "rich.markup", "rich.prompt"}
    for file in files:
        tree = ast.parse(file.read_text())
        told = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        if file.name != "console.py":
            assert not own & set(told), file


def test_help_breaks_its_lines_only_where_the_terminal_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 400)
    __main__.main(["--help"])
    assert "130 interrupted. Errors are" in capsys.readouterr().out
    __main__.main(["sweep", "--help"])
    assert "the same command continues an interrupted" in capsys.readouterr().out


def test_a_console_of_an_old_code_page_ends_no_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    old = io.TextIOWrapper(raw, encoding="cp1252", errors="strict")
    monkeypatch.setattr(sys, "stdout", old)
    cli_console.replace_unknown_characters()
    cli_console.out().print("θ ← é")
    cli_console.print_json({"sign": "θ"})
    old.flush()
    text = raw.getvalue().decode("cp1252")
    assert "? ? é" in text and json.loads(text.partition("\n")[2]) == {"sign": "θ"}
