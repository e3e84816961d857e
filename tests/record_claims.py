"""Records the claims board that ships: `python -m tests.record_claims NAME…`.

It measures the named claims in the store of METASCOPE_HOME and files their verdicts,
the transfer matrix and the CPU seconds of each run. What was recorded of other claims
stays; without names only texts are renewed. A claim that was never recorded is listed
as not measured.
"""

import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.client.recorded_claims import FILE
from engine.catalogue import discover_parts, find_card
from engine.cli.study import replace_nonfinite
from engine.contract.jobs import JobState
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec, complete_spec
from engine.executors.worker import run_worker
from engine.export import RunRecord
from engine.stats.claims_board import judge_study
from engine.stats.search.transfer_matrix import (
    TransferMatrix,
    control_label,
    transfer_matrix,
)
from engine.store import Store
from engine.studies import Study, studies, study

EMPTY: dict[str, Any] = {"machine": "", "runs": {}, "verdicts": {}, "matrices": {}}


def settled(spec: RunSpec) -> tuple[RunSpec, str]:
    """Return a completed spec with its key, on a CPU."""
    full = complete_spec(spec, find_card, "cpu")
    return full, run_key(full, find_card)


def measure(spec: RunSpec, title: str, store: Store) -> dict[str, float]:
    """Compute a run that is not done yet; return its CPU seconds, by its key."""
    full, key = settled(spec)
    job = store.job(key)
    if job is not None and job.state == JobState.DONE:
        return {}
    store.submit(full, key, title)
    start = time.process_time()
    run_worker(store.home, once=True)
    job = store.job(key)
    assert (
        job is not None and job.state == JobState.DONE
    )  # it was told to stop, or fails
    return {key: round(time.process_time() - start, 1)}


def judge(chosen: Study, store: Store) -> dict[str, Any]:
    """Return the verdict on a study and the keys of its runs, as JSON."""
    keys = [settled(spec)[1] for spec in chosen.specs]
    verdict = judge_study(
        chosen.name, [RunRecord.from_store(store, key) for key in keys]
    )
    found: Any = replace_nonfinite(verdict._asdict())
    return {"keys": keys, "ground": chosen.ground, "found": found}


def matrices(chosen: Study, store: Store) -> dict[str, Any]:
    """Return the transfer matrix of a study and its control, as JSON."""
    keys = [settled(spec)[1] for spec in chosen.specs]
    runs = [RunRecord.from_store(store, key) for key in keys]
    control = control_label(runs[0])
    found = {"found": matrix_as_json(transfer_matrix(runs))}
    if control:
        found["control"] = matrix_as_json(transfer_matrix(runs, control))
    return found


def matrix_as_json(matrix: TransferMatrix) -> dict[str, Any]:
    """Return a matrix as JSON data; NaN and ∞ stay, as Python's JSON has them."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.tolist()
        return [plain(each) for each in value] if isinstance(value, tuple) else value

    return {name: plain(value) for name, value in matrix._asdict().items()}


def machine() -> str:
    """Return the name of this machine's processor."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def shipped(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ships: today's claims in their order, each with its verdict."""
    claims = []
    for each in studies():
        body = each._asdict()
        del body["specs"]
        kind = settled(each.specs[0])[0].kind
        claims.append(body | {"kind": kind, "runs": len(each.specs)})
    return {"claims": claims, **kept}


def main(names: Sequence[str]) -> None:
    """Measure and file the named claims."""
    discover_parts()
    held = json.loads(FILE.read_text()) if FILE.exists() else EMPTY
    kept = {name: held[name] for name in EMPTY}
    store = Store.open()
    for chosen in map(study, names):
        for spec in chosen.specs:
            kept["runs"] |= measure(spec, chosen.title, store)
            write(kept)  # each run at once, so that what is done need not be repeated
        kept["verdicts"][chosen.name] = judge(chosen, store)
        if chosen.matrix:
            kept["matrices"][chosen.name] = matrices(chosen, store)
        kept["machine"] = machine()
    write(kept)


def write(kept: Mapping[str, Any]) -> None:
    """Write the file that ships."""
    FILE.write_text(json.dumps(shipped(kept), indent=0) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
