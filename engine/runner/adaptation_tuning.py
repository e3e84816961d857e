"""Tuning after training: choose the adaptation rate and steps on validation episodes.

The learning rate of a fine-tuned few-shot baseline can only be chosen once its
features are learned. No learner was trained on the validation episodes, and no test
episode is used.

All replicates share one rate, chosen with the first replicate's weights: a replicate's
result must not depend on how many there are.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch

from engine.contract.events import Block, Event
from engine.judges.few_shot import error_trace
from engine.protocol import TaskBatch, TraceSegment, Weights
from engine.protocol.member_chunks import select_replicates
from engine.runner.context import LearnerEntry, RunContext, draw_tasks
from engine.runner.frozen_learners import freeze_learner
from engine.runner.rate_search import RateGrid, Trial, TriedRates, search_rates
from engine.runner.residual_variance import fix_residual_variance
from engine.runner.state import RunState
from engine.runner.validation import adapt_in_chunks

GRID = RateGrid(highest=0.5, limits=(-6.0, 2.0))
WORST = 1e2  # stands for a NaN or infinite error or loss


class RateResult(NamedTuple):
    """Validation results of one rate, at each inner step that the learner reports.

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
    def rank(self) -> tuple[float, float]:
        """Return mean error and loss at the best position; less is better."""
        return float(self.error[:, self.best_position].mean()), float(
            self.loss[self.best_position]
        )


def tune_after_training(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Choose rate and steps, store them in the learner's meta-weights and freeze it.

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
    if label in state.frozen:  # chosen in the first batch
        chosen = {name: state.frozen[label][name][:1] for name in ("lr", "steps")}
        same = {name: each.expand_as(weights[name]) for name, each in chosen.items()}
        state.metas[label] = weights | {
            name: each.clone() for name, each in same.items()
        }
        yield from fix_residual_variance(context, entry, state)
        yield freeze_learner(context, entry, state.metas[label], state)
        return
    tasks, first = _draw_tuning_tasks(context), select_replicates(weights, range(1))
    stage = f"tune {label}"

    def score(
        asked: Mapping[int, Trial], share: float
    ) -> Generator[Event, None, dict[int, RateResult]]:
        tried = _with_rate(first, asked[0].power, -1)
        found = yield from adapt_in_chunks(entry.learner, tried, tasks, stage, share)
        return {0: _rate_result(found)}

    (found,) = yield from search_rates(stage, score, lambda one: one.rank, 1, GRID)
    scores, power = found
    best = scores[power]
    steps = best.at[best.best_position]
    yield from _tuning_blocks(label, found)
    yield Block(label, "tune", "tuned_steps", (), np.array(float(steps)))
    spent = float(sum(len(one.error) * max(one.at) for one in scores.values()))
    yield Block(label, "tune", "gradient_evaluations", (), np.array(spent))
    state.metas[label] = _with_rate(weights, power, steps)
    yield from fix_residual_variance(context, entry, state)
    yield freeze_learner(context, entry, state.metas[label], state)


def _tuning_blocks(label: str, tried: TriedRates[RateResult]) -> Iterator[Block]:
    """Yield each rate's errors, and the chosen rate, which all replicates share."""
    scores = tried.scores
    powers = sorted(scores)
    errors = [scores[p].error[:, scores[p].best_position] for p in powers]
    at = {"rate": tuple(float(10.0**power) for power in powers)}
    axes = ("rate", "task")
    yield Block(label, "tune", "tuning_error", axes, np.stack(errors), coords=at)
    yield Block(label, "tune", "tuned_lr", (), np.array(10.0**tried.best))


def _draw_tuning_tasks(context: RunContext) -> TaskBatch:
    count = context.spec.budget.tuning_tasks
    place = context.batch_spec._replace(replicates=1)
    streams = [context.rng.child("tune")]
    return draw_tasks(context.setting, "validation", streams, count, place)


def _with_rate(weights: Weights, power: float, steps: int) -> Weights:
    """Return meta-weights with another rate, and steps where these are known."""
    rate = torch.full_like(weights["lr"], 10.0**power)
    last = weights["steps"] if steps < 0 else torch.full_like(rate, float(steps))
    return weights | {"lr": rate, "steps": last}


def _rate_result(trace: TraceSegment) -> RateResult:
    """Return errors and losses; NaN counts as the worst."""
    error = _replace_nonfinite(error_trace(trace))
    loss = trace.traces.get("query_loss")
    mean = error.mean(0) if loss is None else _replace_nonfinite(loss).mean(0)
    return RateResult(error, mean, trace.steps)


def _replace_nonfinite(values: torch.Tensor) -> np.ndarray:
    # Clamped as well: one huge finite value would dominate the mean.
    kept = torch.nan_to_num(values, WORST, WORST, WORST).clamp(max=WORST)
    return kept.double().cpu().numpy()
