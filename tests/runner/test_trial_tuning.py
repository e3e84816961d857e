"""Rates of agents are tuned on validation trials, replicate by replicate."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from engine.contract.events import Artefact, Block
from engine.judges.rl import TrialJudge
from engine.protocol import TraceSegment, TrialBatch
from engine.runner.context import RunContext
from engine.runner.validation import adapt_quietly
from tests.laws.small import events, learner_spec

NAMES = ("policy_from_scratch", "multi_task_policy", "maml_rl")


def spec_of(name: str, **fields: Any) -> Any:
    choice = {"name": name, "knobs": {"episodes": 2}}
    return learner_spec(name, learners=[choice], **fields)


@cache
def played(name: str) -> tuple[dict[str, Block], dict[str, np.ndarray]]:
    """Return the blocks of a tiny run and the weights that it froze."""
    blocks, frozen = {}, {}
    for event in events(spec_of(name)):
        if isinstance(event, Block):
            blocks[f"{event.phase} {event.metric}"] = event
        elif isinstance(event, Artefact) and event.kind == "frozen":
            frozen = event.arrays
    return blocks, frozen


@pytest.mark.parametrize("name", NAMES)
def test_every_replicate_freezes_the_rate_with_the_least_validation_regret(
    name: str,
) -> None:
    found, frozen = played(name)
    curve = found["tune validation_cost"]
    rates = found["tune tuned_lr"].array
    for row, rate in zip(curve.array, rates, strict=True):
        # Several rates may be equally good.
        at = np.argmin(abs(np.log(np.array(curve.coords["rate"]) / rate)))
        assert row[at] == np.nanmin(row)
    np.testing.assert_allclose(frozen["lr"], rates, rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_regret_of_a_rate_is_that_of_the_validation_trials(name: str) -> None:
    found, frozen = played(name)
    context = RunContext(spec_of(name))
    count = context.spec.budget.tuning_tasks
    tasks = context.draw(context.setting, "validation", ("tune",), count)
    assert isinstance(tasks, TrialBatch)
    weights = {key: torch.from_numpy(row.copy()) for key, row in frozen.items()}
    trace = adapt_quietly(context.entries[0].learner, weights, tasks)
    regret = trace.traces["episode_regret"].sum(1).view(2, count).mean(1)
    least = np.nanmin(found["tune validation_cost"].array, 1)
    np.testing.assert_allclose(regret.numpy(), least, rtol=1e-5)


def test_all_are_tuned_with_the_same_effort() -> None:
    tried = {name: played(name)[0]["tune validation_cost"].array for name in NAMES}
    counts = {name: np.isfinite(rows).sum(1).min() for name, rows in tried.items()}
    assert min(counts.values()) >= 16


def test_a_diverged_trial_counts_as_the_worst() -> None:
    context = RunContext(spec_of("maml_rl"))
    tasks = context.draw(context.setting, "validation", ("tune",), 1)
    assert isinstance(tasks, TrialBatch)
    regret = torch.ones(2, tasks.horizon)
    regret[1, 3:] = torch.nan
    scores = TrialJudge().tuning_scores(TraceSegment({"episode_regret": regret}), tasks)
    assert scores.error[0, 0] == tasks.horizon
    assert scores.error[1, 0] == pytest.approx(tasks.worst_regret[1].item())


def test_checkpoints_are_chosen_by_the_episodes_that_tests_judge() -> None:
    context = RunContext(spec_of("maml_rl"))
    tasks = context.draw(context.setting, "validation", ("tune",), 1)
    assert isinstance(tasks, TrialBatch)
    ramp = torch.arange(float(tasks.horizon)).expand(2, -1)
    trace = TraceSegment({"episode_regret": ramp})
    last = replace(tasks, judged=2, totals=False)
    assert TrialJudge().score(trace, last).tolist() == [tasks.horizon - 1.5] * 2
    whole = TrialJudge().score(trace, tasks)
    assert whole.tolist() == [sum(range(tasks.horizon))] * 2
