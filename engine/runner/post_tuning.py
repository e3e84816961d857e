"""Tuning after training: the adaptation rate and steps that do best on validation.

A few-shot baseline that is fine-tuned has a rate that can only be chosen once its
features are learned. Validation episodes are new to everyone, so this is the place
where the method's checkpoint is chosen, too; test episodes have no part in it.

One rate serves all replicates and is chosen with the first one's weights: what a
replicate gets must not depend on how many there are.
"""

from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
import torch

from engine.contract.blocks import Block, Event
from engine.judges.few_shot import error_trace
from engine.protocol import Stretch, TaskBatch, Weights
from engine.protocol.chunks import rows_of
from engine.runner.context import Bench, Entrant, draw_tasks
from engine.runner.frozen_learners import frozen
from engine.runner.meta_training import following
from engine.runner.rate_search import search_rate, tuning_blocks
from engine.runner.state import Carry

HIGHEST, LIMITS = 0.5, (-6.0, 2.0)  # log10 of rates
WORST = 1e2


class Tried(NamedTuple):
    """What one rate came to at each position that was shown.

    Args:
        error: Share of wrong answers, or squared error; shape (task, position).
        loss: Mean loss on the queries, by which ties are broken; shape (position,).
        at: Inner steps of the positions.
    """

    error: np.ndarray
    loss: np.ndarray
    at: tuple[int, ...]

    @property
    def place(self) -> int:
        """Return the position with the lowest mean error; a tie by loss, then first."""
        means = self.error.mean(0)
        return min(range(len(self.at)), key=lambda i: (means[i], self.loss[i]))

    @property
    def rank(self) -> tuple[float, float]:
        """Return the mean error and the loss there; less is better."""
        return float(self.error[:, self.place].mean()), float(self.loss[self.place])


def refine(bench: Bench, entrant: Entrant, carry: Carry) -> Iterator[Event]:
    """Choose rate and steps; leave them in the learner's meta-weights and freeze it.

    Every position that the learner shows is tried as its last step, so that early
    stopping is tuned along with the rate.
    """
    label, weights = entrant.label, carry.metas[entrant.label]
    tasks, first = _exam(bench), rows_of(weights, range(1))
    stage = f"tune {label}"

    def score(power: float, share: float) -> Generator[Event, None, Tried]:
        tried = _with(first, power, -1)
        found = yield from following(entrant.learner, tried, tasks, stage, share)
        return _tried(found)

    scores, power = yield from search_rate(
        stage, score, lambda tried: tried.rank, HIGHEST, LIMITS
    )
    best = scores[power]
    steps = best.at[best.place]
    errors = {power: one.error[:, one.place] for power, one in scores.items()}
    yield from tuning_blocks(label, "tuning_error", errors, power)
    yield Block(label, "tune", "tuned_steps", (), np.array(float(steps)))
    spent = float(sum(len(one.error) * max(one.at) for one in scores.values()))
    yield Block(label, "tune", "gradient_evaluations", (), np.array(spent))
    carry.metas[label] = _with(weights, power, steps)
    yield frozen(bench, entrant, carry.metas[label], carry)


def _exam(bench: Bench) -> TaskBatch:
    count = bench.spec.budget.tuning_tasks
    place = bench.place._replace(replicates=1)
    streams = [bench.rng.child("tune")]
    return draw_tasks(bench.setting, "validation", streams, count, place)


def _with(weights: Weights, power: float, steps: int) -> Weights:
    """Return meta-weights with another rate, and steps where these are known."""
    rate = torch.full_like(weights["lr"], 10.0**power)
    last = weights["steps"] if steps < 0 else torch.full_like(rate, float(steps))
    return weights | {"lr": rate, "steps": last}


def _tried(found: Stretch) -> Tried:
    """Return errors and losses; what is no number is the worst."""
    error = _finite(error_trace(found))
    loss = found.traces.get("query_loss")
    mean = error.mean(0) if loss is None else _finite(loss).mean(0)
    return Tried(error, mean, found.at)


def _finite(values: torch.Tensor) -> np.ndarray:
    kept = torch.nan_to_num(values, WORST, WORST, WORST).clamp(max=WORST)
    return kept.double().cpu().numpy()
