"""The verdict is calibrated: made-up rows of known truth, eight replicates.

The rows are as nasty as real ones: tasks differ with heavy tails, training has
an effect of its own, an eighth of the tasks diverge for either learner.
"""

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.stats.block_table import BlockTable
from engine.stats.learner_claims import (
    BETTER,
    CANT_TELL,
    EQUAL,
    WORSE,
    make_claims,
    primary_claim,
)
from tests.stats.made_up import HERE, TUNED, chosen, spec

SETS = 200


def _area(draw: np.random.Generator, task: np.ndarray, gap: float) -> np.ndarray:
    """Return mean log losses of one learner, worse by `gap` than the other."""
    trained = 0.05 * draw.standard_t(4, (len(task), 1))
    area = task + trained + 0.1 * draw.standard_t(3, task.shape) + gap
    blown = draw.random(task.shape) < 0.125
    area = np.where(blown, 3.0 + 1.6 * draw.random(task.shape), area)
    return np.clip(area, np.log(1e-4), np.log(1e2))


def _calls(seed: int, gaps: dict[Condition, float]) -> list[str]:
    draw = np.random.default_rng(seed)
    blocks = []
    for condition, gap in gaps.items():
        task = 0.4 * draw.standard_t(3, (8, 8)) - 1.0
        for label, worse in (("lr_scale", gap), ("sgd_tuned", 0.0)):
            rows = _area(draw, task, worse)
            axes = ("replicate", "task")
            blocks.append(Block(label, "test", "area", axes, rows, condition))
    claims = make_claims(BlockTable(blocks), spec(chosen(), TUNED), None)
    return [claim.call for claim in claims]


def test_the_wrong_side_is_named_in_at_most_a_fortieth_of_the_sets() -> None:
    truths = {"better": -0.8, CANT_TELL: 0.0, "worse": 0.8}
    wrong, right = 0, 0
    for seed in range(SETS):
        truth, gap = list(truths.items())[seed % 3]
        (call,) = _calls(seed, {HERE: gap})
        right += call == truth
        wrong += call not in (truth, CANT_TELL)
    assert wrong <= SETS // 40
    assert right >= 0.55 * SETS


def test_a_learner_against_itself_redrawn_makes_no_difference() -> None:
    calls = [_calls(1000 + seed, {HERE: 0.0}) for seed in range(SETS)]
    assert calls.count([CANT_TELL]) >= 0.95 * SETS


def test_looking_under_many_shifts_does_not_make_claims_cheaper() -> None:
    shifts = [Condition(shift="stretch", severity=float(s)) for s in range(1, 7)]
    calls = [
        _calls(2000 + seed, dict.fromkeys([HERE, *shifts], 0.0)) for seed in range(SETS)
    ]
    primary = [found[0] for found in calls]
    assert primary.count(CANT_TELL) >= 0.95 * SETS
    quiet = [set(found[1:]) == {CANT_TELL} for found in calls]
    assert sum(quiet) >= 0.95 * SETS


def _decide(seed: int, looks: tuple[int, ...], lost: float) -> str:
    """Return the primary call of a run until decided, in which both are alike."""
    draw = np.random.default_rng(seed)
    axes, size = ("replicate", "task"), (looks[-1], 4)
    task = draw.standard_normal(size)
    rows = {}
    for label in ("lr_scale", "sgd_tuned"):
        gone = draw.random(size) < lost
        area = task + draw.standard_normal(size) + draw.standard_normal((looks[-1], 1))
        rows[label] = {"area": np.where(gone, np.log(1e2), area), "diverged": gone}
    run = spec(chosen(), TUNED, looks=looks, replicates=looks[-1])
    for look in looks:
        blocks = [
            Block(label, "test", metric, axes, values[:look].astype(float))
            for label, metrics in rows.items()
            for metric, values in metrics.items()
        ]
        main = primary_claim(make_claims(BlockTable(blocks), run, None))
        assert main is not None
        if main.call != CANT_TELL:
            break
    return main.call


@pytest.mark.parametrize("lost", [0.0, 0.2])
def test_waiting_until_it_is_decided_makes_no_more_false_claims(lost: float) -> None:
    calls = [_decide(3000 + seed, (8, 12, 16, 24), lost) for seed in range(SETS)]
    false = sum(call in (BETTER, WORSE) for call in calls)
    # 5 % and two standard errors of so many sets.
    assert false <= SETS * (0.05 + 2 * (0.05 * 0.95 / SETS) ** 0.5)


@pytest.mark.parametrize("seed", range(5))
def test_a_learner_against_the_same_rows_is_equivalent_to_itself(seed: int) -> None:
    rows = np.random.default_rng(seed).standard_t(2, (8, 8))
    axes = ("replicate", "task")
    blocks = [Block(at, "test", "area", axes, rows) for at in ("lr_scale", "sgd_tuned")]
    (claim,) = make_claims(BlockTable(blocks), spec(chosen(), TUNED), None)
    assert (claim.call, claim.difference) == (EQUAL, 0.0)


def test_one_replicate_tells_nothing_yet() -> None:
    axes = ("replicate", "task")
    blocks = [
        Block("lr_scale", "test", "area", axes, np.full((1, 64), -5.0)),
        Block("sgd_tuned", "test", "area", axes, np.zeros((1, 64))),
    ]
    (claim,) = make_claims(BlockTable(blocks), spec(chosen(), TUNED), None)
    assert claim.call == CANT_TELL
    assert np.isnan([claim.low, claim.high]).all()
