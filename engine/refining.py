"""Tuning after training: the adaptation rate and steps that do best on validation.

A few-shot baseline that is fine-tuned has a rate that can only be chosen once its
features are learned. Validation episodes are new to everyone, so this is the place
where the method's checkpoint is chosen, too.
"""

from collections.abc import Generator, Iterator

import numpy as np
import torch

from engine.bench import Bench, Entrant, draw_tasks
from engine.carry import Carry
from engine.contract.blocks import Block, Event, Note
from engine.inner.chunks import rows_of
from engine.judges.episodes import error_trace
from engine.protocol import Stretch, TaskBatch, Weights
from engine.starting import frozen
from engine.training import following
from engine.tuning import COARSE, FINE

Scores = dict[float, np.ndarray]


def refine(bench: Bench, entrant: Entrant, carry: Carry) -> Iterator[Event]:
    """Choose rate and steps; leave them in the learner's meta-weights and freeze it.

    Every position that the learner shows is tried as its last step, so that early
    stopping is tuned along with the rate.
    """
    weights = carry.metas[entrant.label]
    tasks = _exam(bench)
    scores: Scores = {}
    at: tuple[int, ...] = ()
    for power in _candidates(scores):
        note = f"tune {entrant.label}"
        share = min(0.99, len(scores) / (len(COARSE) + len(FINE)))
        tried = _with(rows_of(weights, range(1)), power, -1)
        found = yield from following(entrant.learner, tried, tasks, note, share)
        scores[power], at = _errors(found), found.at
        yield Note(note, share, f"{10**power:.3g}")
    power, place = _best(scores)
    yield from _blocks(entrant, scores, at, (power, place))
    carry.metas[entrant.label] = _with(weights, power, at[place])
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


def _errors(found: Stretch) -> np.ndarray:
    """Return each position's error on each task; what is no number is the worst."""
    error = torch.nan_to_num(error_trace(found), 1e2, 1e2, 1e2).clamp(max=1e2)
    return error.cpu().numpy()


def _candidates(scores: Scores) -> Generator[float, None, None]:
    """Yield log10 rates, half decades first, then eighths around the best."""
    yield from (power for power in COARSE if power <= 0.5)
    best = _best(scores)[0]
    for offset in FINE:
        yield best + offset


def _best(scores: Scores) -> tuple[float, int]:
    """Return the log10 rate and the position with the lowest mean error."""
    means = {power: rows.mean(0) for power, rows in scores.items()}
    power = min(means, key=lambda p: float(means[p].min()))
    return power, int(means[power].argmin())


def _blocks(
    entrant: Entrant, scores: Scores, at: tuple[int, ...], best: tuple[float, int]
) -> Iterator[Block]:
    powers = sorted(scores)
    rates = tuple(float(10.0**power) for power in powers)
    curve = np.stack([scores[power].min(1) for power in powers])
    label, (power, place) = entrant.label, best
    yield Block(
        *(label, "tune", "tuning_error", ("rate", "task"), curve),
        coords={"rate": rates},
    )
    yield Block(label, "tune", "tuned_lr", (), np.array(10.0**power))
    yield Block(label, "tune", "tuned_steps", (), np.array(float(at[place])))
    spent = float(curve.size * max(at))
    yield Block(label, "tune", "gradient_evaluations", (), np.array(spent))
