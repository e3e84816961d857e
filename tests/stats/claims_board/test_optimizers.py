"""Judges of optimizer claims give the verdict that known losses and norms call for."""

from typing import NamedTuple

import numpy as np
import pytest

from engine import studies
from engine.catalogue import discover_parts
from engine.contract.events import Artefact, Block, Condition, Timing
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.claims_board import StudyVerdict, judge_study
from engine.stats.claims_board.optimizers import (
    ADAM,
    LEARNED,
    SGD,
    log_spread,
    log_unsteadiness,
)

discover_parts()
REPLICATES, TASKS, STEPS = 8, 16, 50
AXES = ("replicate", "task")
HERE = Condition()


class MadeUp(NamedTuple):
    """A finished run with known numbers."""

    spec: RunSpec
    blocks: list[Block]
    timings: tuple[Timing, ...] = ()

    def film(self, name: str) -> Artefact | None:
        return None


def losses(label: str, ratio: float, at: Condition, metric: str) -> Block:
    """Return log losses of a mean, with a noise of 5 % between replicates."""
    noise = 0.05 * np.random.default_rng([*label.encode()]).standard_normal(REPLICATES)
    rows = np.repeat(np.log(ratio) + noise[:, None], TASKS, 1)
    return Block(label, "test", metric, AXES, rows, at)


def conditions(spec: RunSpec) -> list[Condition]:
    shifted = [
        Condition("", shift.name, severity)
        for shift in spec.shifts
        for severity in shift.severities
    ]
    return [HERE, *shifted]


def judged(
    name: str, ratios: list[float], metric: str = "held_log_loss"
) -> StudyVerdict:
    """Judge runs in which LR-scale's loss is so many times SGD's, place by place."""
    left = iter(ratios)
    runs = []
    for spec in studies.study(name).specs:
        blocks = []
        for at in conditions(spec):
            blocks.append(losses(LEARNED, next(left), at, metric))
            blocks += [losses(label, 1.0, at, metric) for label in (SGD, ADAM)]
        runs.append(MadeUp(spec.model_copy(update={"kind": "optimization"}), blocks))
    return judge_study(name, runs)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([1.0, 0.5, 0.6, 0.7, 0.8], "supported"),
        ([0.5, 2.0, 2.0, 2.0, 2.0], "not supported"),
        ([1.0, 0.5, 0.5, 0.5, 2.0], "depends"),
        ([1.0, 0.5, 0.5, 0.5, 1.0], "can't tell yet"),
    ],
)
def test_a_learned_rate_must_win_under_every_shift(
    ratios: list[float], verdict: str
) -> None:
    assert judged("shifted_tasks", ratios).verdict == verdict


def test_the_estimate_is_of_the_shift_that_speaks_least_for_the_claim() -> None:
    found = judged("shifted_tasks", [1.0, 0.2, 0.2, 0.7, 0.2])
    assert found.estimate == pytest.approx(30.0, abs=4.0)
    assert "wider 1" in found.reason


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([1.5, 1.4], "supported"),
        ([0.5, 0.6], "not supported"),
        ([0.5, 1.5], "depends"),
        ([1.0, 1.5], "can't tell yet"),
    ],
)
def test_sgd_must_win_on_both_families(ratios: list[float], verdict: str) -> None:
    assert judged("plain_sgd", ratios, "area").verdict == verdict


def norms(label: str, jump: float, at: Condition) -> Block:
    """Return gradient norms that fall by 1 % a step and jump up and down besides."""
    steps = np.arange(STEPS + 1)
    logs = -0.01 * steps + 0.5 * jump * (-1.0) ** steps
    rows = np.broadcast_to(np.exp(logs), (REPLICATES, TASKS, STEPS + 1)).copy()
    rows *= np.random.default_rng(0).uniform(0.9, 1.1, rows.shape)
    return Block(label, "test", "grad_norm", (*AXES, "step"), rows, at)


def steadiness(own: list[float]) -> StudyVerdict:
    spec = studies.study("steady_gradients").specs[0]
    spec = spec.model_copy(update={"kind": "optimization"})
    blocks = []
    for at, jump in zip(conditions(spec), own, strict=True):
        blocks += [norms(LEARNED, jump, at), norms(SGD, 1.0, at)]
    return judge_study("steady_gradients", [MadeUp(spec, blocks)])


def test_smaller_jumps_under_every_shift_are_steadier() -> None:
    found = steadiness([2.0, 0.5, 0.5, 0.5, 0.5])
    assert found.verdict == "supported"
    assert found.estimate == pytest.approx(50.0, abs=3.0)
    assert steadiness([0.5, 2.0, 2.0, 2.0, 2.0]).verdict == "not supported"
    assert steadiness([1.0, 0.5, 0.5, 0.5, 2.0]).verdict == "depends"


def test_unsteadiness_is_the_root_mean_square_change_until_a_divergence() -> None:
    logs = np.array([[[0.0, 1.0, -1.0, np.nan], [0.0, 0.0, 0.0, 0.0]]])
    block = Block(SGD, "test", "grad_norm", (*AXES, "step"), np.exp(logs))
    table = BlockTable([block], "optimization")
    changes = [1.0, -2.0, 0.0, 0.0, 0.0]
    found = log_unsteadiness(table, SGD, HERE)
    assert found is not None
    assert np.exp(found[0]) == pytest.approx(np.sqrt(np.mean(np.square(changes))))
    spread = log_spread(table, SGD, HERE)
    assert spread is not None
    measured = logs[np.isfinite(logs)]
    assert np.exp(spread[0]) == pytest.approx(measured.std())


def test_without_shifts_or_optimizers_the_claims_stay_open() -> None:
    for name in ("shifted_tasks", "steady_gradients", "plain_sgd"):
        spec = studies.study(name).specs[0].model_copy(update={"kind": "optimization"})
        assert judge_study(name, [MadeUp(spec, [])]).verdict == "can't tell yet"
