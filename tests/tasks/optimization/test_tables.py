import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.data.sources.sklearn_sets import SETS, load_bundled_set
from engine.data.sources.supervised_table import DataTable
from engine.tasks.optimization._row_pools import split_table
from engine.tasks.optimization._tables import (
    TableSampling,
    check_sampling,
    draw_rows,
    standardize_columns,
)
from engine.tasks.optimization.breast_cancer import BreastCancer
from engine.tasks.optimization.diabetes import Diabetes
from engine.tasks.optimization.digits import Digits
from engine.tasks.optimization.iris import Iris
from engine.tasks.optimization.wine import Wine
from tests.tasks.drawing import streams

FAMILIES = (Digits, BreastCancer, Wine, Iris, Diabetes)


def doubled(rows: int = 60, copies: int = 3) -> DataTable:
    """Return a two-class table of which every row is there several times."""
    draw = np.random.default_rng(0)
    x = np.repeat(draw.standard_normal((rows, 3)), copies, axis=0)
    y = np.repeat(np.arange(rows) % 2, copies)
    return DataTable(x, y, ("a", "b"))


@pytest.mark.parametrize("name", SETS)
def test_pools_share_no_row_and_leave_none_out(name: str) -> None:
    table = load_bundled_set(name)
    pools = split_table(table).pools
    numbers = [pool.rows for pool in pools.values()]
    assert np.array_equal(np.sort(np.concatenate(numbers)), np.arange(table.rows))
    contents = [{row.tobytes() for row in table.x[rows]} for rows in numbers]
    assert not contents[0] & contents[1]
    assert not contents[0] & contents[2]
    assert not contents[1] & contents[2]


@pytest.mark.parametrize("name", SETS)
def test_pools_hold_their_share_of_every_class(name: str) -> None:
    table = load_bundled_set(name)
    labels = table.y if table.classes else np.zeros(table.rows, int)
    whole = np.bincount(labels)
    for share, pool in zip(
        (0.4, 0.3, 0.3), split_table(table).pools.values(), strict=True
    ):
        np.testing.assert_allclose(np.bincount(pool.labels) / whole, share, atol=0.03)


def test_copies_of_a_row_stay_in_one_pool() -> None:
    table = doubled()
    where = np.empty(table.rows, int)
    for place, pool in enumerate(split_table(table).pools.values()):
        where[pool.rows] = place
    assert (where.reshape(60, 3) == where.reshape(60, 3)[:, :1]).all()
    assert len(set(where)) == 3


def test_copies_of_a_row_are_never_on_both_sides_of_a_task() -> None:
    table = doubled()
    cut = TableSampling(20, 20, 0, 0, "subset")
    for rng in streams(50):
        sample = draw_rows(table, "test", cut, rng)
        assert sample.x.shape[1] == sample.held_x.shape[1] == 20
        train = {row.tobytes() for row in np.round(sample.x.T, 4)}
        assert not train & {row.tobytes() for row in np.round(sample.held_x.T, 4)}


def test_a_task_draws_from_its_pool_alone() -> None:
    # Every value is another one, and ranks survive standardizing: rows are known again.
    x = np.random.default_rng(0).permutation(200)[:, None] * 1.0
    table = DataTable(x, np.arange(200) % 2, ("a", "b"))
    for name, pool in split_table(table).pools.items():
        mine = np.sort(x[pool.rows, 0])
        cut = TableSampling(len(mine) - 10, 10, 0, 0, "subset")
        sample = draw_rows(table, name, cut, Rng(2))
        both = np.concatenate([sample.x[0], sample.held_x[0]])
        ratio = np.diff(np.sort(both)) / np.diff(mine)
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_training_inputs_have_mean_0_and_variance_1_or_are_0(
    family: type[Digits],
) -> None:
    sample = family().sample(Rng(1), "train")
    np.testing.assert_allclose(sample.x.mean(1), 0.0, atol=1e-5)
    variance = sample.x.var(1)
    assert (np.isclose(variance, 1.0, atol=1e-4) | (variance == 0.0)).all()


def test_nothing_of_the_held_out_rows_leaks_into_training() -> None:
    draw = np.random.default_rng(1)
    x, held = draw.standard_normal((30, 4)), draw.standard_normal((10, 4))
    one, _ = standardize_columns(x, held)
    two, far = standardize_columns(x, 1e6 * held)
    np.testing.assert_array_equal(one, two)
    assert np.abs(far).max() > 1e5


@given(
    scale=st.sampled_from([1e-300, 1e-30, 1.0, 1e30, 1e300]),
    empty=st.floats(0.0, 0.5),
)
def test_any_scale_and_gap_gives_finite_inputs(scale: float, empty: float) -> None:
    draw = np.random.default_rng(2)
    x, held = draw.standard_normal((20, 3)) * scale, draw.standard_normal((9, 3))
    x[:, 0] = 4.0
    held[:, 0] = 5.0
    x[draw.random(x.shape) < empty] = np.nan
    plain, other = standardize_columns(x, held)
    assert np.isfinite(plain).all()
    assert np.isfinite(other).all()
    assert (plain[:, 0] == 0).all()
    assert (other[:, 0] == 0).all()
    np.testing.assert_allclose(plain[:, 1:].mean(0), 0.0, atol=1e-5)


def test_a_task_draws_the_classes_asked_for_and_numbers_them_afresh() -> None:
    # Each class is a value of its own, so that it is known again from the inputs.
    y = np.repeat(np.arange(5), 40)
    x = np.stack([y * 1.0, np.arange(200) / 200.0], 1)
    table = DataTable(x, y, tuple("abcde"))
    orders = set()
    for rng in streams(60):
        sample = draw_rows(table, "test", TableSampling(12, 6, 2, 0, "subset"), rng)
        assert sample.outputs == 2
        assert set(sample.y) == {0, 1}
        orders.add(bool(sample.x[0][sample.y == 0][0] < 0))
    assert orders == {True, False}


@pytest.mark.parametrize("classes", range(2, 11))
def test_digits_can_be_drawn_with_any_number_of_classes(classes: int) -> None:
    Digits(classes=classes).check()


def test_the_answers_of_regression_are_standardized_by_training_rows() -> None:
    sample = Diabetes().sample(Rng(1), "train")
    assert sample.y.dtype == np.float32
    assert sample.y.mean() == pytest.approx(0.0, abs=1e-5)
    assert sample.y.std() == pytest.approx(1.0, abs=1e-4)


def test_projections_keep_the_number_of_features_and_change_per_task() -> None:
    family = Wine(features=5, view="projection")
    one, two = (family.sample(rng, "test") for rng in streams(2))
    assert one.x.shape[0] == 5
    assert not np.allclose(one.x, two.x)


@pytest.mark.parametrize(
    ("knobs", "field", "words"),
    [
        ({"examples": 200}, "examples", "216 together; a task can take at most"),
        ({"features": 13, "classes": 3, "examples": 24}, "", ""),
        ({"held_out": 1000}, "examples", "at most"),
    ],
)
def test_more_rows_than_a_pool_has_are_refused(
    knobs: dict[str, int], field: str, words: str
) -> None:
    family = Wine(**knobs)
    if not field:
        family.check()
        return
    with pytest.raises(Refused, match=words) as refusal:
        family.check()
    assert refusal.value.field == field


def test_more_classes_or_features_than_there_are_are_refused() -> None:
    table = load_bundled_set("iris")
    with pytest.raises(Refused, match="Classes is 4; this set has 3"):
        check_sampling(table, TableSampling(24, 16, 4, 0, "subset"))
    with pytest.raises(Refused, match="Features is 9; this set has 4"):
        check_sampling(table, TableSampling(24, 16, 3, 9, "subset"))


def test_classes_with_too_few_rows_for_three_pools_are_left_out() -> None:
    draw = np.random.default_rng(0)
    y = np.array([0] * 40 + [1] * 40 + [2] * 3)
    table = DataTable(draw.standard_normal((83, 2)), y, ("a", "b", "c"))
    assert split_table(table).usable.tolist() == [0, 1]
    sample = draw_rows(table, "test", TableSampling(10, 5, 0, 0, "subset"), Rng(1))
    assert sample.outputs == 2


def test_a_table_without_two_usable_classes_is_refused() -> None:
    y = np.array([0] * 40 + [1] * 3)
    table = DataTable(np.arange(43.0)[:, None], y, ("a", "b"))
    with pytest.raises(Refused, match="only 1 of 2 classes"):
        split_table(table)
