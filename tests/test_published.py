"""Published rows stand as the source table has them, each with where it is from."""

from engine.catalogue import cards
from engine.contract.cards import Card
from engine.contract.runs import Choice, LearnerChoice, RunSpec
from engine.published import HEARD, MEMORY, READ, ROWS, published, published_for


def test_each_row_names_a_part_that_is_here_or_none() -> None:
    for row in ROWS:
        if row.learner:
            assert isinstance(cards("learner", row.learner), Card)
        assert isinstance(cards("family", row.task), Card)


def test_each_row_says_how_it_came_to_us_and_under_which_protocol() -> None:
    for row in ROWS:
        assert row.provenance in (READ, HEARD, MEMORY)
        assert row.source
        assert row.protocol
        assert 0 < row.value <= (100 if row.unit == "%" else 5)
        assert row.half is None or 0 < row.half < row.value


def test_no_figure_stands_twice() -> None:
    places = [(r.task, r.ways, r.shots, r.method) for r in ROWS]
    assert len(set(places)) == len(places)


def test_a_spec_gets_the_rows_of_its_task_ways_and_shots() -> None:
    def spec(name: str, **knobs: int) -> RunSpec:
        family = Choice(name=name, knobs=knobs)
        return RunSpec(family=family, learners=(LearnerChoice(name="maml"),))

    proto = [
        r.value
        for r in published_for(spec("omniglot", ways=5, shots=1))
        if r.learner == "protonet"
    ]
    assert proto == [98.8, 98.2]
    sines = published_for(spec("sinusoids", shots=10))
    assert [(r.value, r.half) for r in sines if r.learner == "meta_sgd"] == [
        (0.53, 0.09)
    ]
    assert published_for(spec("omniglot", ways=7, shots=1)) == []
    assert published_for(spec("glyphs", ways=5, shots=1)) == []
    assert {r.shots for r in ROWS if r.task == "sinusoids"} == {5, 10, 20}
    assert len(published("omniglot", 20, 5)) > 15
