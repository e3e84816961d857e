"""Every replicate tunes its baselines for itself."""

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from engine.contract.events import Artefact, Block, Event
from engine.protocol import Meta
from engine.runner.baseline_tuning import tuning_spec
from engine.runner.context import RunContext, draw_tasks
from engine.runner.rate_search import RateGrid, Trial, TriedRates, search_rates
from engine.runner.validation import adapt_quietly
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import events, spec_of

TUNED = {"name": "sgd", "role": "baseline", "knobs": {"tuning": "tuned"}}
SMALL = {"tuning_tasks": 8, "test_tasks": 1}


def tuned_run(**fields: Any) -> Any:
    """Return a tiny run of tuned SGD."""
    return spec_of(learners=[TUNED], budget=SMALL, **fields)


def tuning(spec: Any) -> dict[str, Block]:
    """Return what the tuning of a run left, by metric."""
    every = events(spec, cache=InMemoryRunCache())
    return {e.metric: e for e in every if isinstance(e, Block) and e.phase == "tune"}


def search(best: list[float]) -> list[TriedRates[float]]:
    """Search for the rates of replicates, each with its best where it is said."""

    def score(
        asked: Mapping[int, Trial], share: float
    ) -> Generator[Event, None, dict[int, float]]:
        yield from ()
        return {r: abs(trial.power - best[r]) for r, trial in asked.items()}

    found = search_rates("tune", score, float, len(best), RateGrid(1.5, (-8.0, 4.0)))
    while True:
        try:
            next(found)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


def test_every_replicate_searches_as_it_would_alone() -> None:
    bests = [-1.3, 2.7, -6.2, 0.3]  # two of them beyond the coarse grid
    together = search(bests)
    assert [one.best for one in together] == pytest.approx(bests, abs=1 / 16 + 1e-9)
    assert together == [search([best])[0] for best in bests]


def test_more_replicates_leave_the_rates_of_the_first_ones_unchanged() -> None:
    few, many = (tuning(tuned_run(replicates=n)) for n in (2, 4))
    assert np.array_equal(many["tuned_lr"].array[:2], few["tuned_lr"].array)
    rates, wider = (found["tuning"].coords["rate"] for found in (few, many))
    shared = [wider.index(rate) for rate in rates]
    again = many["tuning"].array[:2, shared]
    assert np.array_equal(again, few["tuning"].array, equal_nan=True)


def test_a_replicate_is_the_same_by_whatever_number_a_run_begins() -> None:
    whole, later = tuned_run(replicates=3), tuned_run(replicates=1, first_replicate=2)
    first, last = tuning(whole), tuning(later)
    assert np.array_equal(first["tuned_lr"].array[2:], last["tuned_lr"].array)


def test_replicates_tune_on_tasks_of_their_own() -> None:
    scores = tuning(tuned_run(replicates=3))["tuning"]
    tried = scores.array[:, ~np.isnan(scores.array).any(axis=0)]
    assert (np.ptp(tried, axis=0) > 0).all()


def scores_around(found: dict[str, Block], replicate: int) -> dict[float, float]:
    """Return a replicate's scores by log10 rate, on its fine grid."""
    scores = found["tuning"]
    powers = np.log10(scores.coords["rate"]).round(3)
    own = dict(zip(powers.tolist(), scores.array[replicate].tolist(), strict=True))
    best = float(np.log10(found["tuned_lr"].array[replicate]))
    return {p: s for p, s in own.items() if abs(p - best) < 0.13 and not np.isnan(s)}


def test_the_rate_has_the_best_score_on_the_fine_grid() -> None:
    spec = tuned_run(replicates=2)
    found = tuning(spec)
    best = found["tuned_lr"].array
    for replicate in (0, 1):
        near = scores_around(found, replicate)
        chosen = round(float(np.log10(best[replicate])), 3)
        assert len(near) > 1 and min(near, key=near.__getitem__) == chosen
    # By hand: train on the second replicate's tuning tasks at its own rate.
    context = RunContext(tuning_spec(spec, spec.learners[0]))
    streams = context.streams("tune")[1:]
    place = context.batch_spec._replace(replicates=1)
    tasks = draw_tasks(context.setting, "train", streams, 8, place)
    meta = Meta({"lr": torch.tensor([best[1]], dtype=torch.float32)}, {})
    learner = context.entries[0].learner
    loss = adapt_quietly(learner, meta.weights, tasks).traces["loss"]
    mean = loss.clamp(1e-4, 1e2).log().mean()
    assert min(scores_around(found, 1).values()) == pytest.approx(float(mean), rel=1e-5)


def test_the_ledger_counts_what_each_replicate_tried() -> None:
    found = tuning(tuned_run(replicates=3))
    tried = (~np.isnan(found["tuning"].array)).sum(axis=1)
    assert (tried >= 18).all()
    # The best coarse rate and its 6 neighbors on 8 tasks, the other ones on 2.
    evaluations = 2 * (tried - 6) + 8 * 7
    assert (found["gradient_evaluations"].array == evaluations * 8).all()


def test_the_threshold_is_the_same_for_any_replicates() -> None:
    specs = [tuned_run(replicates=1), tuned_run(replicates=2, first_replicate=3)]
    levels = {
        float(event.array)
        for spec in specs
        for event in events(spec, cache=InMemoryRunCache())
        if isinstance(event, Block) and event.metric == "threshold"
    }
    assert len(levels) == 1


def test_every_replicate_is_tested_with_its_own_rate() -> None:
    spec = tuned_run(replicates=3)
    every = list(events(spec, cache=InMemoryRunCache()))
    frozen = [e for e in every if isinstance(e, Artefact) and e.kind == "frozen"][-1]
    rates = [e.array for e in every if isinstance(e, Block) and e.metric == "tuned_lr"]
    np.testing.assert_array_equal(frozen.arrays["lr"], rates[0].astype(np.float32))
