"""Records the examples that the first page shows: `python -m tests.record`.

It plays each kind's default preset in a store of its own and keeps the run's archive.
"""

import tempfile
from pathlib import Path

from app.client import examples
from engine.catalogue import cards
from engine.contract.runs import complete_spec, run_key
from engine.executors.worker import work
from engine.export import export_archive
from engine.presets import preset
from engine.store import Store


def record(kind: str = "optimization") -> Path:
    """Play a kind's default preset and write its archive; returns the file."""
    found = preset(examples.PRESETS[kind])
    spec = complete_spec(found.spec, cards, "cpu")
    key = run_key(spec, cards)
    with tempfile.TemporaryDirectory() as home:
        store = Store.open(Path(home))
        store.submit(spec, key, found.title)
        work(Path(home), once=True)
        archive = export_archive(store, key)
    file = examples.FOLDER / f"{kind}.zip"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(archive)
    return file


if __name__ == "__main__":
    for shown in examples.PRESETS:
        record(shown)
