"""The notebook computes its run again, from top to bottom, and finds its numbers."""

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from engine.executors import in_process
from engine.export import RunRecord, notebook_json, python_script
from engine.presets import preset
from engine.runner.loop import run
from engine.stats.run_summary import summarize
from tests.in_memory_run_cache import InMemoryRunCache

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def record() -> RunRecord:
    spec = preset("smoke").spec
    few = {"task_evaluations": 8, "tuning_tasks": 2, "horizon": 4, "test_tasks": 4}
    spec = spec.model_copy(
        update={"budget": spec.budget.model_copy(update=few), "shifts": ()}
    )
    spec, key = in_process.settle_spec(spec, "cpu"), ""
    made = RunRecord.from_events(key, spec, run(spec, InMemoryRunCache()))
    return made._replace(summary=summarize(made.blocks, spec))


def opened(record: RunRecord, title: str = "A run") -> nbformat.NotebookNode:
    return nbformat.reads(notebook_json(record, title).decode(), as_version=4)


def test_it_is_a_notebook_whatever_its_title(record: RunRecord) -> None:
    found = opened(record, "<script>alert(1)</script> $x$")
    nbformat.validate(found)
    first = found.cells[0].source.splitlines()[0]
    assert first == r"# \<script\>alert\(1\)\</script\> \$x\$"


def test_it_runs_from_top_to_bottom_and_finds_the_same_numbers(
    record: RunRecord, tmp_path: Path
) -> None:
    found = opened(record)
    place = "METASCOPE = Path.cwd()"
    assert place in found.cells[1].source
    found.cells[1].source = found.cells[1].source.replace(
        place, f"METASCOPE = Path({str(ROOT)!r})"
    )
    done = NotebookClient(
        found, timeout=100, resources={"metadata": {"path": tmp_path}}
    )
    done.execute()
    said = "".join(
        output.get("text", "")
        for cell in found.cells
        for output in cell.get("outputs", ())
    )
    assert "The numbers are the same." in said
    assert str((record.summary or {})["headline"]) in said
    assert "application/vnd.plotly" in json.dumps(found)


def test_other_numbers_are_told_apart(record: RunRecord) -> None:
    """Run the last cells alone, on rows of which one number is another."""
    import pandas as pd

    cells = [c.source for c in opened(record).cells if c.cell_type == "code"]
    stored, compare, conclude = cells[-3:]
    scope: dict[str, object] = {}
    exec(stored, scope)
    claim = scope["STORED"]["claims"][0]  # type: ignore[index]
    rows = {"learner": [claim["learner"], claim["against"]], "value": [5.0, 1.0]}
    rows |= {"metric": [claim["metric"]] * 2, "statistic": ["mean"] * 2}
    scope |= {"clean": pd.DataFrame(rows), "pd": pd, "json": json}
    head, _, loop = compare.partition("\n\n\n")
    assert "summary.json" in head
    scope["summary"] = dict(record.summary or {}) | {
        "claims": [claim | {"condition": {}}]
    }
    scope["STORED"]["claims"] = [claim]  # type: ignore[index]
    exec(loop, scope)
    said: list[str] = []
    scope["print"] = lambda *words: said.append(" ".join(map(str, words)))
    exec(conclude, scope)
    assert not any("the same." in line for line in said)
    assert "apart" in " ".join(said)


def test_the_python_of_the_page_is_the_notebooks(record: RunRecord) -> None:
    script = python_script(record)
    code = [c.source for c in opened(record).cells if c.cell_type == "code"]
    assert all(cell.strip() in script for cell in code[:4])
