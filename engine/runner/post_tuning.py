"""Tuning after training: the adaptation rate and steps that do best on validation.

A few-shot baseline that is fine-tuned has a rate that can only be chosen once its
features are learned. Validation episodes are new to everyone, so this is the place
where the method's checkpoint is chosen, too; test episodes have no part in it.

Rates are tried as in `engine.runner.tuning`: half decades, further where the best is
at an edge, then eighths of a decade around it. One rate serves all replicates and is
chosen with the first one's weights: what a replicate gets must not depend on how many
there are.
"""

from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
import torch

from engine.contract.blocks import Block, Event, Note
from engine.judges.few_shot import error_trace
from engine.protocol import Stretch, TaskBatch, Weights
from engine.protocol.chunks import rows_of
from engine.runner.context import Bench, Entrant, draw_tasks
from engine.runner.frozen_learners import frozen
from engine.runner.meta_training import following
from engine.runner.state import Carry
from engine.runner.tuning import COARSE, FINE

LIMITS = (-6.0, 2.0)
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


Scores = dict[float, Tried]


def refine(bench: Bench, entrant: Entrant, carry: Carry) -> Iterator[Event]:
    """Choose rate and steps; leave them in the learner's meta-weights and freeze it.

    Every position that the learner shows is tried as its last step, so that early
    stopping is tuned along with the rate.
    """
    weights = carry.metas[entrant.label]
    tasks = _exam(bench)
    scores: Scores = {}
    for power in _candidates(scores):
        note = f"tune {entrant.label}"
        share = min(0.99, len(scores) / (len(COARSE) + len(FINE)))
        tried = _with(rows_of(weights, range(1)), power, -1)
        found = yield from following(entrant.learner, tried, tasks, note, share)
        scores[power] = _tried(found)
        yield Note(note, share, f"{10**power:.3g}")
    power = _best(scores)
    yield from _blocks(entrant, scores, power)
    best = scores[power]
    carry.metas[entrant.label] = _with(weights, power, best.at[best.place])
    yield frozen(bench, entrant, carry.metas[entrant.label], carry)


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


def _candidates(scores: Scores) -> Generator[float, None, None]:
    """Yield log10 rates: half decades, beyond an edge that is best, then eighths."""
    yield from (power for power in COARSE if power <= 0.5)
    while (best := _best(scores)) in (min(scores), max(scores)):
        further = best + (0.5 if best == max(scores) else -0.5)
        if not LIMITS[0] <= further <= LIMITS[1]:
            break
        yield further
    for offset in FINE:
        yield best + offset


def _best(scores: Scores) -> float:
    """Return the log10 rate that did best at the position that suits it."""
    return min(scores, key=lambda power: scores[power].rank)


def _blocks(entrant: Entrant, scores: Scores, best: float) -> Iterator[Block]:
    powers = sorted(scores)
    rates = tuple(float(10.0**power) for power in powers)
    tried = [scores[power] for power in powers]
    curve = np.stack([one.error[:, one.place] for one in tried])
    label, chosen = entrant.label, scores[best]
    yield Block(
        *(label, "tune", "tuning_error", ("rate", "task"), curve),
        coords={"rate": rates},
    )
    yield Block(label, "tune", "tuned_lr", (), np.array(10.0**best))
    steps = np.array(float(chosen.at[chosen.place]))
    yield Block(label, "tune", "tuned_steps", (), steps)
    spent = float(sum(len(one.error) * max(one.at) for one in tried))
    yield Block(label, "tune", "gradient_evaluations", (), np.array(spent))
