"""The blocks of one run, by learner, phase, metric and condition."""

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from engine.contract.events import Block, Condition
from engine.contract.kinds import Criterion, Kind, kind_named, recorded_kind
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.inference.steps_to_threshold import find_crossing, means_of_the_rest
from engine.stats.replicate_concatenation import drop_unfinished_tests, join_batches

IN_DISTRIBUTION = Condition()
PER_TASK = ("replicate", "task")
PER_STEP = ("replicate", "task", "step")
ROUNDING = 2.0**-24  # half a unit in the last place of a float32 near 1


class Series(NamedTuple):
    """Numbers over meta-training: `step` (step,), `values` (replicate, step)."""

    step: Floats
    values: Floats


class BlockTable:
    """The blocks of one run by learner, phase, metric and condition.

    Args:
        blocks: In the order of the run; of two with one address the later one counts.
        kind: The spec's kind of task. Specs of 0.3.0 and earlier do not have one: then
            it follows from the metrics.
    """

    def __init__(self, blocks: Iterable[Block], kind: str = "") -> None:
        self._kind = kind
        self.blocks = join_batches(drop_unfinished_tests(blocks))
        self._groups: dict[tuple[str, str, str, Condition], list[Block]] = {}
        for block in self.blocks:
            key = (block.learner, block.phase, block.metric, block.condition)
            self._groups.setdefault(key, []).append(block)

    @cached_property
    def kind(self) -> Kind:
        """Return the kind of task that was tested."""
        return kind_named(self._kind or recorded_kind(self._tested_labels))

    @cached_property
    def _tested_labels(self) -> set[str]:
        return {block.metric for block in self.blocks if block.phase == "test"}

    @cached_property
    def n_replicates(self) -> int:
        """Return how many replicates were tested so far."""
        tests = (b for b in self.blocks if b.phase == "test" and "replicate" in b.axes)
        return len({r for block in tests for r in block.coordinates("replicate")})

    @cached_property
    def criterion(self) -> Criterion:
        """Return the criterion that the learners of this run are compared by."""
        return self.kind.criterion(self._tested_labels)

    def block(
        self,
        learner: str,
        phase: str,
        metric: str,
        condition: Condition = IN_DISTRIBUTION,
    ) -> Block | None:
        """Return the newest block with this address; None if there is none."""
        found = self._groups.get((learner, phase, metric, condition))
        return found[-1] if found else None

    def number(self, learner: str, phase: str, metric: str) -> float | None:
        """Return a metric that is a single finite number; None otherwise.

        Of one number for each replicate, such as a cost, it is the mean.
        """
        block = self.block(learner, phase, metric)
        known = block is not None and block.axes in ((), ("replicate",))
        value = _mean_of_measured(block) if block and known else None
        return value if value is not None and np.isfinite(value) else None

    def gradients_spent(self, learner: str, phase: str) -> int:
        """Return a replicate's gradient evaluations in a phase, over all conditions.

        Where replicates differ it is their mean.
        """
        found = (
            _mean_of_measured(block)
            for block in self.blocks
            if (block.learner, block.phase) == (learner, phase)
            and block.metric == "gradient_evaluations"
        )
        return round(sum(found))

    def test_values(
        self,
        learner: str,
        metric: str,
        condition: Condition = IN_DISTRIBUTION,
        axes: tuple[str, ...] = PER_TASK,
    ) -> Floats | None:
        """Return a metric's numbers in the test.

        Args:
            learner: Label.
            metric: The metric.
            condition: Where it was tested.
            axes: The axes that the block must have.

        Returns:
            Float64, one dimension per axis; None without such a block.
        """
        block = self.block(learner, "test", metric, condition)
        if block is None or block.axes != axes:
            return None
        return np.asarray(block.array, dtype=np.float64)

    def series(self, learner: str, phase: str, metric: str) -> Series | None:
        """Return a (replicate, step) metric, joined from its blocks in order of step.

        Args:
            learner: Label.
            phase: train or validate.
            metric: The metric.

        Returns:
            Steps and values; None if nothing was measured.
        """
        found = self._groups.get((learner, phase, metric, IN_DISTRIBUTION), [])
        parts = [block for block in found if block.axes == ("replicate", "step")]
        if not parts:
            return None
        step = np.concatenate([np.asarray(p.coordinates("step")) for p in parts])
        values = np.concatenate(
            [np.asarray(p.array, np.float64) for p in parts], axis=1
        )
        # Stable, so that pieces with an equal step keep their order.
        order = np.argsort(step, kind="stable")
        return Series(step[order], values[:, order])

    def conditions(self) -> list[Condition]:
        """Return the test conditions: in distribution, families, shifts by severity."""
        return list(self._conditions)

    @cached_property
    def _conditions(self) -> list[Condition]:
        seen = dict.fromkeys(b.condition for b in self.blocks if b.phase == "test")
        places = list(dict.fromkeys((c.family, c.shift) for c in seen))
        places.sort(key=lambda place: (place[1] != "", place[0] != ""))
        return sorted(
            seen, key=lambda c: (places.index((c.family, c.shift)), c.severity)
        )

    def with_threshold(self, threshold: float) -> Self:
        """Return the same run with steps to another threshold.

        Args:
            threshold: Nats; of searches a regret, the same for all tasks.

        Raises:
            ValueError: If the run's loss or regret traces are not among the blocks.
        """
        rule = self.criterion
        moved = [
            again
            for block in self.blocks
            if block.phase == "test" and block.metric == rule.trace
            for again in _crossing_blocks(block, threshold, rule)
        ]
        if not moved:
            raise ValueError(f"another threshold needs the {rule.trace} traces")
        return type(self)([*self.blocks, *moved], self._kind)


def _mean_of_measured(block: Block) -> float:
    """Return the mean over replicates; NaN if none was measured."""
    values = np.asarray(block.array, dtype=np.float64)
    measured = values[~np.isnan(values)]
    return float(measured.mean()) if measured.size else float("nan")


def _crossing_blocks(block: Block, threshold: float, rule: Criterion) -> list[Block]:
    # Traces are float32: a rounding must not decide whether the goal was reached.
    level = threshold + (ROUNDING if rule.own_goal else 0.0)
    trace = np.asarray(block.array, dtype=np.float64)
    found = find_crossing(means_of_the_rest(trace) if rule.lasting else trace, level)
    rows = {
        rule.beside: found.step + rule.first,
        "reached": found.reached.astype(np.float64),
    }
    return [
        Block(block.learner, "test", metric, PER_TASK, array, block.condition)
        for metric, array in rows.items()
    ]


def threshold_of(table: BlockTable, spec: RunSpec) -> float | None:
    """Return a run's threshold, nats: fixed on validation tasks, else the given one."""
    fixed = table.number("", "validate", "threshold")
    return fixed if fixed is not None else (spec.budget.threshold or None)


def chosen_learners(spec: RunSpec) -> list[LearnerChoice]:
    """Return the learners that the run is about."""
    return [learner for learner in spec.learners if learner.role == "chosen"]


def baseline_learners(spec: RunSpec) -> list[LearnerChoice]:
    """Return the learners that the chosen ones are compared with."""
    return [learner for learner in spec.learners if learner.role == "baseline"]


def is_tuned(learner: LearnerChoice) -> bool:
    """Return whether a learner's rate was tuned, not given."""
    return bool(learner.knobs.get("tuning", "given") != "given")


def has_tuning(learner: LearnerChoice) -> bool:
    """Return whether a learner can be tuned: its card then has the knob."""
    return "tuning" in learner.knobs


def is_control(learner: LearnerChoice) -> bool:
    """Return whether a learner is a negative control, trained on shuffled data."""
    return bool(learner.knobs.get("shuffled", False))


def tuned_rates(table: BlockTable, label: str) -> Floats | None:
    """Return the tuned learning rates; None if none was tuned.

    Args:
        table: The run's blocks.
        label: The learner.

    Returns:
        Per step; one for each replicate. Runs of 0.3.0 may have one for all.
    """
    block = table.block(label, "tune", "tuned_lr")
    return None if block is None else np.asarray(block.array, np.float64).reshape(-1)


def tuned_rate(table: BlockTable, label: str) -> float | None:
    """Return the geometric mean of a learner's tuned rates; None if none was tuned."""
    rates = tuned_rates(table, label)
    return None if rates is None else geometric_mean(rates)


def geometric_mean(rates: Floats) -> float:
    """Return the geometric mean of positive numbers.

    Args:
        rates: Any shape, at least one.

    >>> round(geometric_mean(np.array([0.1, 0.4])), 12)
    0.2
    """
    return float(np.exp(np.log(rates).mean()))


def rate_of(table: BlockTable, learner: LearnerChoice) -> float | None:
    """Return a learner's learning rate per step; None if it has none.

    Of rates that replicates tuned for themselves it is the geometric mean.
    """
    tuned = tuned_rate(table, learner.label)
    given = learner.knobs.get("lr")
    if tuned is not None or is_tuned(learner) or not isinstance(given, (int, float)):
        return tuned
    return float(given)


def is_trained(table: BlockTable, spec: RunSpec, label: str) -> bool:
    """Return whether a learner was trained before its tests.

    If so, all tests of a replicate share one training and only replicates are
    independent; otherwise all repetitions are.

    Args:
        table: The run's blocks.
        spec: The run.
        label: The learner.
    """
    learned = table.block(label, "train", "gradient_evaluations") is not None
    return learned or label in spec.inputs


def has_constant_spread(table: BlockTable, label: str) -> bool:
    """Return whether a learner only predicts values: its spread is from validation."""
    return table.block(label, "validate", "residual_variance") is not None
