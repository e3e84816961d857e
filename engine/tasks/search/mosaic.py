"""Mosaic: 2,592 small nets, each trained on fourteen tasks from several seeds.

Source: ours, computed by `python -m engine data build mosaic`; modeled on Dong and
Yang (2020), arXiv:2001.00326.
Differs: dense nets; the training recipe is part of the decisions.
Helps: real trainings without waiting, on related and unrelated tasks, so that transfer
between them can be measured; no download needed.
"""

from functools import cache
from typing import ClassVar, Literal

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.data.sources.mosaic import load_mosaic
from engine.protocol import Evaluator
from engine.tasks.search._family import SearchFamily
from engine.tasks.search._table_evaluator import TableEvaluator

OTHERS = "the others"
TaskName = Literal[
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
]
SourceName = Literal[
    "the others",
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
]
StepCount = Literal["10", "30", "100", "300"]


@register("family")
class Mosaic(SearchFamily):
    """a* = argmax over 2,592 nets of test accuracy; search sees validation."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    limit: ClassVar[str] = "price"

    target: TaskName = knob(
        "digits",
        label="Target",
        help="Task that is searched on in meta-test.",
    )
    source: SourceName = knob(
        "the others",
        label="Source",
        help="Tasks of meta-training and meta-validation: all but the target, or a "
        "single one.",
    )
    steps: StepCount = knob(
        "300",
        label="Steps of a training",
        unit="steps",
        help="A search sees validation accuracy after this many steps. It is judged "
        "by test accuracy after 300.",
    )
    price: float = knob(
        0.0,
        label="Budget of a search",
        unit="million multiply-adds",
        low=0.0,
        high=1e9,
        advanced=True,
        help="Cost of all trainings of a search together; 0 limits only their number.",
    )

    def evaluator(self) -> Evaluator:
        """Return the table, read once per process."""
        return _evaluator()

    def sources(self, pool: str) -> tuple[int, ...]:
        """Return the target for the test pool, else the sources."""
        tasks = _evaluator().tasks
        if pool == "test":
            return (tasks.index(self.target),)
        if self.source != OTHERS:
            return (tasks.index(self.source),)
        return tuple(i for i, name in enumerate(tasks) if name != self.target)

    def budget(self) -> float:
        """Return the price of a search, or no limit."""
        return self.price or float("inf")

    def full_fidelity(self) -> int:
        """Return the fidelity of the chosen steps."""
        return _evaluator().fidelities.index(float(self.steps))


@cache
def _evaluator() -> TableEvaluator:
    return TableEvaluator(load_mosaic())
