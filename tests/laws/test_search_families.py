"""Laws of every family of architecture spaces, with random search."""

import numpy as np
import pytest

from engine.algorithms.search.best_possible_scores import best_possible_scores
from engine.contract.events import Block
from engine.protocol import SearchBatch
from engine.runner.context import RunContext
from tests.laws.small import assert_same, events, families, family_spec, rows

FAMILIES = families("search")


def drawn(family: str, replicates: int, tasks: int, horizon: int = 8) -> SearchBatch:
    """Draw test searches of a family."""
    spec = family_spec(family, replicates=replicates, budget={"horizon": horizon})
    context = RunContext(spec)
    found = context.draw(context.setting, "test", ("test", 0), tasks)
    assert isinstance(found, SearchBatch)
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_spec_gives_the_same_rows(family: str) -> None:
    assert_same(rows(family_spec(family)), rows(family_spec(family)))


@pytest.mark.parametrize("family", FAMILIES)
def test_draws_do_not_depend_on_how_many_are_drawn(family: str) -> None:
    few, many = drawn(family, 2, 2), drawn(family, 3, 4, horizon=12)
    same = many.take([0, 1, 4, 5])
    np.testing.assert_array_equal(few.task_index, same.task_index)
    np.testing.assert_array_equal(
        few.uniform("search", 8, 3), same.uniform("search", 8, 3)
    )
    longer = same.uniform("search", 12, 3)[:, :8]
    np.testing.assert_array_equal(few.uniform("search", 8, 3), longer)


@pytest.mark.parametrize("family", FAMILIES)
def test_codes_and_their_numbers_name_the_same_architectures(family: str) -> None:
    space = drawn(family, 1, 1).space
    index = np.unique(np.linspace(0, min(space.size, 2**40) - 1, 50).astype(np.int64))
    np.testing.assert_array_equal(space.index(space.codes(index)), index)
    assert (space.codes(index) < np.array(space.radix)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_no_architecture_is_better_than_the_best_there_is(family: str) -> None:
    found = {
        e.metric: e.array
        for e in events(family_spec(family))
        if isinstance(e, Block) and e.phase == "test"
    }
    assert (found["regret"] >= -1e-6).all()
    tops = best_possible_scores(drawn(family, 2, 2), capped=False)
    assert ((tops > 0) & (tops <= 1)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_narrowed_space_spells_codes_of_the_whole(family: str) -> None:
    context = RunContext(family_spec(family))
    some = context.setting.family.model_copy(update={"options": 2, "decisions": 2})
    tasks = some.draw(
        context.setting, context.streams("test", 0)[:1], "test", context.batch_spec
    )
    assert isinstance(tasks, SearchBatch)
    codes = tasks.space.codes(np.arange(tasks.space.size))
    full = tasks.to_evaluator_codes(codes)
    np.testing.assert_array_equal(tasks.from_evaluator_codes(full), codes)
    assert (full < np.array(tasks.evaluator.space.radix)).all()
    assert tasks.space.size <= 4
