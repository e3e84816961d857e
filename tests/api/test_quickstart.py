"""The quickstart notebook runs from top to bottom, in a kernel as a user has it."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import metascope as ms

ROOT = Path(__file__).parents[2]
API = ROOT / "engine" / "api"


def test_the_readmes_script_runs_and_has_at_most_12_lines(
    smoke: ms.Result,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (ROOT / "README.md").read_text().partition("## From Python")[2]
    script = text.partition("```python\n")[2].partition("```")[0]
    assert len(script.splitlines()) <= 12
    asked: list[ms.Spec] = []

    def run(base: str, **changes: object) -> ms.Result:
        asked.append(ms.spec(base, **changes))
        return smoke  # a smaller experiment that the other tests look at, too

    monkeypatch.setattr(ms, "run", run)
    monkeypatch.chdir(tmp_path)
    exec(script.replace(".show()", ""), {})  # no browser
    assert [each.full.replicates for each in asked] == [16]
    assert "tuned SGD" in capsys.readouterr().out
    page = (tmp_path / "report.html").read_text()
    assert len(page) > 100_000 and smoke.key[:12] in page


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_quickstart_runs_and_says_what_it_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(API))
    monkeypatch.setenv("IPYTHONDIR", os.environ["METASCOPE_HOME"])
    book = nbformat.read(API / "quickstart.ipynb", as_version=4)
    NotebookClient(book, timeout=100, kernel_name="python3").execute()
    printed = [
        output["text"]
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
    ]
    assert any("did you mean 'hidden'" in text for text in printed)
    assert any("sign descent" in text.lower() for text in printed)
