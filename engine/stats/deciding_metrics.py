"""What learners are compared by, kind by kind: one value, chosen by what was measured.

Optimization tasks are compared by their mean log loss, with steps to a threshold
beside it; few-shot tasks by the error of the answers, a share or a squared error;
searches by their mean regret, with evaluations to a goal beside it. Everything that
differs between them in claims, summary and diagnosis stands here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

Voice = Literal["optimization", "few_shot", "search"]


@dataclass(frozen=True)
class Yardstick:
    """One way of comparing; of every metric compared, less is better.

    Args:
        marks: Per-task metrics that must be there for it to apply.
        deciding: The metric that claims are made on.
        beside: One compared beside it where there is a threshold; empty for none.
        told: What a learner's level is told in: the metric, as people read it.
        shown: Levels that the summary holds.
        margin: An interval inside this says "the same", by metric.
        resolution: A difference below this is nothing, however sure.
        relative: Whether these two are shares of the rival's level.
        within: The margin in words.
        singles: Whether one training can be compared, over its episodes only.
        steers: Whether a learner steers a rule, whose tuned form it must face.
        voice: Who says the verdict.
        called: What is compared, in a table's head.
        unit: Of the table.
        scale: From the deciding metric to that unit.
        trace: What must fall to a level for that level to be met.
        first: The number of a trace's first step.
        pools: Whether repetitions by learners that were never trained are
            independent of each other, whatever replicate they stand in.
        own_goal: Whether tasks bring their own level, so that none need be fixed.
    """

    marks: frozenset[str]
    deciding: str
    beside: str
    told: str
    shown: tuple[str, ...]
    margin: dict[str, float]
    resolution: dict[str, float]
    relative: bool
    within: str
    singles: bool
    steers: bool
    voice: Voice
    called: str
    unit: str
    scale: float = 1.0
    trace: str = "loss"
    first: int = 0
    pools: bool = False
    own_goal: bool = False

    @property
    def share(self) -> bool:
        """Return whether errors are shares of wrong answers."""
        return self.told == "final_accuracy"

    def compared(self, threshold: float | None) -> list[str]:
        """Return the metrics that claims are about."""
        beside = self.beside and (self.own_goal or threshold is not None)
        return [self.deciding, self.beside] if beside else [self.deciding]

    def limits(self, metric: str, level: float) -> tuple[float, float]:
        """Return margin and resolution beside a rival of that level."""
        scale = abs(level) if self.relative else 1.0
        return self.margin[metric] * scale, self.resolution[metric] * scale


OPTIMIZATION = Yardstick(
    marks=frozenset({"area"}),
    deciding="area",
    beside="steps_to_threshold",
    told="steps_to_threshold",
    shown=(
        *("final_loss", "best_loss", "area", "final_accuracy", "grad_cv"),
        *("reached", "recovery_steps", "recovered"),
    ),
    # 5 % of the loss, one step; rounding, or a tenth of a percent
    margin={"area": float(np.log(1.05)), "steps_to_threshold": 1.0},
    resolution={"area": 1e-3, "steps_to_threshold": 1e-9},
    relative=False,
    within="5 %",
    singles=False,
    steers=True,
    voice="optimization",
    called="mean log loss",
    unit="ln",
)
ANSWERS = Yardstick(
    marks=frozenset({"error", "final_accuracy"}),
    deciding="error",
    beside="",
    told="final_accuracy",
    shown=(
        *("error", "final_accuracy", "start_accuracy", "final_query_loss"),
        "adaptation_gain",
    ),
    margin={"error": 0.01},
    resolution={"error": 1e-3},
    relative=False,
    within="1 point",
    singles=True,
    steers=False,
    voice="few_shot",
    called="accuracy",
    unit="%",
    scale=100.0,
)
VALUES = Yardstick(
    marks=frozenset({"error", "final_mse"}),
    deciding="error",
    beside="",
    told="final_mse",
    shown=("error", "final_mse", "start_mse", "adaptation_gain"),
    margin={"error": 0.05},
    resolution={"error": 1e-3},
    relative=True,
    within="5 %",
    singles=True,
    steers=False,
    voice="few_shot",
    called="mean squared error",
    unit="MSE",
)
SEARCH = Yardstick(
    marks=frozenset({"regret_area"}),
    deciding="regret_area",
    beside="evaluations_to_goal",
    told="final_score",
    shown=(
        *("regret_area", "final_regret", "final_score", "reached", "trained"),
        *("repeated", "coverage", "recovery_steps", "recovered"),
    ),
    # a tenth of a point of accuracy, one evaluation
    margin={"regret_area": 1e-3, "evaluations_to_goal": 1.0},
    resolution={"regret_area": 1e-5, "evaluations_to_goal": 1e-9},
    relative=False,
    within="a tenth of a point",
    singles=True,
    steers=False,
    voice="search",
    called="mean regret",
    unit="%",
    scale=100.0,
    trace="regret",
    first=1,
    pools=True,
    own_goal=True,
)


def yardstick(metrics: Collection[str]) -> Yardstick:
    """Choose by which metrics tests have; optimization where nothing was tested.

    >>> yardstick({"error", "final_mse"}).within, yardstick({"area"}).deciding
    ('5 %', 'area')
    """
    for found in (ANSWERS, VALUES, SEARCH):
        if found.marks <= set(metrics):
            return found
    return OPTIMIZATION
