"""Mosaic: some thousands of small nets, each trained for real on many tasks.

A full product of seven decisions, trained on real and made-up classification tasks
from several starts, with its learning curves: a search is judged by a table instead
of by hours of training, and what it finds on one task can be tried on another.

Source: ours. In the manner of NAS-Bench-201 (Dong and Yang 2020, arXiv:2001.00326).
Differs: dense nets; how they are trained (optimizer, rate) is among the decisions.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.sources.architecture_table import ArchitectureTable
from engine.data.sources.mosaic_space import (
    FAILED,
    OPTIONS,
    PASSES,
    RECIPES,
    all_codes,
    all_net_designs,
)

FILE = Path(__file__).with_name("mosaic.npz")
_MILLION = 1e6


@lru_cache(maxsize=1)
def load_mosaic() -> ArchitectureTable:
    """Read the table that is shipped; the same object every time."""
    return read_mosaic(FILE)


@lru_cache(maxsize=1)
def mosaic_metadata() -> dict[str, Any]:
    """Return how the shipped table was made: seed, time, chunks, fingerprint."""
    with np.load(FILE) as held:
        return dict(json.loads(str(held["meta"])))


def read_mosaic(file: Path) -> ArchitectureTable:
    """Read a table that `engine.mosaic.build` has written."""
    with np.load(file) as held:
        about = json.loads(str(held["meta"]))
        validation, test = held["validation"], held["test"]
        features = held["features"]
    tasks, chunks = about["tasks"], about["chunks"]
    per_chunk = len(RECIPES)
    rows = (np.array(chunks)[:, None] * per_chunk + np.arange(per_chunk)).ravel()
    sizes = _sizes(tasks, chunks)
    return ArchitectureTable(
        name="mosaic",
        positions=tuple(OPTIONS),
        options=tuple(OPTIONS.values()),
        codes=all_codes()[rows],
        tasks=tuple(task["name"] for task in tasks),
        fidelities=tuple(float(f) for f in about["regime"]["fidelities"]),
        signal=_accuracy_shares(
            validation, _row_counts(tasks, "validation")[:, None, None]
        ),
        score=_accuracy_shares(test, _row_counts(tasks, "test")[:, None]).mean(2),
        cost=_cost(sizes["multiply-adds"], about["regime"]),
        properties=sizes,
        units={"parameters": "numbers", "multiply-adds": "per prediction"},
        features=features,
        feature_names=tuple(about["features"]),
        fidelity_unit="steps",
        cost_unit="MMAC",
    )


def _row_counts(tasks: list[dict[str, Any]], part: str) -> np.ndarray:
    return np.array([task["rows"][part] for task in tasks], np.float32)


def _accuracy_shares(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    share = counts.astype(np.float32) / rows
    share[counts == FAILED] = np.nan
    return share


def _sizes(tasks: list[dict[str, Any]], chunks: list[int]) -> dict[str, np.ndarray]:
    """Count weights and multiply-adds of each architecture on each task."""
    every, shapes = (
        all_net_designs(),
        [(task["inputs"], task["classes"]) for task in tasks],
    )
    some = [every[number] for number in chunks]
    counted = {
        "parameters": [
            [form.parameter_count(*shape) for shape in shapes] for form in some
        ],
        "multiply-adds": [
            [form.multiply_adds(*shape) for shape in shapes] for form in some
        ],
    }
    return {
        name: np.repeat(np.array(each, np.float32), len(RECIPES), axis=0)
        for name, each in counted.items()
    }


def _cost(multiply_adds: np.ndarray, regime: dict[str, Any]) -> np.ndarray:
    """Return million multiply-adds of training: forward, and backward twice that."""
    examples = np.array(regime["fidelities"]) * regime["batch"]
    cost = multiply_adds[:, :, None] * (PASSES * examples / _MILLION)
    return cost.astype(np.float32)
