"""The record of a kind of task: plain facts and words, nothing that computes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class FieldWords(NamedTuple):
    """What a field of the budget is called: label, unit and a line of help."""

    label: str
    unit: str
    help: str


@dataclass(frozen=True)
class Words:
    """What a kind of task is called, in sentences and on the screen.

    Args:
        tasks: What its tasks are called in a sentence.
        does: What a learner of it does, in a sentence.
        family: What a family of it is called in a sentence.
        tests: What its tests are counted in.
        work: What its price is counted in.
        first_choice: What a user chooses first.
        learner: Label of the learners that are judged.
        learner_help: A line of help beside it.
        net: Label of the net.
        net_help: A line of help beside it.
        baselines: What holds between a learner and its baselines.
        baselines_help: A line of help beside it.
        shifts_help: What is done under shift.
        step: Title of the axis along one test.
        intervals: What the intervals of the table of scores are over.
        all_diverged: Why a run failed of whose learner nothing is finite.
    """

    tasks: str
    does: str
    family: str
    tests: str
    work: str
    first_choice: str
    learner: str
    learner_help: str
    net: str
    net_help: str
    baselines: str
    baselines_help: str
    shifts_help: str
    step: str = "Step"
    intervals: str = (
        "Means over replicates with their 95 % intervals; diverged tasks counted."
    )
    all_diverged: str = "no run of the chosen learner stayed finite; lower its rate"


@dataclass(frozen=True)
class Metrics:
    """Names of metrics: which of a kind's numbers are recorded and shown where.

    Args:
        validation: Chooses the checkpoint.
        tuning: Chooses a rate.
        traces: Recorded at each validation, along a task.
        checks: Shown of the newest validation.
        training: Shown along meta-training.
        per_task: Offered where each task's own number is shown.
        by_severity: Offered along the severities of a shift.
        by_family: Offered where families are compared.
        curves: Offered where runs are laid over each other.
        numbers: Shown of several runs side by side.
        scores: Columns of the table of scores, with their titles.
        percent: Those of the scores that are shown in percent.
    """

    validation: str
    tuning: str
    traces: tuple[str, ...]
    checks: tuple[str, ...]
    training: tuple[str, ...]
    per_task: tuple[str, ...]
    by_severity: tuple[str, ...]
    by_family: tuple[str, ...]
    curves: tuple[str, ...]
    numbers: tuple[str, ...]
    scores: Mapping[str, str]
    percent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Criterion:
    """One way of comparing learners; of every metric compared, less is better.

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
    margin: Mapping[str, float]
    resolution: Mapping[str, float]
    relative: bool
    within: str
    singles: bool
    steers: bool
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

    def metrics_to_compare(self, threshold: float | None) -> list[str]:
        """Return the metrics that claims are about."""
        beside = self.beside and (self.own_goal or threshold is not None)
        return [self.deciding, self.beside] if beside else [self.deciding]

    def limits(self, metric: str, level: float) -> tuple[float, float]:
        """Return margin and resolution beside a rival of that level."""
        scale = abs(level) if self.relative else 1.0
        return self.margin[metric] * scale, self.resolution[metric] * scale


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    Args:
        name: What it is called everywhere, files and folders included.
        title: What the screen calls it.
        page: The page of its form and its runs.
        preset: Its default experiment, whose run ships as the recorded example.
        words: What is said of it.
        metrics: Which of its numbers are recorded and shown.
        criteria: How learners are compared: the first one that fits what was
            measured, the first of all where nothing was.
        budget: What fields of the budget are called, where that is special.
        no_budget: Fields of the budget that mean nothing here.
        outer_alone: Whether the outer rule alone moves learners, without estimator.
        fixed_examples: Whether a learner is built for a task's examples and answers,
            so that it can only be asked about tasks that are alike in both.
        numpy: Whether its tasks hold numpy's arrays instead of tensors.
        threshold: Whether a level that counts as solved is fixed before the tests.
        tuned_last: Whether rates are tuned once a learner is trained, on validation
            tasks.
        probes: Whether learners are probed after the test in distribution.
        counts_validation: Whether what a validation evaluates counts as tuning, for
            learners that choose by it.
        same_speed: Which choices of the spec two runs must share to be equally fast.
        exported_table: Which table is exported: of learners, or of searches.
    """

    name: str
    title: str
    page: str
    preset: str
    words: Words
    metrics: Metrics
    criteria: tuple[Criterion, ...]
    budget: Mapping[str, FieldWords] = field(default_factory=dict)
    no_budget: frozenset[str] = frozenset()
    outer_alone: bool = True
    fixed_examples: bool = False
    numpy: bool = False
    threshold: bool = False
    tuned_last: bool = False
    probes: bool = False
    counts_validation: bool = False
    same_speed: tuple[str, ...] = ()
    exported_table: Literal["learners", "searches"] = "learners"

    def criterion(self, metrics: Collection[str]) -> Criterion:
        """Return how learners are compared of whom tests have these metrics."""
        found = (each for each in self.criteria if each.marks <= set(metrics))
        return next(found, self.criteria[0])
