"""An archive of a few-shot run is read again: its blocks have axes of their own."""

from pathlib import Path

from engine.catalogue import find_card
from engine.contract.run_keys import run_key
from engine.contract.run_spec import complete_spec
from engine.executors.worker import run_worker
from engine.export import export_archive, read_archive
from engine.presets import preset
from engine.store import Store


def test_every_block_of_a_few_shot_run_is_read_again(tmp_path: Path) -> None:
    smoke = preset("few_shot_smoke").spec
    sizes = {"task_evaluations": 8, "test_tasks": 4, "tuning_tasks": 4}
    sizes |= {"validation_tasks": 4}
    budget = smoke.budget.model_copy(update=sizes)
    tiny = smoke.model_copy(update={"replicates": 2, "looks": (), "budget": budget})
    spec = complete_spec(tiny, find_card, "cpu")
    key = run_key(spec, find_card)
    store = Store.open(tmp_path)
    store.submit(spec, key, "tiny")
    run_worker(tmp_path, once=True)
    found = read_archive(export_archive(store, key))
    assert len(found.blocks) == len(store.blocks(key)[0])
    (ratio, *_) = (b for b in found.blocks if b.metric == "first_step_ratio")
    assert ratio.array.shape == (2, 4)
