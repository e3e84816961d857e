"""Benchmarks of the studies: Mosaic, the table of trained nets, or NK landscapes.

Mosaic has real trainings and needs no download; the synthetic landscapes replace it
where it was not built. Every study names its benchmark.
"""

from collections.abc import Sequence
from typing import NamedTuple

from engine.contract.run_spec import Choice
from engine.data.sources.mosaic import FILE

OTHERS = "the others"
TASKS = (
    "rings",
    "four_rings",
    "four_arms",
    "four_arms_tight",
    "four_colors",
    "digits",
    "glyph_digits",
    "glyph_letters",
    "digits_low",
    "digits_high",
    "gaussians",
    "iris_pairs",
    "wine_pairs",
    "cancer_pairs",
)
# Four pairs of related tasks: each is similar to one other and unlike the other six.
PAIRS = (
    "rings",
    "four_rings",
    "four_arms",
    "four_arms_tight",
    "digits",
    "glyph_digits",
    "iris_pairs",
    "wine_pairs",
)
KINSHIPS = (0.9, 0.6, 0.3, 0.0)


class StudyBenchmark(NamedTuple):
    """The families that the studies run on.

    Args:
        name: Its name in a protocol.
        families: Families whose sources are all tasks but the target.
        transfer_pairs: A family for each single source, with further targets.
        sized_spaces: The same space at several sizes, ascending.
    """

    name: str
    families: tuple[Choice, ...]
    transfer_pairs: tuple[tuple[Choice, tuple[Choice, ...]], ...]
    sized_spaces: tuple[Choice, ...]


def study_benchmark() -> StudyBenchmark:
    """Return Mosaic if its table exists, else the landscapes."""
    return _mosaic_benchmark() if FILE.exists() else _nk_benchmark()


def _mosaic_benchmark() -> StudyBenchmark:
    def mosaic_task(target: str, source: str = OTHERS, **knobs: int) -> Choice:
        return Choice(name="mosaic", knobs={"target": target, "source": source} | knobs)

    return StudyBenchmark(
        "Mosaic (2,592 small nets, each trained on 14 tasks)",
        tuple(mosaic_task(target) for target in TASKS),
        tuple(
            (
                mosaic_task(first, source),
                tuple(mosaic_task(other, source) for other in rest),
            )
            for source in PAIRS
            for first, *rest in (_others_after(source, PAIRS),)
        ),
        tuple(
            mosaic_task(target, decisions=decisions)
            for decisions in (4, 5, 6, 0)
            for target in TASKS[::3]
        ),
    )


def _nk_benchmark() -> StudyBenchmark:
    def nk_landscape(**knobs: float) -> Choice:
        return Choice(name="nk_landscape", knobs=knobs)

    return StudyBenchmark(
        "NK landscapes (4,096 synthetic architectures; Mosaic's table is missing)",
        tuple(nk_landscape(kinship=kinship) for kinship in (0.9, 0.7, 0.5, 0.3, 0.1)),
        tuple((nk_landscape(kinship=kinship), ()) for kinship in KINSHIPS),
        tuple(nk_landscape(size=size, kinship=0.5) for size in (4, 5, 6, 7)),
    )


def _others_after(source: str, names: Sequence[str]) -> list[str]:
    """Return the other names, starting after `source` and wrapping around."""
    at = names.index(source)
    return [*names[at + 1 :], *names[:at]]
