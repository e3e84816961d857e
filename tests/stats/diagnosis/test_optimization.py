"""Each detector fires on what it is for, not on its absence, and never on no data."""

import numpy as np
import pytest

from engine.contract.events import Block
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import diagnose
from engine.stats.diagnosis.finding import Finding
from tests.stats.made_up import (
    ADAM,
    HERE,
    TUNED,
    along,
    baseline,
    chosen,
    falling,
    number,
    scales,
    spec,
    trial,
)

Case = tuple[list[Block], RunSpec]
SIGMOID = LearnerChoice(name="sigmoid", label="sigmoid", knobs={"lr": 0.01})
UNROLL = {"estimator": Choice(name="unroll", knobs={"length": 50})}


def _found(case: Case, detector: int) -> list[Finding]:
    blocks, run = case
    return [f for f in diagnose(BlockTable(blocks), run) if f.detector == detector]


def overfit(late: float) -> Case:
    checks = np.array([[0.0, -1.0, -0.9, late, late, late]])
    blocks = [
        along("lr_scale", "validate", "validation", checks, every=10),
        along("lr_scale", "train", "meta_loss", np.linspace(0.0, -2.0, 51)),
    ]
    return blocks, spec()


def stuck(late: float) -> Case:
    blocks, run = overfit(late)
    rising = np.linspace(-2.0, 0.0, 51)
    return [*blocks, along("lr_scale", "train", "meta_loss", rising)], run


def diverging(end: float) -> Case:
    loss = falling(0.1)
    loss[:, :2, 40:] = end
    return trial("lr_scale", loss), spec()


def running_away(end: float) -> Case:
    norm = np.broadcast_to(np.linspace(1.0, end, 51), (8, 8, 51))
    axes = ("replicate", "task", "step")
    blocks = [Block("lr_scale", "test", "weight_norm", axes, norm)]
    return [*trial("lr_scale", falling(0.1)), *blocks], spec()


def chaotic(spread: float) -> Case:
    norms = np.exp(spread * np.random.default_rng(0).standard_normal((8, 130)))
    return [along("lr_scale", "train", "outer_grad_norm", norms)], spec(**UNROLL)


def greedy(low: float) -> Case:
    decay = np.maximum(low, np.exp(-np.arange(50.0)))
    blocks = [
        number("sgd_tuned", "tune", "tuned_lr", 0.4),
        scales("lr_scale", decay),
        *trial("lr_scale", falling(0.05)),
        *trial("sgd_tuned", falling(0.1)),
    ]
    return blocks, spec()


def greedy_and_good(low: float) -> Case:
    blocks, run = greedy(low)
    return [*blocks, *trial("lr_scale", falling(0.2))], run


def pressed(log_scale: float) -> Case:
    held = scales("lr_scale", np.full(50, np.exp(log_scale)))
    return [held, *limits("lr_scale", np.exp(-5.0), np.exp(5.0))], spec()


def limits(label: str, low: float, high: float) -> list[Block]:
    """Say between which factors a learner can scale its rate."""
    return [
        number(label, "train", "scale_low", low),
        number(label, "train", "scale_high", high),
    ]


def thawed(changed: float) -> Case:
    return [number("lr_scale", "test", "thawed", changed)], spec()


def out_of_reach(best: float) -> Case:
    blocks = [
        number("sgd_tuned", "tune", "tuned_lr", best),
        scales("sigmoid", np.full(50, 0.5)),
        *limits("sigmoid", 0.0, 1.0),
    ]
    return blocks, spec(SIGMOID, TUNED)


def policy(rise: float) -> Case:
    noise = np.random.default_rng(0).standard_normal((8, 100))
    gains = noise + rise * np.linspace(0, 1, 100)
    return [along("lr_scale", "train", "return", gains)], spec()


def lone_policy(rise: float) -> Case:
    blocks, run = policy(rise)
    return [along("lr_scale", "train", "return", blocks[0].array[:1])], run


def critic(explained: float) -> Case:
    blocks, run = policy(3.0)
    values = np.full((8, 100), explained)
    return [*blocks, along("lr_scale", "train", "explained_variance", values)], run


def tuning(rate: float, spent: float = 1e5) -> Case:
    rates = (0.01, 0.1, 1.0)
    curve = np.ones((3, 4))
    blocks = [
        Block(
            "sgd_tuned",
            "tune",
            "tuning",
            ("rate", "task"),
            curve,
            HERE,
            {"rate": rates},
        ),
        number("sgd_tuned", "tune", "tuned_lr", rate),
        number("sgd_tuned", "tune", "gradient_evaluations", spent),
        number("lr_scale", "train", "gradient_evaluations", 1e5),
    ]
    return blocks, spec()


def starting(head: float) -> Case:
    return [
        *trial("lr_scale", head * falling()),
        *trial("sgd_tuned", falling()),
    ], spec()


def spending(count: float) -> Case:
    blocks, run = starting(1.0)
    counts = {"lr_scale": count, "sgd_tuned": 400.0}
    return [
        *blocks,
        *(number(at, "test", "gradient_evaluations", n) for at, n in counts.items()),
    ], run


def waiting(slow_tasks: int) -> Case:
    loss = falling(0.1)
    loss[:, :slow_tasks] = 1.0
    return trial("lr_scale", loss), spec()


def schooled(steps: int) -> Case:
    budget = Budget(horizon=50, tasks_per_step=4)
    losses = along("lr_scale", "train", "meta_loss", np.zeros((8, steps)))
    return [losses], spec(budget=budget)


def learning_by_heart(held: float) -> Case:
    """Return a learner with the lower training loss, and so much more held-out loss."""
    blocks = [*trial("lr_scale", falling(0.2)), *trial("sgd_tuned", falling(0.1))]
    for label, level in (("lr_scale", held), ("sgd_tuned", 0.0)):
        row = np.full((8, 8), level)
        blocks.append(Block(label, "test", "held_log_loss", ("replicate", "task"), row))
    return blocks, spec()


CASES: list[tuple[int, Case, Case]] = [
    (1, overfit(-0.5), overfit(-0.95)),
    (1, overfit(-0.5), stuck(-0.5)),
    (7, diverging(np.nan), diverging(0.01)),
    (7, diverging(50.0), diverging(0.5)),
    (7, running_away(11.0), running_away(9.0)),
    (10, chaotic(2.5), chaotic(0.5)),
    (11, greedy(0.01), greedy(0.5)),
    (11, greedy(0.01), greedy_and_good(0.01)),
    (13, pressed(4.9), pressed(4.0)),
    (13, pressed(-4.9), pressed(0.0)),
    (13, out_of_reach(0.4), out_of_reach(0.005)),
    (14, policy(0.0), policy(3.0)),
    (14, lone_policy(-1.0), lone_policy(3.0)),
    (14, critic(-0.1), critic(0.3)),
    (16, tuning(1.0), tuning(0.1)),
    (16, tuning(0.01), tuning(0.1)),
    (16, tuning(0.1, spent=1e4), tuning(0.1, spent=1.1e5)),
    (17, starting(0.9), starting(1.0)),
    (17, spending(405.0), spending(400.0)),
    (18, waiting(4), waiting(0)),
    (19, schooled(40), schooled(60)),
    (30, learning_by_heart(1.0), learning_by_heart(-1.0)),
    (30, learning_by_heart(0.0), learning_by_heart(-1.0)),
]


@pytest.mark.parametrize(("detector", "ill", "well"), CASES)
def test_a_detector_tells_ill_from_well(detector: int, ill: Case, well: Case) -> None:
    for case, flagged in ((ill, True), (well, False)):
        findings = _found(case, detector)
        assert findings
        assert findings[0].flagged is flagged
        assert any(char.isdigit() for char in findings[0].evidence)
        assert findings[0].remedy


@pytest.mark.parametrize("run", [spec(), spec(TUNED, ADAM), spec(chosen(), **UNROLL)])
def test_without_data_every_detector_is_silent(run: RunSpec) -> None:
    assert diagnose(BlockTable([]), run) == []


def test_a_run_with_only_guessed_rates_is_an_untuned_comparison() -> None:
    (finding,) = _found(([], spec(chosen(), baseline("sgd", tuning="given"))), 16)
    assert finding.flagged


def test_bare_functions_have_no_held_out_loss_to_disagree_with() -> None:
    blocks = [*trial("lr_scale", falling(0.2)), *trial("sgd_tuned", falling(0.1))]
    assert _found((blocks, spec()), 30) == []


def test_pes_is_not_accused_of_exploding_unrolls() -> None:
    blocks, _ = chaotic(2.5)
    assert _found((blocks, spec()), 10) == []


def test_an_overshoot_that_recovers_is_reported_but_is_no_warning() -> None:
    loss = falling(0.1)
    loss[..., 3] = 10.0
    (finding,) = _found((trial("lr_scale", loss), spec()), 7)
    assert not finding.flagged
    assert "64 rose above 3 ×" in finding.evidence


def test_segments_of_one_horizon_are_the_same_tasks() -> None:
    blocks, run = schooled(60)
    (finding,) = _found((blocks, run), 19)
    assert "120 distinct tasks in 60 meta-steps" in finding.evidence


@pytest.mark.parametrize(("changed", "flagged"), [(0.0, False), (1.0, True)])
def test_a_changed_digest_is_a_thawed_learner(changed: float, flagged: bool) -> None:
    (finding,) = _found(thawed(changed), 20)
    assert finding.flagged is flagged
