"""Transfer from sources to targets, on arrays whose truth is known."""

from typing import NamedTuple

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.search.transfer_matrix import control_label, transfer_matrix
from tests.stats.made_up import HERE, Array
from tests.stats.made_up_searches import (
    HORIZON,
    found_at,
    search_spec,
    searches,
    strategy,
    times,
    trained,
)

WARM = strategy("warm")
SHUFFLED = strategy("control", shuffled=True)
COLD = strategy("cold", "baseline")


class Run(NamedTuple):
    spec: RunSpec
    blocks: list[Block]


def run_of(
    source: str, cells: dict[str, tuple[Array, Array]], spent: float = 3000.0
) -> Run:
    """Return a run that learned on a source, by target: warm's and cold's times."""
    home, *others = [
        Choice(name="mosaic", knobs={"target": target, "source": source})
        for target in cells
    ]
    blocks = [trained("warm", spent)]
    for i, (warm, cold) in enumerate(cells.values()):
        many = len(others) > 1
        at = Condition(family=f"mosaic_{i}" if many else "mosaic") if i else HERE
        blocks += searches("warm", found_at(warm), at)
        blocks += searches("cold", found_at(cold), at)
    spec = search_spec(WARM, COLD, family=home, test_families=tuple(others))
    return Run(spec, blocks)


def drawn(mean: float, seed: int) -> Array:
    return np.minimum(times(mean, seed, 8, 20), HORIZON)


def test_identical_learners_have_ratio_one_and_nothing_else() -> None:
    same = drawn(30, 1)
    made = transfer_matrix([run_of("wine", {"iris": (same, same)})])
    assert (made.sources, made.targets) == (("wine",), ("iris",))
    for measure, truth in (
        (made.ratio, 1.0),
        (made.gain, 0.0),
        (made.jump_start, 0.0),
        (made.area, 0.0),
    ):
        assert measure.low <= truth <= measure.high
        assert measure.mean == pytest.approx(truth)
    assert np.isinf(made.break_even.mean).all()
    assert made.calls == (("equal",),)


def test_alike_learners_have_intervals_around_one() -> None:
    cells = {f"set {i}": (drawn(30, i), drawn(30, 90 + i)) for i in range(6)}
    made = transfer_matrix([run_of("wine", cells)])
    assert ((made.ratio.low < 1.0) & (made.ratio.high > 1.0)).mean() >= 5 / 6
    assert set(made.calls[0]) <= {"equal", "can't tell yet"}


def test_a_speed_up_of_two_is_found() -> None:
    cold = 2.0 * np.minimum(times(20, 3, 8, 20), HORIZON / 2)
    made = transfer_matrix([run_of("wine", {"iris": (cold / 2.0, cold)})])
    assert made.ratio.mean.item() == pytest.approx(2.0)
    assert made.ratio.low.item() == pytest.approx(2.0)
    loose = transfer_matrix([run_of("wine", {"iris": (cold[::-1] / 2.0, cold)})])
    assert 1.0 < loose.ratio.low.item() < 2.0 < loose.ratio.high.item()
    assert made.calls == (("better",),)


def test_source_evaluations_are_repaid_after_their_share_of_targets() -> None:
    warm, cold = np.full((8, 20), 20.0), np.full((8, 20), 50.0)
    made = transfer_matrix([run_of("wine", {"iris": (warm, cold)}, spent=3000.0)])
    assert made.break_even.mean.item() == pytest.approx(100.0)


def test_jump_start_gain_and_area_are_those_of_the_definitions() -> None:
    warm, cold = np.full((8, 20), 5.0), np.full((8, 20), HORIZON + 1.0)
    made = transfer_matrix([run_of("wine", {"iris": (warm, cold)})], first=10)
    assert made.jump_start.mean.item() == pytest.approx(0.2)
    assert made.gain.mean.item() == pytest.approx(0.2)
    # warm regrets 0.2 in 4 of 100 evaluations, cold in all of them
    assert made.area.mean.item() == pytest.approx(1.0 - 0.04)
    early = transfer_matrix([run_of("wine", {"iris": (warm, cold)})], first=4)
    assert early.jump_start.mean.item() == pytest.approx(0.0)


def test_negative_transfer_is_marked() -> None:
    cells = {"iris": (drawn(20, 1), drawn(50, 2)), "far": (drawn(60, 3), drawn(20, 4))}
    made = transfer_matrix([run_of("wine", cells)])
    found = dict(zip(made.targets, made.calls[0], strict=True))
    assert found == {"iris": "better", "far": "worse"}
    assert made.ratio.high[0, 1] < 1.0
    assert np.isinf(made.break_even.mean[0, 1])


def test_each_run_fills_the_row_of_its_source() -> None:
    first = run_of("wine", {"iris": (drawn(20, 1), drawn(50, 2))})
    second = run_of("moons", {"glyphs": (drawn(50, 1), drawn(50, 2))})
    made = transfer_matrix([first, second])
    assert made.sources == ("wine", "moons")
    assert made.targets == ("iris", "glyphs")
    assert np.isnan(made.ratio.mean[0, 1]) and np.isfinite(made.ratio.mean[0, 0])
    assert made.n.tolist() == [[8, 0], [0, 8]]
    assert made.calls[0][1] is None and np.isnan(made.level[0, 1])


def test_the_control_has_a_matrix_of_its_own() -> None:
    run = run_of("wine", {"iris": (drawn(20, 1), drawn(50, 2))})
    other = drawn(50, 7)
    spec = search_spec(WARM, SHUFFLED, COLD, family=run.spec.family)
    blocks = [*run.blocks, *searches("control", found_at(other)), trained("control", 9)]
    both = Run(spec, blocks)
    assert transfer_matrix([both]).learner == "warm"
    assert control_label(both) == "control"
    control = transfer_matrix([both], learner=control_label(both))
    assert control.calls == (("can't tell yet",),)
    assert transfer_matrix([both]).calls == (("better",),)


def test_spaces_that_differ_in_a_knob_are_named_by_it() -> None:
    families = [
        Choice(name="nk_landscape", knobs={"kinship": k, "goal": 0.01})
        for k in (0.9, 0.2)
    ]
    blocks = [trained("warm", 9.0)]
    for at in (HERE, Condition(family="nk_landscape")):
        blocks += searches("warm", found_at(drawn(20, 1)), at)
        blocks += searches("cold", found_at(drawn(20, 2)), at)
    spec = search_spec(WARM, COLD, family=families[0], test_families=(families[1],))
    made = transfer_matrix([Run(spec, blocks)])
    assert made.targets == ("kinship 0.9", "kinship 0.2")


def test_runs_without_a_trained_strategy_make_an_empty_matrix() -> None:
    blocks = searches("cold", found_at(drawn(20, 1)))
    made = transfer_matrix([Run(search_spec(COLD), blocks)])
    assert made.sources == made.targets == () and made.ratio.mean.shape == (0, 0)


def test_a_single_meta_training_is_compared_over_its_searches_and_named() -> None:
    warm, cold = times(20, 1, 1, 80), times(50, 2, 1, 80)
    made = transfer_matrix([run_of("wine", {"iris": (warm, cold)})])
    assert made.single and made.n.item() == 80
    assert made.ratio.low.item() > 1.0


def test_a_call_follows_from_intervals_at_the_level_of_its_test() -> None:
    cells = {f"set {i}": (drawn(20 + 4 * i, i), drawn(40, 90 + i)) for i in range(6)}
    made = transfer_matrix([run_of("wine", cells)])
    assert {"better", "can't tell yet"} <= set(made.calls[0])
    levels = made.level[0]
    # The clearest is tested at 5 % over all six, the first undecided at its step.
    assert levels.max() == pytest.approx(1 - 0.05 / 6)
    decided = sum(call != "can't tell yet" for call in made.calls[0])
    assert levels.min() == pytest.approx(1 - 0.05 / (6 - decided))
    for call, low in zip(made.calls[0], made.area.low[0], strict=True):
        assert (low > 0) == (call == "better")
