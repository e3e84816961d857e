import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from app.client import catalogue as shelves
from app.client import client, files, run_block_cache
from app.widgets.escaping import escape_html, escape_markdown
from engine.contract.errors import Refused
from engine.contract.events import Block
from engine.contract.jobs import JobState
from engine.contract.run_spec import Choice, RunSpec
from engine.executors import cores
from engine.export import RunRecord, exported_files

ROOT = Path(__file__).resolve().parents[3]


def test_no_page_imports_torch_and_none_needs_pandas_or_scipy_to_start() -> None:
    files = (path.relative_to(ROOT) for path in (ROOT / "app").rglob("*.py"))
    modules = [".".join(path.with_suffix("").parts) for path in files]
    modules.remove("app.navigation")  # it is a script
    code = "; ".join(f"import {name}" for name in sorted(modules))
    slow = {"torch", "numba", "pandas", "scipy"}
    code += f"; import sys; sys.exit(' '.join({slow} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT)
    assert done.returncode == 0


def test_fifty_submits_at_once_are_one_run(home: Path, tiny: RunSpec) -> None:
    spec = tiny.model_copy(update={"seed": 99})
    threads = [threading.Thread(target=client.submit, args=(spec,)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.jobs([JobState.QUEUED])[1] == 1


def test_a_settled_spec_is_queued_without_being_settled_again(
    home: Path, tiny: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = client.complete_with_key(tiny.model_copy(update={"seed": 99}))
    monkeypatch.delattr(client, "complete_spec")
    assert client.submit_completed(settled).key == settled[1]
    assert client.spec(settled[1]) == settled[0]


def test_a_refused_spec_changes_nothing(home: Path, tiny: RunSpec) -> None:
    bad = tiny.model_copy(update={"family": Choice(name="mixture")})
    with pytest.raises(Refused, match="no family is called 'mixture'"):
        client.submit(bad)
    assert client.jobs()[1] == 1


def test_the_page_exports_what_the_command_line_exports(home: Path, key: str) -> None:
    record = RunRecord.from_store(client.store(), key)
    run = client.run(key)
    whole = exported_files(record)
    assert {"config.json", "metrics.csv", "summary.json"} <= set(whole)
    for name, data in whole.items():
        assert files.export_file(run, name) == data, name


def test_an_exported_archive_is_imported_as_a_copy(home: Path, key: str) -> None:
    brought = files.import_run_archive(files.export_run_archive(client.run(key)))
    assert brought.key != key
    assert client.jobs([JobState.DONE])[1] == 2
    with pytest.raises(Refused):
        files.import_run_archive(b"PK\x03\x04 no archive")


def test_a_watched_run_reads_only_what_is_new() -> None:
    asked: list[int] = []

    def block(value: float) -> Block:
        return Block("sgd", "tune", "tuned_lr", (), np.array(value))

    def read(key: str, since: int) -> tuple[list[Block], int]:
        asked.append(since)
        return [block(float(since))], since + 1

    watches = run_block_cache.BlockCache()
    watches.blocks("k", 1, read)
    (only,) = watches.blocks("k", 1, read)
    assert asked == [0, 1]
    assert float(only.array) == 1.0
    watches.blocks("k", 2, read)
    assert asked == [0, 1, 0]


def test_what_has_ended_is_kept_once_and_the_oldest_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def batch(replicate: float) -> Block:
        at = {"replicate": (replicate,)} if replicate else {}
        axes, rows = ("replicate", "task"), np.full((1, 100), replicate)
        return Block("maml", "test", "error", axes, rows, coords=at)

    written = [batch(0.0), batch(1.0)]
    read = lambda key, since: (written[since:], len(written))  # noqa: E731
    watches = run_block_cache.BlockCache()
    (alive,) = watches.blocks("a", 1, read)
    (run,) = watches._kept.values()
    assert run.size == 2 * alive.array.nbytes
    (ended,) = watches.blocks("a", 1, read, is_final=True)
    assert run.size == ended.array.nbytes
    written.append(batch(2.0))  # late
    (late,) = watches.blocks("a", 1, read, is_final=True)
    assert late.array[:, 0].tolist() == [0.0, 1.0, 2.0]
    monkeypatch.setattr(run_block_cache, "MAX_BYTES", 2 * late.array.nbytes)
    monkeypatch.setattr(cores, "is_memory_scarce", lambda: False)
    for key in ("b", "a", "c"):
        watches.blocks(key, 1, read, is_final=True)
    assert [name[0] for name in watches._kept] == ["a", "c"]


def test_the_catalogue_is_asked_for_once_and_kept(
    known: shelves.Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[str, str] = {}

    class Cache:
        def get(self, name: str) -> str | None:
            return held.get(name)

        def set(self, name: str, value: str) -> None:
            held[name] = value

    asked = []
    body = '{"cards": [], "devices": ["cpu"], "engine": {}, "presets": []}'
    monkeypatch.setattr(
        shelves, "run_catalogue_command", lambda: asked.append(1) or body
    )
    assert shelves.CatalogueCache(Cache).get() == shelves.CatalogueCache(Cache).get()
    assert len(asked) == 1


def test_an_engine_that_cannot_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shelves, "ROOT", ROOT / "app")
    monkeypatch.delenv("PYTHONPATH", raising=False)  # it may name the checkout
    with pytest.raises(shelves.CatalogueError, match=r"^The engine cannot start: .+$"):
        shelves.run_catalogue_command()


@pytest.mark.parametrize(
    "text", ["<b>", "[a](b)", "`x`", "$x$", ":red[x]", "# h", "a\nb"]
)
def test_typed_text_is_escaped(text: str) -> None:
    assert "<" not in escape_html(text)
    marks = set("<[`$:#")
    shown = escape_markdown(text)
    assert "\n" not in shown
    assert all(shown[i - 1] == "\\" for i, c in enumerate(shown) if c in marks)


def test_a_half_tested_batch_waits_until_all_its_learners_are_tested() -> None:
    def errors(learner: str, replicate: float) -> Block:
        at = {"replicate": (replicate,)} if replicate else {}
        axes, rows = ("replicate", "task"), np.full((1, 2), replicate)
        return Block(learner, "test", "error", axes, rows, coords=at)

    first, mine, other = (
        [errors("maml", 0.0), errors("protonet", 0.0)],
        [errors("maml", 1.0)],
        [errors("protonet", 1.0)],
    )
    fresh = iter((first, mine, other))
    watches = run_block_cache.BlockCache()
    sizes = [
        {
            len(block.array)
            for block in watches.blocks("k", 1, lambda *_: (next(fresh), 0))
        }
        for _ in range(3)
    ]
    assert sizes == [{1}, {1}, {2}]
