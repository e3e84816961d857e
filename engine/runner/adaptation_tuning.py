"""Tuning after training: choose the adaptation rate and steps on validation tasks.

The learning rate of a fine-tuned net or policy can only be chosen once that is learned.
No learner was trained on the validation tasks, and no test task is used.

Every replicate chooses with its own weights, on tasks of its own: so the choice is part
of the spread between replicates.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from engine.contract.events import Block, Event
from engine.judges.judge import TuningScores
from engine.protocol import EpisodeBatch, TaskBatch, TrialBatch, Weights
from engine.runner.context import LearnerEntry, RunContext, draw_tasks
from engine.runner.frozen_learners import freeze_learner
from engine.runner.rate_search import (
    RateGrid,
    Trial,
    TriedRates,
    search_rates,
    tuning_blocks,
)
from engine.runner.residual_variance import fix_residual_variance
from engine.runner.state import RunState
from engine.runner.validation import adapt_in_chunks

GRID = RateGrid(highest=0.5, limits=(-6.0, 2.0))


class RateResult(NamedTuple):
    """One replicate's results with one rate, at each point that is reported.

    Args:
        error: Less is better; shape (task, position).
        loss: Mean loss, which breaks ties; shape (position,).
        at: Number of inner steps, or interactions, at each position.
    """

    error: np.ndarray
    loss: np.ndarray
    at: tuple[int, ...]

    @property
    def best_position(self) -> int:
        """Return the position of the lowest mean error, then loss, then the first."""
        means = self.error.mean(0)
        return min(range(len(self.at)), key=lambda i: (means[i], self.loss[i]))

    @property
    def best_step(self) -> int:
        """Return the number of inner steps at the best position."""
        return self.at[self.best_position]

    @property
    def rank(self) -> tuple[float, float]:
        """Return mean error and loss at the best position; less is better."""
        return float(self.error[:, self.best_position].mean()), float(
            self.loss[self.best_position]
        )


def tune_after_training(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Choose rates and steps, store them in the learner's meta-weights and freeze it.

    Every inner step that a learner reports is tried as its last one, so that early
    stopping is tuned along with the rate, if it has a number of steps.

    Args:
        context: The run.
        entry: A trained learner whose rate is to be chosen.
        state: Holds its meta-weights; they are replaced.

    Yields:
        Notes, the tuning blocks and the frozen artefact.
    """
    label, weights = entry.label, state.metas[entry.label]
    tasks, stage = _draw_tuning_tasks(context), f"tune {entry.label}"

    def score(
        asked: Mapping[int, Trial], done: float
    ) -> Generator[Event, None, dict[int, RateResult]]:
        with_rates, some = _with_rates(weights, asked), _select_tasks(tasks, asked)
        found = yield from adapt_in_chunks(entry.learner, with_rates, some, stage, done)
        scores = context.judge.tuning_scores(found, some)
        return dict(zip(asked, _rate_results(scores, len(asked)), strict=True))

    tried = yield from search_rates(
        stage, score, lambda one: one.rank, tasks.replicates, GRID
    )
    best = {"lr": [10.0**one.best for one in tried]}
    if "steps" in weights:
        best["steps"] = [float(one.scores[one.best].best_step) for one in tried]
    yield from _blocks(label, context.kind.metrics.tuning, tried, best.get("steps"))
    chosen = {name: weights[name].new_tensor(each) for name, each in best.items()}
    state.metas[label] = weights | chosen
    yield from fix_residual_variance(context, entry, state)
    yield freeze_learner(context, entry, state.metas[label], state)


def _blocks(
    label: str,
    metric: str,
    tried: Sequence[TriedRates[RateResult]],
    steps: Sequence[float] | None,
) -> Iterator[Block]:
    """Yield each rate's errors, and every replicate's rate, steps and costs."""
    errors = [
        TriedRates(
            {power: one.rank[0] for power, one in each.scores.items()}, each.best
        )
        for each in tried
    ]
    yield from tuning_blocks(label, metric, errors)
    spent = [
        float(sum(len(one.error) * max(one.at) for one in each.scores.values()))
        for each in tried
    ]
    for name, values in (("tuned_steps", steps), ("gradient_evaluations", spent)):
        if values is not None:
            yield Block(label, "tune", name, ("replicate",), np.array(values))


def _draw_tuning_tasks(context: RunContext) -> TaskBatch:
    """Draw every replicate's tuning tasks."""
    count, streams = context.spec.budget.tuning_tasks, context.streams("tune")
    horizon = context.judge.tuning_horizon(context.spec.budget.horizon)
    setting = replace(context.setting, horizon=horizon)
    return draw_tasks(setting, "validation", streams, count, context.batch_spec)


def _select_tasks(tasks: TaskBatch, replicates: Mapping[int, Trial]) -> TaskBatch:
    """Return the tasks of some replicates, which need not be neighbors."""
    each = tasks.members // tasks.replicates
    index = [r * each + t for r in replicates for t in range(each)]
    chosen = tasks.take(index)
    assert isinstance(chosen, EpisodeBatch | TrialBatch)  # frozen dataclasses
    return replace(chosen, replicates=len(replicates))


def _with_rates(weights: Weights, asked: Mapping[int, Trial]) -> Weights:
    """Return the meta-weights of some replicates, with other rates."""
    some = {name: tensor[list(asked)] for name, tensor in weights.items()}
    rates = [10.0**trial.power for trial in asked.values()]
    return some | {"lr": weights["lr"].new_tensor(rates)}


def _rate_results(scores: TuningScores, replicates: int) -> list[RateResult]:
    """Return each replicate's errors and losses."""
    both = (np.split(each, replicates) for each in (scores.error, scores.loss))
    pairs = zip(*both, strict=True)
    return [
        RateResult(errors, losses.mean(0), scores.steps) for errors, losses in pairs
    ]
