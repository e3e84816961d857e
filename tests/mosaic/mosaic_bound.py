"""How far rounding alone moves a retrained chunk of Mosaic's table.

`python -m tests.mosaic.mosaic_bound` trains the tests' chunks again with the last bits
of what is added and multiplied moved at random, and stores how many of the counts of
right answers may change.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from engine.data.sources.mosaic import FILE
from engine.data.sources.mosaic_space import RECIPES
from engine.mosaic import build
from tests.golden.rounding import rounded_otherwise
from tests.golden.rows import WIDER

FOUND = Path(__file__).with_name("mosaic_bound.json")
CHUNKS = (0, 23)
PARTS = ("validation", "test")
OTHERS = 3


def shipped(number: int) -> dict[str, np.ndarray]:
    """Return the counts of right answers of a chunk; shape (…, seed) each."""
    rows = slice(number * len(RECIPES), (number + 1) * len(RECIPES))
    with np.load(FILE) as held:
        return {name: held[name][rows].astype(int) for name in PARTS}


def changed(again: dict[str, np.ndarray], number: int) -> dict[str, int]:
    """Count by how many counts a chunk that was trained again differs."""
    return {n: int((again[n] != counts).sum()) for n, counts in shipped(number).items()}


def bound(number: int) -> dict[str, float]:
    """Return how many counts rounding may change: four times the most that was seen."""
    found = []
    for seed in range(OTHERS):
        with rounded_otherwise(seed):
            found.append(changed(build.train_chunk(number), number))
    return {name: WIDER * max(each[name] for each in found) for name in PARTS}


if __name__ == "__main__":
    torch.set_num_threads(1)
    bounds = {str(number): bound(number) for number in CHUNKS}
    FOUND.write_text(json.dumps(bounds) + "\n")
    sys.stdout.write(f"{bounds}\n")
