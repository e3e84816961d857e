"""`Kind`, the description of a kind of task: wording, metrics, criteria; pure data."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class FieldWords(NamedTuple):
    """Label, unit and help of a field of the budget, where a kind has its own."""

    label: str
    unit: str
    help: str


@dataclass(frozen=True)
class Words:
    """The wording of a kind of task, in sentences and in the form.

    Args:
        tasks: Its tasks, in the plural.
        does: What its learners do, as a verb phrase.
        family: A family of it, with the article.
        tests: Unit in which its tests are counted.
        work: Unit in which its cost is counted.
        first_choice: What the user chooses first, with the article.
        learner: Label of the learners that are compared.
        learner_help: Help of that label.
        net: Label of the net.
        net_help: Help of that label.
        baselines: Heading of the baselines: what they share with the learner.
        baselines_help: Help of that heading.
        shifts_help: Help of the shifts.
        step: Title of the axis along one test.
        intervals: What the intervals in the table of scores are over.
        spent: What a run's cost is counted in, in the plural.
        all_diverged: The error of a run whose chosen learner diverged everywhere.
        question: What its experiments ask, as a question.
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
    spent: str = "gradients"
    all_diverged: str = "no run of the chosen learner stayed finite; lower its rate"
    question: str = "Does meta-learning beat a well-tuned baseline on new tasks?"


@dataclass(frozen=True)
class Metrics:
    """The metrics of a kind, by where they are recorded or shown.

    Args:
        validation: Chooses the checkpoint.
        tuning: Chooses a learning rate.
        traces: Recorded along a task at each validation.
        checks: Shown for the newest validation.
        training: Shown along meta-training.
        per_task: Choices where each task's value is shown.
        by_severity: Choices along the severities of a shift.
        by_family: Choices where families are compared.
        curves: Choices where the curves of several runs are overlaid.
        numbers: Shown for several runs side by side.
        scores: Columns of the table of scores, with their titles.
        percent: The scores that are shown in percent.
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
    """How learners are compared; of every compared metric, less is better.

    Args:
        marks: The criterion applies if a run has all of these per-task metrics.
        deciding: The metric of the primary claim.
        beside: A secondary metric, compared if there is a threshold; empty for none.
        reported: The metric in which the verdict reports a learner's level.
        shown: Metrics whose levels the summary holds.
        margin: Equivalence margin by metric: an interval inside it means "equal".
        relative: Metrics whose margin is a fraction of the baseline's level.
        within: The margin in words.
        singles: Whether a single training can be compared, over its episodes only.
        called: The deciding metric, in a table's head.
        unit: Unit of the table.
        scale: Factor from the deciding metric to that unit.
        trace: The trace that must fall to the threshold.
        first: The number of a trace's first step.
        pools: Whether tests of learners that were never trained are independent of
            each other, also within a replicate.
        yardstick: The metric whose mean is the level of relative margins; empty for
            the compared metric of the baseline.
        lasting: Whether a threshold must hold, on average, to the end of the trace.
        own_goal: Whether each task has a threshold of its own.
        compared: Further metrics on which claims are made, always secondary.
    """

    marks: frozenset[str]
    deciding: str
    beside: str
    reported: str
    shown: tuple[str, ...]
    margin: Mapping[str, float]
    relative: frozenset[str]
    within: str
    singles: bool
    called: str
    unit: str
    scale: float = 1.0
    trace: str = "loss"
    first: int = 0
    pools: bool = False
    yardstick: str = ""
    lasting: bool = False
    own_goal: bool = False
    compared: tuple[str, ...] = ()

    @property
    def share(self) -> bool:
        """Whether errors are shares of wrong answers."""
        return self.reported == "final_accuracy"

    def metrics_to_compare(self, threshold: float | None) -> list[str]:
        """Return the metrics that claims are made on.

        Args:
            threshold: The run's threshold; None if it has none.
        """
        beside = self.beside and (self.own_goal or threshold is not None)
        return [self.deciding, *self.compared, *([self.beside] if beside else [])]

    def margin_at(self, metric: str, level: float) -> float:
        """Return the equivalence margin, in the metric's unit.

        Args:
            metric: The compared metric.
            level: The level of relative margins: the yardstick's, or the baseline's.
        """
        return self.margin[metric] * (abs(level) if metric in self.relative else 1.0)


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    Args:
        name: Its name in specs, and of its modules and folders.
        title: Its title on the pages.
        preset: Its default experiment, whose run ships as the recorded example.
        words: Its wording.
        metrics: Which metrics are recorded and shown.
        criteria: How learners are compared: the first criterion that fits a run's
            metrics applies, or the first of all if none fits.
        budget: Wording of fields of the budget, where it differs from the default.
        no_budget: Fields of the budget that have no effect.
        outer_alone: Whether learners are updated by the outer rule without a gradient
            estimator.
        fixed_examples: Whether a learner is built for the numbers of examples and
            classes of a task, so that it can only be tested on tasks that share them.
        fixed_space: Whether what was learned applies only to the space that it was
            learned on.
        numpy: Whether its tasks hold numpy arrays instead of tensors.
        threshold: Whether a threshold that counts as solved is fixed before the tests.
        tuned_last: Whether rates are tuned after training, on validation tasks.
        suits_family: Whether baselines and budget follow the family in the form: what
            suits one family is of no use in another.
        counts_validation: Whether the evaluations of a validation count as tuning, for
            learners that choose by it.
        same_speed: Fields of the spec that two runs must share to be equally fast.
        exported_table: Which table is exported: of learners, or of searches.
        batch: Replicates that are added at a time where a run goes on until decided.
        ceiling: Replicates at which such a run stops undecided.
    """

    name: str
    title: str
    preset: str
    words: Words
    metrics: Metrics
    criteria: tuple[Criterion, ...]
    budget: Mapping[str, FieldWords] = field(default_factory=dict)
    no_budget: frozenset[str] = frozenset()
    outer_alone: bool = True
    fixed_examples: bool = False
    fixed_space: bool = False
    numpy: bool = False
    threshold: bool = False
    tuned_last: bool = False
    suits_family: bool = False
    counts_validation: bool = False
    same_speed: tuple[str, ...] = ()
    exported_table: Literal["learners", "searches"] = "learners"
    batch: int = 8
    ceiling: int = 64

    def criterion(self, metrics: Collection[str]) -> Criterion:
        """Return the criterion for a run.

        Args:
            metrics: Names of the metrics that its tests have.
        """
        found = (each for each in self.criteria if each.marks <= set(metrics))
        return next(found, self.criteria[0])
