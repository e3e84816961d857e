"""Tuning after training: choose the adaptation rate and steps on validation episodes.

The learning rate of a fine-tuned few-shot baseline can only be chosen once its
features are learned. No learner was trained on the validation episodes, and no test
episode is used.

Every replicate chooses with its own weights, on episodes of its own: so the choice is
part of the spread between replicates.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from engine.contract.events import Block, Event
from engine.judges.few_shot import error_trace
from engine.protocol import EpisodeBatch, TraceSegment, Weights
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
WORST = 1e2  # stands for a NaN or infinite error or loss


class RateResult(NamedTuple):
    """One replicate's results with one rate, at each inner step that is reported.

    Args:
        error: Error rate, or squared error; shape (task, position).
        loss: Mean query loss, nats, which breaks ties; shape (position,).
        at: Number of inner steps at each position.
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

    Every step that the learner reports is tried as its last one, so that early stopping
    is tuned along with the rate.

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
        return dict(zip(asked, _rate_results(found, len(asked)), strict=True))

    tried = yield from search_rates(
        stage, score, lambda one: one.rank, tasks.replicates, GRID
    )
    yield from _blocks(label, tried)
    best = {
        "lr": [10.0**one.best for one in tried],
        "steps": [float(one.scores[one.best].best_step) for one in tried],
    }
    chosen = {name: weights[name].new_tensor(each) for name, each in best.items()}
    state.metas[label] = weights | chosen
    yield from fix_residual_variance(context, entry, state)
    yield freeze_learner(context, entry, state.metas[label], state)


def _blocks(label: str, tried: Sequence[TriedRates[RateResult]]) -> Iterator[Block]:
    """Yield each rate's errors, and every replicate's rate, steps and costs."""
    errors = [
        TriedRates(
            {power: one.rank[0] for power, one in each.scores.items()}, each.best
        )
        for each in tried
    ]
    yield from tuning_blocks(label, "tuning_error", errors)
    steps = [float(each.scores[each.best].best_step) for each in tried]
    spent = [
        float(sum(len(one.error) * max(one.at) for one in each.scores.values()))
        for each in tried
    ]
    for metric, values in (("tuned_steps", steps), ("gradient_evaluations", spent)):
        yield Block(label, "tune", metric, ("replicate",), np.array(values))


def _draw_tuning_tasks(context: RunContext) -> EpisodeBatch:
    """Draw every replicate's tuning episodes."""
    count, streams = context.spec.budget.tuning_tasks, context.streams("tune")
    # Steps beyond the learner's own are shown in tests, and not to choose from.
    setting = replace(context.setting, horizon=0)
    tasks = draw_tasks(setting, "validation", streams, count, context.batch_spec)
    assert isinstance(tasks, EpisodeBatch)
    return tasks


def _select_tasks(tasks: EpisodeBatch, replicates: Mapping[int, Trial]) -> EpisodeBatch:
    """Return the tasks of some replicates, which need not be neighbors."""
    each = tasks.members // tasks.replicates
    index = [r * each + t for r in replicates for t in range(each)]
    return replace(tasks.take(index), replicates=len(replicates))


def _with_rates(weights: Weights, asked: Mapping[int, Trial]) -> Weights:
    """Return the meta-weights of some replicates, with other rates."""
    some = {name: tensor[list(asked)] for name, tensor in weights.items()}
    rates = [10.0**trial.power for trial in asked.values()]
    return some | {"lr": weights["lr"].new_tensor(rates)}


def _rate_results(trace: TraceSegment, replicates: int) -> list[RateResult]:
    """Return each replicate's errors and losses; NaN counts as the worst."""
    error = _replace_nonfinite(error_trace(trace))
    loss = error
    if "query_loss" in trace.traces:
        loss = _replace_nonfinite(trace.traces["query_loss"])
    pairs = zip(*(np.split(each, replicates) for each in (error, loss)), strict=True)
    return [RateResult(errors, losses.mean(0), trace.steps) for errors, losses in pairs]


def _replace_nonfinite(values: torch.Tensor) -> np.ndarray:
    # Clamped as well: one huge finite value would dominate the mean.
    kept = torch.nan_to_num(values, WORST, WORST, WORST).clamp(max=WORST)
    return kept.double().cpu().numpy()
