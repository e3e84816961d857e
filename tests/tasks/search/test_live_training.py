"""Nets trained when a search asks: the same whatever is trained beside them."""

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.protocol import Evaluator
from engine.tasks.search import _live_training
from engine.tasks.search._live_data import NAMES, live_task
from engine.tasks.search._live_training import LiveEvaluator, net_costs
from engine.tasks.search.growing import (
    MOMENTS,
    Growing,
    GrowingNetEvaluator,
    size_schedule,
)
from engine.tasks.search.growing import SPACE as GROWING
from engine.tasks.search.live_nets import SPACE, DenseNetEvaluator, LiveNets

LIVE = {"dense": (DenseNetEvaluator, SPACE), "growing": (GrowingNetEvaluator, GROWING)}


@pytest.fixture(params=LIVE)
def made(request: pytest.FixtureRequest) -> LiveEvaluator:
    kind, space = LIVE[request.param]
    return kind(space)


def asked(evaluator: Evaluator, count: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return tasks, codes, fidelities and uniform numbers of some trainings."""
    draw = np.random.default_rng(seed)
    codes = evaluator.space.codes(draw.integers(0, evaluator.space.size, count))
    which = draw.integers(0, 4, count)
    return which, codes, np.zeros(count, np.int64), draw.random(count)


def test_members_together_equal_members_alone(made: LiveEvaluator) -> None:
    given = asked(made, 12)
    together = made.measure(*given)
    other = type(made)(made.space)  # it remembers nothing
    for i in range(12):
        alone = other.measure(*(each[i : i + 1] for each in given))
        for one, all_ in zip(alone, together, strict=True):
            assert one[0] == all_[i]


def test_a_trained_architecture_is_not_trained_again(
    made: LiveEvaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = asked(made, 3)
    first = made.measure(*given)
    monkeypatch.setattr(type(made), "train", lambda *_: pytest.fail("trained again"))
    for one, two in zip(first, made.measure(*given), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_memory_is_bounded(
    made: LiveEvaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_live_training, "REMEMBERED", 4)
    made.measure(*asked(made, 6))
    assert len(made._known) == 4


def test_another_seed_trains_another_net(made: LiveEvaluator) -> None:
    which, codes, fidelity, uniform = asked(made, 8)
    one = made.measure(which, codes, fidelity, uniform)
    two = made.measure(which, codes, fidelity, 1.0 - uniform)
    assert (one.score != two.score).any()
    np.testing.assert_array_equal(one.cost, two.cost)


def test_the_rows_of_a_task_are_divided() -> None:
    for name in NAMES:
        task = live_task(name)
        parts = (task.train, task.validation, task.test)
        assert [len(part.y) for part in parts] == [256, 256, 512]
        assert {int(c) for c in task.train.y.unique()} == set(range(task.classes))
        seen = {row.tobytes() for part in parts for row in part.x.numpy()}
        assert len(seen) > 1000  # hardly a row stands in two parts


def test_sizes_are_counted_as_torch_counts_them() -> None:
    from torch import nn

    net = nn.Sequential(nn.Linear(64, 8), nn.Linear(8, 32), nn.Linear(32, 10))
    true = sum(each.numel() for each in net.parameters())
    widths = np.array([[8, 0, 32, 0]])
    parameters, products = net_costs(np.array([64]), np.array([10]), widths)
    assert parameters[0] == true and products[0] == 64 * 8 + 8 * 32 + 32 * 10


def test_a_schedule_is_what_its_net_costs() -> None:
    evaluator = GrowingNetEvaluator(GROWING)
    stay, which = [2] * 5, np.array([NAMES.index("moons")])

    def price(code: list[int]) -> float:
        return float(
            evaluator.training_cost(which, np.array([code]), np.array([54]))[0]
        )

    fixed = {
        width: price([2, code, 2, *stay]) for code, width in enumerate((32, 16, 8, 4))
    }
    assert fixed[4] == 54 * 3 * 32 * (2 * 4 + 4 * 2)
    assert size_schedule(np.array([[2, 3, 2, 2, 2, 1, 2, 2]]))[-1] == [(8,)]
    grown = price([2, 3, 2, 2, 2, 1, 2, 2])  # half of the time 4 wide, then 8
    assert grown == pytest.approx((fixed[4] + fixed[8]) / 2)


def test_a_budget_below_the_cheapest_training_is_refused(made: LiveEvaluator) -> None:
    codes = made.space.codes(np.arange(made.space.size))
    which, steps = np.full(len(codes), NAMES.index("moons")), np.full(len(codes), 54)
    least = made.training_cost(which, codes, steps).min() / 1e6
    family = {SPACE: LiveNets, GROWING: Growing}[made.space]
    family(target="moons", work=least * 1.001).check()
    with pytest.raises(Refused, match="trains no architecture; the cheapest") as told:
        family(target="moons", work=least * 0.999).check()
    assert told.value.field == "work"


def test_nothing_grows_beyond_its_bounds() -> None:
    codes = GROWING.codes(np.arange(GROWING.size))
    for sizes in size_schedule(codes):
        assert max(max(size) for size in sizes) <= 32
        assert max(len(size) for size in sizes) <= 4
    ends = set(size_schedule(codes)[-1])
    assert (32, 32, 32, 32) in ends and (4,) in ends


def test_growth_changes_no_answer_at_its_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.tasks.search import growing
    from engine.tasks.search._padded_mlp import forward

    seen = []
    grown = growing._grow

    def watched(nets, jobs, sizes, moment):  # noqa: ANN001, ANN202
        after = grown(nets, jobs, sizes, moment)
        x, _ = _live_training.stack_rows(jobs, "test")
        one, two = forward(nets, x.mT)[0], forward(after, x.mT)[0]
        seen.append(float((one - two).abs().max()))
        assert sizes[0] != sizes[1]
        return after

    monkeypatch.setattr(growing, "_grow", watched)
    evaluator = GrowingNetEvaluator(GROWING)
    codes = np.array([[1, 3, 2, 0, 1, 0, 1, 1], [1, 3, 2, 1, 1, 1, 0, 0]])
    evaluator.measure(np.zeros(2, int), codes, np.zeros(2, int), np.array([0.1, 0.7]))
    assert len(seen) == 5 and max(seen) < 1e-6


def test_a_training_takes_the_steps_that_it_pays_for() -> None:
    assert all(steps % (MOMENTS + 1) == 0 for steps in _live_training.STEPS)
