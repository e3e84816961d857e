"""Mosaic: a tabular NAS benchmark of 2,592 small nets, trained on fourteen tasks.

The full product of seven decisions, trained on real and synthetic classification
tasks from several seeds, with learning curves: a search queries a table instead of
training for hours, and what it finds on one task can be evaluated on another.

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
    """Return the shipped table; the same object every time."""
    return read_mosaic(FILE)


@lru_cache(maxsize=1)
def mosaic_metadata() -> dict[str, Any]:
    """Return how the shipped table was built: seed, time, chunks, fingerprint."""
    with np.load(FILE) as held:
        return dict(json.loads(str(held["meta"])))


def read_mosaic(file: Path) -> ArchitectureTable:
    """Read a table that `engine.mosaic.build` has written.

    Args:
        file: The .npz file; it may hold only some of the chunks.

    Returns:
        The table of the architectures that are trained so far.
    """
    with np.load(file) as held:
        about = json.loads(str(held["meta"]))
        validation, test = held["validation"], held["test"]
        features = held["features"]
    tasks, chunks = about["tasks"], about["chunks"]
    per_chunk = len(RECIPES)
    # A chunk is one net design with all its recipes, in the order of the codes.
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
    share[counts == FAILED] = np.nan  # a diverged training has no accuracy
    return share


def _sizes(tasks: list[dict[str, Any]], chunks: list[int]) -> dict[str, np.ndarray]:
    """Return parameters and multiply-adds; float32, shape (architecture, task) each."""
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
    """Return million multiply-adds of training; backward costs twice the forward."""
    examples = np.array(regime["fidelities"]) * regime["batch"]
    cost = multiply_adds[:, :, None] * (PASSES * examples / _MILLION)
    return cost.astype(np.float32)
