"""Detectors of false certainty: each fires on what it is for, and not beside it."""

import numpy as np
import pytest

from engine.contract.events import Block
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import diagnose
from engine.stats.diagnosis.finding import Finding
from engine.stats.task_metrics.beliefs import HISTOGRAMS, summarize_beliefs
from tests.stats.made_up import few, few_shot, few_spec

QUERIES = 10


def believe(
    residual: Floats, sd: Floats | float, between: float | None = None
) -> list[Block]:
    """Return the test of a learner with these residuals and its own spreads."""
    sd = np.broadcast_to(sd, residual.shape)
    z = residual / sd
    answers = {
        "log_density": -0.5 * z**2 - np.log(sd),
        "below": 0.5 * (1 + np.tanh(0.8 * z)),  # close to a normal distribution
        "sd": sd,
    }
    if between is not None:
        answers["component_sd"] = np.full_like(residual, between)
    lost = np.zeros(residual.shape[:2])
    return [
        *few_shot("maml", (residual**2).mean(2), classes=False),
        *as_blocks(summarize_beliefs(answers, None, lost, None)),
    ]


def as_blocks(rows: dict[str, Floats]) -> list[Block]:
    return [
        Block(
            "maml",
            "test",
            name,
            ("replicate", "bin" if name in HISTOGRAMS else "task"),
            values,
        )
        for name, values in rows.items()
    ]


def found(blocks: list[Block], detector: int) -> list[Finding]:
    every = diagnose(BlockTable(blocks, "few_shot"), few_spec(few("maml")))
    return [finding for finding in every if finding.detector == detector]


def normal(seed: int = 0, replicates: int = 4) -> Floats:
    return np.random.default_rng(seed).standard_normal((replicates, 40, QUERIES))


@pytest.mark.parametrize("replicates", [1, 4])
@pytest.mark.parametrize(("sd", "flagged"), [(0.4, True), (1.0, False), (3.0, False)])
def test_intervals_that_hold_too_few_targets_are_overconfident(
    sd: float, flagged: bool, replicates: int
) -> None:
    (finding,) = found(believe(normal(replicates=replicates), sd), 32)
    assert finding.flagged == flagged
    assert "90% intervals hold" in finding.evidence


def test_a_lack_that_may_be_chance_or_does_no_harm_is_not_flagged() -> None:
    (finding,) = found(believe(normal(), 0.93), 32)  # 88 % instead of 90 %
    assert not finding.flagged
    few_episodes = normal()[:2, :2]
    few_episodes[0] *= 6.0  # one replicate of two is bad
    (finding,) = found(believe(few_episodes, 1.0), 32)
    assert not finding.flagged


def test_where_almost_every_episode_diverged_no_sentence_has_a_nan() -> None:
    residual = normal(replicates=2)
    residual[0, 1:] = np.nan
    residual[1] = np.nan
    (finding,) = found(believe(residual, 1.0), 32)
    assert "intervals hold" in finding.evidence
    assert "nan" not in finding.evidence


@pytest.mark.parametrize(("confidence", "flagged"), [(0.9, True), (0.72, False)])
def test_more_confidence_than_accuracy_is_overconfident(
    confidence: float, flagged: bool
) -> None:
    right = (np.random.default_rng(2).random((4, 40, QUERIES)) < 0.7).astype(float)
    answers = {"confidence": np.full_like(right, confidence), "right": right}
    scores = summarize_beliefs(answers, np.ones((4, 40)), np.zeros((4, 40)), None)
    blocks = [*few_shot("maml", 1.0 - right.mean(2)), *as_blocks(scores)]
    (finding,) = found(blocks, 32)
    assert finding.flagged == flagged
    error = abs(confidence - right.mean())
    assert f"expected calibration error is {error:.1%}" in finding.evidence


def test_a_spread_that_vanished_is_collapsed() -> None:
    (finding,) = found(believe(normal(), 1e-3), 33)
    assert finding.flagged
    (finding,) = found(believe(normal(), 1.0), 33)
    assert not finding.flagged


def test_the_same_spread_for_easy_and_hard_episodes_is_collapsed() -> None:
    hardness = np.geomspace(0.1, 10.0, 40)[None, :, None]
    residual = normal() * hardness
    (constant,) = found(believe(residual, 5.0), 33)
    (fitted,) = found(believe(residual, hardness), 33)
    assert constant.flagged and not fitted.flagged


def test_a_constant_spread_from_validation_is_no_collapse_of_the_learner() -> None:
    given = Block("maml", "validate", "residual_variance", ("replicate",), np.ones(4))
    assert not found([*believe(normal(), 1e-3), given], 33)


@pytest.mark.parametrize(("between", "flagged"), [(1e-3, True), (0.3, False)])
def test_components_that_predict_the_same_are_one(
    between: float, flagged: bool
) -> None:
    (finding,) = found(believe(normal(), 1.0, between), 34)
    assert finding.flagged == flagged


def test_without_components_or_densities_nothing_is_said() -> None:
    plain = few_shot("maml", (normal() ** 2).mean(2), classes=False)
    assert not any(found(plain, number) for number in (32, 33, 34))
    assert not found(believe(normal(), 1.0), 34)
