"""Records the examples that the first page shows: `python -m tests.record`.

It plays each kind's default preset, quick, in a store of its own and keeps the run's
archive, and beside it how far its rows spread where the last bits of what it adds and
multiplies are moved at random: as far may another machine's lie from them. All batches
of a run until decided would take tens of megabytes.

`python -m tests.record summaries` only summarizes the recorded runs again, as where a
verdict has other words. `python -m tests.record keys` adds the keys of new presets;
names of presets behind it renew theirs.
"""

import json
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from app.client import recorded_examples
from engine.catalogue import find_card
from engine.contract.effort import Effort, with_effort
from engine.contract.events import Block, Event
from engine.contract.kinds import KINDS
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec, complete_spec
from engine.executors.worker import run_worker
from engine.export import export_archive, read_archive
from engine.export.archive import _json_bytes, _zip_members
from engine.presets import PRESETS, preset
from engine.runner.loop import run
from engine.runner.titled_summary import summarize_run
from engine.store import Store
from engine.store.row_seals import sha256_hex
from tests.golden.rounding import rounded_otherwise
from tests.golden.rows import WIDER
from tests.in_memory_run_cache import InMemoryRunCache

JUDGED = ("area", "error", "trial_regret", "regret_area")
KEYS = Path(__file__).parent / "fixtures" / "preset-keys.json"
BOUNDS = Path(__file__).with_name("recorded_bounds.json")
TAUGHT = ("meta_loss", "lesson_loss", "trial_reward")
FIRST = 2  # steps of a meta-training that are compared one by one
OTHERS = 4  # other roundings that a bound is taken from


def example_spec(kind: str) -> RunSpec:
    """Return the completed spec of a kind's example: its default preset, quick."""
    shown = preset(KINDS[kind].preset).spec
    quick = with_effort(shown, KINDS[kind], Effort.QUICK, None)
    return complete_spec(quick, find_card, "cpu")


def judged(blocks: Iterable[Event]) -> dict[str, np.ndarray]:
    """Return what each learner and condition is judged by, averaged over the tasks.

    Returns:
        One number per replicate, by the block's address, written as JSON. And of each
        meta-training the loss of its first steps, shape (replicate, step): the end of
        a long one hangs on the last bits of its beginning.
    """
    found = {}
    for block in blocks:
        if not isinstance(block, Block):
            continue
        if block.metric in JUDGED and block.array.ndim:
            found[json.dumps(block.address())] = block.array.astype(float).mean(-1)
        elif block.metric in TAUGHT and block.address()[-1] == ("step", 0.0):
            found[json.dumps(block.address())] = block.array[:, :FIRST].astype(float)
    assert found
    return found


def bounds(spec: RunSpec, shown: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return how far from what is shown another machine's replicates may lie."""
    farthest = dict.fromkeys(shown, 0.0)
    for seed in range(OTHERS):
        with rounded_otherwise(seed):
            again = judged(run(spec, InMemoryRunCache()))
        for name, center in shown.items():
            apart = float(np.abs(again[name] - center).max())
            farthest[name] = max(farthest[name], apart)
    return {name: WIDER * apart for name, apart in farthest.items()}


def record(kind: str = "optimization") -> Path:
    """Play a kind's example and write its archive; returns the file."""
    spec = example_spec(kind)
    key = run_key(spec, find_card)
    with tempfile.TemporaryDirectory() as home:
        store = Store.open(Path(home))
        store.submit(spec, key, preset(KINDS[kind].preset).title)
        run_worker(Path(home), once=True)
        archive = export_archive(store, key)
    file = recorded_examples.FOLDER / f"{kind}.zip"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(archive)
    return file


def renew_summary(kind: str) -> None:
    """Summarize a recorded run again and file the summary in its archive."""
    file = recorded_examples.FOLDER / f"{kind}.zip"
    held = read_archive(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    summary = _json_bytes(dict(summarize_run(held.blocks, held.spec)))
    manifest = json.loads(members["manifest.json"])
    manifest["members"]["summary.json"] = sha256_hex(summary)
    members |= {"summary.json": summary, "manifest.json": _json_bytes(manifest)}
    file.write_bytes(_zip_members(members))


def _parts_of(spec: RunSpec) -> list[tuple[str, str]]:
    """Return the slot and the name of every part of a spec, sorted."""
    alone = ("family", "net", "estimator", "outer")
    found = {(slot, getattr(spec, slot).name) for slot in alone}
    found |= {("family", choice.name) for choice in spec.test_families}
    found |= {("shift", choice.name) for choice in spec.shifts}
    return sorted(found | {("learner", choice.name) for choice in spec.learners})


def record_keys(renewed: Sequence[str]) -> None:
    """File the keys of presets that have none, and of the named ones.

    Beside it stand the versions of the parts that it stands on.
    """
    kept = json.loads(KEYS.read_text())
    for each in PRESETS:
        full = complete_spec(each.spec, find_card, "cpu")
        versions = {
            f"{slot}/{name}": find_card(slot, name).version
            for slot, name in _parts_of(full)
        }
        if each.name not in kept or each.name in renewed:
            key = run_key(full, find_card)
            kept[each.name] = {"key": key, "versions": versions}
    KEYS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def main(kinds: Sequence[str]) -> None:
    """Record the examples of these kinds, or all; or only summarize all again."""
    if [*kinds[:1]] == ["keys"]:
        record_keys(kinds[1:])
        return
    if [*kinds] == ["summaries"]:
        for kind in KINDS:
            renew_summary(kind)
        return
    kept = json.loads(BOUNDS.read_text()) if BOUNDS.exists() else {}
    for kind in kinds or tuple(KINDS):
        example = recorded_examples.read_recorded(record(kind))
        kept[kind] = bounds(example.spec, judged(example.blocks))
        BOUNDS.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
