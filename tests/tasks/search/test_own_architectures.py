"""A person's table as a space: it answers as the table that it was written from."""

from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.events import Block
from engine.data.inventory import inventory
from engine.data.user.csv_store import read_csv, store_csv
from engine.runner.context import RunContext
from engine.tasks.search._table_evaluator import TableEvaluator
from engine.tasks.search.nk_landscape import NkLandscape
from engine.tasks.search.own_architectures import OwnArchitectures
from tests.laws.small import events, knobbed

TASKS = 3


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def landscape() -> TableEvaluator:
    """Return a made-up space of 81 architectures, known in full."""
    found = NkLandscape(size=4, choices=3, rugged=1).evaluator()
    assert isinstance(found, TableEvaluator)
    return found


def written(tabled: TableEvaluator, tasks: int = TASKS, scale: float = 1.0) -> bytes:
    """Write the first tasks of a table, one seed of each training, as a CSV."""
    table = tabled.table
    ops = [f"op:{name}" for name in table.positions]
    lines = [",".join(["dataset", *ops, "epochs,validation,test,cost,parameters"])]
    for row, codes in enumerate(table.codes):
        options = [names[c] for names, c in zip(table.options, codes, strict=True)]
        for task in range(tasks):
            for place, epochs in enumerate(table.fidelities):
                signal = float(table.signal[row, task, place, 0]) * scale
                last = place == len(table.fidelities) - 1
                score = repr(float(table.score[row, task]) * scale) if last else ""
                cost = float(table.cost[row, task, place])
                size = float(table.properties["parameters"][row, task])
                cells = [f"{epochs:g}", repr(signal), score, repr(cost), repr(size)]
                lines.append(",".join([f"set {task}", *options, *cells]))
    return "\n".join(lines).encode()


def kept(data: bytes) -> str:
    return store_csv(read_csv(data))


def test_it_answers_as_the_table_that_it_was_written_from(
    landscape: TableEvaluator,
) -> None:
    family = OwnArchitectures(digest=kept(written(landscape)))
    family.check()
    mine, draw = family.evaluator(), np.random.default_rng(0)
    codes = mine.space.codes(draw.integers(0, mine.space.size, 200))
    which, fidelity = draw.integers(0, TASKS, 200), draw.integers(0, 3, 200)
    given = (which, codes, fidelity, np.zeros(200))
    for one, two in zip(mine.measure(*given), landscape.measure(*given), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)
    sizes = (e.property("parameters", which, codes) for e in (mine, landscape))
    np.testing.assert_array_equal(*sizes)
    for task in range(TASKS):
        np.testing.assert_allclose(mine.scores(task), landscape.scores(task))


def test_a_search_of_all_of_it_finds_the_best(landscape: TableEvaluator) -> None:
    knobs = {"digest": kept(written(landscape))}
    spec = knobbed("own_architectures", knobs, budget={"horizon": 81})
    found = {e.metric: e.array for e in events(spec) if isinstance(e, Block)}
    assert (found["coverage"] == 1.0).all()
    # What looked best is the answer, whatever it is worth.
    seen = landscape.table.signal[:, 0, -1, 0].argmax()
    answer = landscape.table.score[seen, 0]
    np.testing.assert_allclose(found["final_score"], answer, rtol=1e-6)
    regret = landscape.table.score[:, 0].max() - answer
    np.testing.assert_allclose(found["final_regret"], regret, atol=1e-6)


def test_a_sub_space_of_it_is_searched(landscape: TableEvaluator) -> None:
    knobs = {"digest": kept(written(landscape)), "options": 2, "decisions": 3}
    spec = knobbed("own_architectures", knobs, budget={"horizon": 8})
    context = RunContext(spec)
    tasks = context.draw(context.setting, "test", ("test", 0), 2)
    assert tasks.space.size == 8
    found = {e.metric: e.array for e in events(spec) if isinstance(e, Block)}
    assert (found["coverage"] == 1.0).all()


def test_the_others_are_learned_on_or_the_same_where_there_is_one(
    landscape: TableEvaluator,
) -> None:
    many = OwnArchitectures(digest=kept(written(landscape)), target="set 1")
    assert many.sources("test") == (1,)
    assert many.sources("train") == many.sources("validation") == (0, 2)
    one = OwnArchitectures(digest=kept(written(landscape, tasks=1)))
    assert one.sources("test") == one.sources("train") == (0,)
    named = OwnArchitectures(digest=many.digest, source="set 2")
    assert named.sources("train") == (2,) and named.sources("test") == (0,)


def test_epochs_and_cost_limit_a_search(landscape: TableEvaluator) -> None:
    digest = kept(written(landscape))
    short = OwnArchitectures(digest=digest, epochs=3.0, spend=12.0)
    assert short.full_fidelity() == 1 and short.budget() == 12.0
    assert OwnArchitectures(digest=digest).full_fidelity() == 2
    knobs = {"digest": digest, "epochs": 3.0, "spend": 12.0}
    spec = knobbed("own_architectures", knobs, budget={"horizon": 8})
    found = {e.metric: e.array for e in events(spec) if isinstance(e, Block)}
    assert (found["trained"] == 4).all()  # four trainings of cost 3


REFUSED = {
    "no file": ({"digest": ""}, "choose a file of your own first", "digest"),
    "a file that is not here": ({"digest": "0" * 64}, "this run needs", "digest"),
    "another target": (
        {"target": "set 9"},
        "no data set 'set 9'; it has: set 0, set 1, set 2",
        "target",
    ),
    "another source": ({"source": "set 9"}, "no data set 'set 9'", "source"),
    "other epochs": (
        {"epochs": 5.0},
        "no accuracy after 5 epochs; it has: 1, 3, 9",
        "epochs",
    ),
    "a budget for nothing": (
        {"spend": 8.5},
        "a budget of 8.5 cost trains no architecture; the cheapest costs 9 on set 0",
        "spend",
    ),
    "another property": (
        {"cap": 0.5, "capped": "latency"},
        "no property 'latency'; it has: parameters",
        "capped",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_knobs_that_do_not_match_the_file_are_refused(
    case: str, landscape: TableEvaluator
) -> None:
    knobs, told, field = REFUSED[case]
    digest = kept(written(landscape))
    with pytest.raises(Refused, match=told) as refusal:
        OwnArchitectures(**{"digest": digest} | knobs).check()
    assert refusal.value.field == field


def test_percent_taken_for_shares_are_refused_with_a_hint(
    landscape: TableEvaluator,
) -> None:
    digest = kept(written(landscape, scale=100.0))
    with pytest.raises(Refused, match="from 0 to 1; are they percent") as refusal:
        OwnArchitectures(digest=digest).check()
    assert refusal.value.field == "accuracy"
    OwnArchitectures(digest=digest, accuracy="percent").check()


def test_the_inventory_lists_the_families_of_an_own_table(
    landscape: TableEvaluator,
) -> None:
    digest = kept(written(landscape))
    (own,) = [each for each in inventory() if each["sha256"] == digest]
    assert own["state"] == "present" and "own_architectures" in own["families"]
    named = [each for each in inventory() if "nasbench201" in each["families"]]
    assert [each["kind"] for each in named] == ["pack"]
