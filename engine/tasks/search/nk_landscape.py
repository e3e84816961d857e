"""NK landscapes: synthetic spaces with adjustable ruggedness and task similarity.

Source: Kauffman and Levin (1987), Journal of Theoretical Biology 128(1): the score is
a mean of N contributions, each of one decision and K others.
Differs: more than two options; contributions are partly shared by all tasks, so that
knowledge can transfer; short trainings see a noisier score.
Helps: every knob of a search can be tried within a second, with all scores known.
"""

from functools import lru_cache
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.data.sources.architecture_table import ArchitectureTable
from engine.protocol import Evaluator, generator
from engine.tasks.search._family import SearchFamily
from engine.tasks.search._table_evaluator import TableEvaluator

POOLS = {"train": (0, 16), "validation": (16, 24), "test": (24, 40)}
FIDELITIES, SEEDS = (1.0, 3.0, 9.0), 3
ROOT = Rng(1987)


@register("family")
class NkLandscape(SearchFamily):
    """score(a) = 1/N Σᵢ [ρ c(aᵢ, its K others) + (1 − ρ) cᵀ(aᵢ, its K others)]."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})

    size: int = knob(
        6,
        label="Decisions N",
        low=2,
        high=8,
        help="The space has (options per decision)^N architectures.",
    )
    choices: int = knob(
        4,
        label="Options per decision",
        low=2,
        high=4,
        help="Number of options of every decision.",
    )
    rugged: int = knob(
        2,
        label="Ruggedness K",
        unit="decisions",
        low=0,
        high=7,
        help="Number of other decisions that each contribution depends on; 0 gives a "
        "single smooth peak.",
    )
    kinship: float = knob(
        0.7,
        label="Kinship ρ",
        unit="share",
        low=0.0,
        high=1.0,
        help="Share of the score that all tasks have in common; 0: nothing transfers.",
    )
    blur: float = knob(
        1.0,
        label="Training noise",
        unit="points",
        low=0.0,
        high=20.0,
        help="Standard deviation over seeds of a full training; 3 times as much after "
        "a ninth of it.",
    )

    def evaluator(self) -> Evaluator:
        """Return the table for these knobs, created once per process."""
        return _evaluator(self.size, self.choices, self.rugged, self.kinship, self.blur)

    def sources(self, pool: str) -> tuple[int, ...]:
        """Return the pool's landscapes."""
        return tuple(range(*POOLS[pool]))


@lru_cache(maxsize=8)
def _evaluator(
    size: int, choices: int, rugged: int, kinship: float, blur: float
) -> TableEvaluator:
    codes = np.indices((choices,) * size).reshape(size, -1).T
    tasks = POOLS["test"][1]
    shared = _draw_scores(codes, choices, rugged, ROOT.child("shared"))
    own = [
        _draw_scores(codes, choices, rugged, ROOT.child("own", t)) for t in range(tasks)
    ]
    score = kinship * shared[:, None] + (1.0 - kinship) * np.stack(own, 1)
    table = ArchitectureTable(
        name="NK landscape",
        positions=tuple(f"decision {i + 1}" for i in range(size)),
        options=(tuple("abcd"[:choices]),) * size,
        codes=codes.astype(np.uint8),
        tasks=tuple(f"landscape {t + 1}" for t in range(tasks)),
        fidelities=FIDELITIES,
        signal=_blur_scores(score, blur / 100.0),
        score=score.astype(np.float32),
        cost=np.broadcast_to(np.array(FIDELITIES, np.float32), (*score.shape, 3)),
        properties={"parameters": np.repeat(codes.sum(1)[:, None], tasks, 1)},
        units={"parameters": "count"},
        fidelity_unit="passes",
        cost_unit="passes",
    )
    return TableEvaluator(table)


def _draw_scores(
    codes: Int[np.ndarray, "architecture position"], choices: int, rugged: int, rng: Rng
) -> Float[np.ndarray, " architecture"]:
    """Return the score of each architecture: the mean of uniform contributions."""
    size = codes.shape[1]
    total = np.zeros(len(codes))
    for i in range(size):
        # Each decision depends on the K next ones, in a ring.
        seen = [(i + j) % size for j in range(min(rugged, size - 1) + 1)]
        index = np.ravel_multi_index(tuple(codes[:, seen].T), (choices,) * len(seen))
        total += generator(rng.child(i)).random(choices ** len(seen))[index]
    return total / size


def _blur_scores(
    score: Float[np.ndarray, "architecture task"], blur: float
) -> Float[np.ndarray, "architecture task fidelity seed"]:
    """Return the noisy score of trainings of each fidelity and seed; float32."""
    from scipy.special import ndtri  # here, as it takes long to import

    shape = (*score.shape, len(FIDELITIES), SEEDS)
    uniform = generator(ROOT.child("blur")).random(shape).clip(1e-12, 1 - 1e-12)
    longer = np.sqrt(FIDELITIES[-1] / np.array(FIDELITIES))[:, None]
    return (score[..., None, None] + blur * longer * ndtri(uniform)).astype(np.float32)
