"""Judges of claims on agents give the verdict that known regrets call for."""

from typing import NamedTuple

import numpy as np
import pytest

from engine import studies
from engine.catalogue import discover_parts
from engine.contract.events import Artefact, Block, Condition, Timing
from engine.contract.run_spec import RunSpec
from engine.stats.claims_board import StudyVerdict, judge_study
from engine.stats.claims_board.agents import AGENT_PAIRS
from engine.stats.inference.intervals import t_critical
from engine.studies.agents import agent_studies

discover_parts()
REPLICATES, TASKS, RANDOM = 5, 40, 4.0
NOISE = np.linspace(-0.04, 0.04, REPLICATES)  # 1 % of RANDOM at each end
SHIFT = "goal_outside"


class MadeUp(NamedTuple):
    """A finished run with known regrets."""

    spec: RunSpec
    blocks: list[Block]
    timings: tuple[Timing, ...] = ()

    def film(self, name: str) -> Artefact | None:
        return None


def blocks(label: str, regret: float, severity: float = 0.0) -> list[Block]:
    """Return regrets that differ by the noise in the agents that claims favor."""
    at = Condition(shift=SHIFT, severity=severity) if severity else Condition()
    noise = NOISE if label in FAVORED else np.zeros(REPLICATES)
    rows = np.repeat(regret + noise[:, None], TASKS, 1)
    axes = ("replicate", "task")
    return [
        Block(label, "test", "trial_regret", axes, rows, at),
        Block(label, "test", "random_regret", axes, np.full_like(rows, RANDOM), at),
    ]


FAVORED = {pair.agent for deciding, _ in AGENT_PAIRS.values() for pair in deciding}


def judged(name: str, regrets: dict[float, dict[str, float]]) -> StudyVerdict:
    """Judge a study whose agents have these mean regrets, by severity."""
    spec = studies.study(name).specs[0].model_copy(update={"kind": "rl"})
    made = [
        block
        for severity, agents in regrets.items()
        for label, regret in agents.items()
        for block in blocks(label, regret, severity)
    ]
    return judge_study(name, [MadeUp(spec, made)])


@pytest.mark.parametrize(
    ("rl2", "verdict"),
    [
        (1.9, "supported"),  # better than the optimum, by luck
        (2.1, "supported"),
        (2.2, "can't tell yet"),  # 5 % of 4
        (2.3, "not supported"),
    ],
)
def test_a_memory_may_lose_a_twentieth_of_what_random_actions_lose(
    rl2: float, verdict: str
) -> None:
    found = judged("bayes_optimal_memory", {0.0: {"rl2": rl2, "bayes_optimum": 2.0}})
    assert found.verdict == verdict and found.claimed == (-5.0,)
    assert found.estimate == pytest.approx(100 * (2.0 - rl2) / RANDOM)


def test_the_interval_is_students_over_replicates() -> None:
    found = judged("sampling_credit", {0.0: {"maml_rl": 1.0, "log_prob": 2.0}})
    gained = 100 * (1.0 - NOISE) / RANDOM
    error = gained.std(ddof=1) / REPLICATES**0.5
    half = float(t_critical(np.array(REPLICATES - 1.0))) * error
    ends = pytest.approx((25.0 - half, 25.0 + half))
    assert (found.low, found.high) == ends


@pytest.mark.parametrize(
    ("fresh", "multi", "verdict"),
    [
        (2.0, 1.5, "supported"),
        (0.5, 0.6, "not supported"),
        (2.0, 0.5, "depends"),
        (2.0, 1.0, "can't tell yet"),
    ],
)
def test_a_learned_critic_must_beat_both(
    fresh: float, multi: float, verdict: str
) -> None:
    agents = {"meta_critic": 1.0, "fresh_critic": fresh, "multi_task_policy": multi}
    found = judged("learned_critic", {0.0: agents})
    assert found.verdict == verdict
    assert found.estimate == pytest.approx(100 * (min(fresh, multi) - 1.0) / RANDOM)
    assert ("multi_task_policy" if multi < fresh else "fresh_critic") in found.reason


@pytest.mark.parametrize(
    ("hardest", "verdict"),
    [(1.5, "supported"), (0.5, "depends"), (1.0, "can't tell yet")],
)
def test_transfer_must_hold_at_every_severity(hardest: float, verdict: str) -> None:
    scratch = {0.0: 0.5, 0.5: 2.0, 1.0: 2.0, 2.0: hardest}  # inside does not decide
    regrets = {
        at: {"maml_rl": 1.0, "policy_from_scratch": level}
        for at, level in scratch.items()
    }
    found = judged("harder_tasks", regrets)
    assert found.verdict == verdict
    assert f"{SHIFT} 2:" in found.reason
    assert [row["n"] for row in found.rows] == [REPLICATES] * 4


def test_an_agent_that_was_not_tested_leaves_the_claim_open() -> None:
    inside = {0.0: {"maml_rl": 1.0, "policy_from_scratch": 2.0}}
    for name in ("sampling_credit", "harder_tasks"):
        assert judged(name, inside).verdict == "can't tell yet"
    assert judge_study("learned_critic", []).verdict == "can't tell yet"


def test_every_pair_is_among_the_agents_and_shifts_of_its_study() -> None:
    assert {study.name for study in agent_studies()} == set(AGENT_PAIRS)
    for study in agent_studies():
        (spec,) = study.specs
        labels = {choice.label for choice in spec.learners}
        for pair in [p for pairs in AGENT_PAIRS[study.name] for p in pairs]:
            assert {pair.agent, pair.against} <= labels
            assert pair.shift in {"", *(each.name for each in spec.shifts)}
