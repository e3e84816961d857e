"""Pitfalls of searches are found where they are, and nowhere else."""

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import diagnose
from tests.stats.made_up import Array, along, number
from tests.stats.made_up_searches import (
    COLD,
    HORIZON,
    RANDOM,
    WARM,
    found_at,
    search_spec,
    searches,
    strategy,
    times,
    trained,
)

SHAPE = (1, 30, HORIZON)


def flags(blocks: list[Block], run: RunSpec | None = None) -> dict[int, bool]:
    """Return which detectors spoke, and whether any of their findings is flagged."""
    found: dict[int, bool] = {}
    for each in diagnose(BlockTable(blocks), run or search_spec()):
        found[each.detector] = found.get(each.detector, False) or each.flagged
    return found


def trace(label: str, name: str, values: Array) -> Block:
    return Block(label, "test", name, ("replicate", "task", "step"), values)


def fine() -> list[Block]:
    both = [np.minimum(times(m, m, 1, 30), 90) for m in (20, 30)]
    blocks = searches("warm", found_at(both[0])) + searches("cold", found_at(both[1]))
    return [*blocks, trained("warm", 500.0)]


def test_a_sound_run_of_searches_has_no_warnings() -> None:
    assert not any(flags(fine()).values())


def test_findings_on_rates_and_episodes_do_not_apply_to_searches() -> None:
    assert not {7, 9, 10, 13, 16, 19} & set(flags(fine()))


def tried(distinct: int) -> Array:
    return np.broadcast_to(np.arange(HORIZON) % distinct, SHAPE).astype(float)


@pytest.mark.parametrize(
    ("low", "distinct", "flagged"),
    [(0.01, 5, True), (0.01, 90, False), (5.0, 5, False)],
)
def test_a_policy_that_is_sure_early_and_repeats_itself_has_collapsed(
    low: float, distinct: int, flagged: bool
) -> None:
    blocks = searches("warm", np.full(SHAPE, 0.1), tried=tried(distinct))
    entropy = np.broadcast_to(np.linspace(6.0, low, HORIZON // 4), (1, 30, 25))
    held = np.concatenate([entropy, np.full((1, 30, 75), low)], -1)
    blocks.append(trace("warm", "entropy", held))
    assert flags(blocks, search_spec(WARM))[15] is flagged


def test_a_policy_that_is_sure_only_late_has_not_collapsed() -> None:
    blocks = searches("warm", np.full(SHAPE, 0.1), tried=tried(5))
    late = np.where(np.arange(HORIZON) < 60, 6.0, 0.01)
    blocks.append(trace("warm", "entropy", np.broadcast_to(late, SHAPE)))
    assert flags(blocks, search_spec(WARM))[15] is False


def test_a_space_that_can_be_trained_whole_needs_no_search() -> None:
    regret = np.full((1, 5, 1200), 0.1)
    large = searches("cold", regret[..., :900], tried=np.zeros((1, 5, 900)))
    small = searches("cold", regret, tried=np.zeros((1, 5, 1200)))
    assert flags(large, search_spec(COLD))[23] is False
    assert flags(small, search_spec(COLD))[23] is True


def test_transfer_that_hurts_somewhere_is_found() -> None:
    far = Condition(family="mosaic")
    tests = (Choice(name="mosaic", knobs={"target": "iris"}),)
    run = search_spec(WARM, COLD, test_families=tests)
    near = fine()
    blocks = near + searches("warm", found_at(times(70, 3, 1, 30)), far)
    blocks += searches("cold", found_at(times(15, 4, 1, 30)), far)
    found = [f for f in diagnose(BlockTable(blocks), run) if f.detector == 24]
    assert found[0].flagged and "1 of 2 conditions: iris" in found[0].evidence
    assert flags(near)[24] is False


def test_an_untrained_strategy_transfers_nothing() -> None:
    blocks = searches("warm", found_at(times(70, 3))) + searches(
        "cold", found_at(times(15, 4))
    )
    assert 24 not in flags(blocks)


@pytest.mark.parametrize(("noise", "flagged"), [(0.05, True), (0.001, False)])
def test_an_answer_chosen_by_a_noisy_signal_is_a_lucky_winner(
    noise: float, flagged: bool
) -> None:
    draw = np.random.default_rng(0)
    score = 0.8 + 0.01 * draw.standard_normal(SHAPE)
    signal = score + noise * draw.standard_normal(SHAPE)
    best = np.array(
        [
            [[row[: i + 1].argmax() for i in range(HORIZON)] for row in rows]
            for rows in signal
        ]
    )
    held = np.take_along_axis(score, best, -1)
    blocks = searches("cold", 1.0 - held)
    blocks += [trace("cold", "signal", signal), trace("cold", "score", held)]
    assert flags(blocks, search_spec(COLD))[25] is flagged


def test_under_a_cap_the_signal_says_nothing_of_luck() -> None:
    capped = Choice(name="nk_landscape", knobs={"goal": 0.01, "cap": 0.5})
    assert 25 not in flags(fine(), search_spec(family=capped))


def test_a_budget_without_a_training_is_found() -> None:
    none = np.full(SHAPE, np.nan)
    blocks = searches("cold", np.full(SHAPE, 0.9), tried=none)
    assert flags(blocks, search_spec(COLD))[26] is True


def test_a_short_horizon_is_no_short_budget() -> None:
    short = searches("cold", np.full((1, 5, 4), 0.1))
    assert 26 not in flags(short, search_spec(COLD))
    paid = np.where(np.arange(HORIZON) < 4, 1.0, np.nan)
    blocks = searches("cold", np.full(SHAPE, 0.1), tried=np.broadcast_to(paid, SHAPE))
    assert flags(blocks, search_spec(COLD))[26] is True


def test_meta_training_on_the_test_task_is_found() -> None:
    for share, flagged in ((1.0, True), (0.5, True), (0.0, False)):
        met = number("warm", "train", "met_before", share)
        assert flags([*fine(), met], search_spec())[28] is flagged
    assert 28 not in flags(fine(), search_spec()), "nothing was learned"


def test_a_base_that_keeps_all_is_a_growing_buffer() -> None:
    for capacity, seen, flagged in (
        (100_000, 50_000.0, True),
        (1_000, 50_000.0, False),
        (100_000, 5_000.0, False),
    ):
        warm = strategy("warm", capacity=capacity)
        blocks = searches("warm", found_at(times(20, 1)))
        found = flags([*blocks, trained("warm", seen)], search_spec(warm))
        assert found[27] is flagged


def test_replays_are_held_against_one_search() -> None:
    long = searches("cold", found_at(times(20, 1), horizon=1500))
    for replay, capacity, found in (
        (0, 5000, None),  # nothing is replayed
        (4, 5000, True),  # and nothing forgotten
        (4, 200, False),
    ):
        cold = strategy("cold", "baseline", replay=replay, capacity=capacity)
        assert flags(long, search_spec(cold)).get(27) is found
    trained_too = strategy("warm", replay=4, capacity=200)
    blocks = [*searches("warm", found_at(times(20, 1))), trained("warm", 50_000.0)]
    told = diagnose(BlockTable(blocks), search_spec(trained_too))
    evidence = next(f.evidence for f in told if f.detector == 27)
    assert "200 experiences; a search had 100" in evidence


def test_means_over_the_searches_that_got_there_flatter() -> None:
    rare = np.where(np.arange(60) < 20, 10.0, HORIZON + 1.0)[None]
    never = np.full((1, 60), HORIZON + 1.0)
    always = np.full((1, 60), 10.0)
    for first, flagged in ((rare, True), (never, True), (always, False)):
        found = flags(searches("cold", found_at(first)), search_spec(COLD))
        assert found[18] is flagged


def test_a_finding_names_evaluations_on_sources() -> None:
    found = diagnose(BlockTable(fine()), search_spec(WARM, COLD, RANDOM))
    told = [f.evidence for f in found if f.detector == 17]
    assert told and "warm 500" in told[0]


@pytest.mark.parametrize(
    ("checks", "critic", "flagged"),
    [((0.2, 0.1), 0.5, False), ((0.2, 0.2), 0.5, True), ((0.2, 0.1), -0.5, True)],
)
def test_training_that_teaches_nothing_is_found(
    checks: tuple[float, ...], critic: float, flagged: bool
) -> None:
    blocks = [
        *fine(),
        along("warm", "validate", "validation_regret", np.array([checks])),
        along("warm", "train", "explained_variance", np.full((1, 10), critic)),
    ]
    assert flags(blocks)[14] is flagged
