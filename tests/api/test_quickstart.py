"""The quickstart notebook runs from top to bottom, in a kernel as a user has it."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

API = Path(__file__).parents[2] / "engine" / "api"


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
