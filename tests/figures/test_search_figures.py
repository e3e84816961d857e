"""What the figures of a search owe their reader, and what must be true in them."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import figure_parts
from app.figures.architecture import architecture_figure
from app.figures.parallel_coordinates import parallel_figure
from app.figures.pareto import CostProperty, pareto_figure
from app.figures.policy import policy_figure, policy_film
from app.figures.space_data import Space, known_accuracies, read_search
from tests.figures.searches import ROLES, film

WHO = "reinforce"
Draw = Callable[[Any], go.Figure]


def lines(made: Any) -> go.Figure:
    one, table = read_search(made, WHO, 0), known_accuracies(made, 0)
    assert table is not None
    return parallel_figure(Space.from_film(made), one.index, table[one.index], WHO)


def cell(made: Any, columns: int = 2) -> go.Figure:
    one = read_search(made, WHO, 0)
    return architecture_figure(Space.from_film(made), one, WHO, ROLES, columns=columns)


def pareto(made: Any) -> go.Figure:
    table = known_accuracies(made, 0)
    assert table is not None
    held = CostProperty("parameters", "count", made.arrays["property/parameters"])
    found = {label: read_search(made, label, 0).index for label in ROLES}
    return pareto_figure(table, held, found, ROLES)


ALL: dict[str, Draw] = {
    "architecture": cell,
    "lines": lines,
    "pareto": pareto,
    "policy": lambda made: policy_figure(made, WHO),
    "favors": lambda made: policy_film(made, WHO, ROLES),
}


@pytest.fixture(params=product(ALL, (True, False)), ids=str)
def drawn(request: pytest.FixtureRequest) -> go.Figure:
    name, cells = request.param
    return ALL[name](film(cell=cells))


def test_it_says_what_it_shows_and_how_to_read_it(drawn: go.Figure) -> None:
    meta = drawn.layout.meta
    assert len(meta["alt"]) > 20
    assert len(meta["how_to_read"]) > 20
    assert meta["title"]


def test_it_is_small_and_has_no_web_gl(drawn: go.Figure) -> None:
    text = drawn.to_json()
    json.loads(text, parse_constant=pytest.fail)
    assert len(text) < 400_000
    assert drawn.data
    for trace in drawn.data:
        assert trace.type in {"scatter", "heatmap"}
        if trace.type == "scatter":
            assert len(trace.x) <= figure_parts.MAX_POINTS


def test_text_and_ground_are_the_pages(drawn: go.Figure) -> None:
    assert drawn.layout.font.color is None
    assert all(note.font.color is None for note in drawn.layout.annotations)
    assert drawn.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_every_frame_moves_the_traces_that_there_are(drawn: go.Figure) -> None:
    for frame in drawn.frames:
        moved = frame.traces or range(len(frame.data))
        assert len(frame.data) == len(list(moved))
        for trace, place in zip(frame.data, moved, strict=True):
            assert trace.type == drawn.data[place].type
            assert trace.uid == drawn.data[place].uid


def test_some_figures_have_frames() -> None:
    assert any(draw(film(cell=True)).frames for draw in ALL.values())


@pytest.mark.parametrize("cells", [True, False])
def test_a_hostile_option_is_text(cells: bool) -> None:
    made = film(cell=cells)
    bad = "<img src=x onerror=alert(1)>"
    made.info["options"] = [[bad, *names[1:]] for names in made.info["options"]]
    made.info["positions"][0] = bad
    shown = False
    for draw in ALL.values():
        text = draw(made).to_json().replace("\\u003c", "<")
        body = json.loads(text)
        body["layout"].pop("meta")  # words of the page, escaped there
        assert "<img" not in json.dumps(body)
        shown |= "img" in json.dumps(body)
    assert shown  # some figure shows it, as text


def test_codes_are_spelled_in_mixed_radix() -> None:
    space = Space(("a", "b", "c"), (("x",) * 2, ("y",) * 3, ("z",) * 2))
    every = list(product(range(2), range(3), range(2)))
    assert space.to_codes(np.arange(12)).tolist() == [list(code) for code in every]


def test_the_best_so_far_is_the_one_whose_accuracy_was_observed() -> None:
    made = film()
    index = made.arrays[f"{WHO}/architecture"][0].astype(int)
    # The observed accuracies mislead; the test accuracies say which one counts.
    made.arrays[f"{WHO}/signal"] = -made.arrays[f"{WHO}/signal"]
    one = read_search(made, WHO, 0)
    table = known_accuracies(made, 0)
    assert table is not None
    assert table[one.best] == pytest.approx(np.maximum.accumulate(table[index]))


def test_of_another_task_no_accuracy_is_known() -> None:
    assert known_accuracies(film(), 1) is None
    same = film()
    same.info["tasks"] = ["digits", "digits"]
    assert known_accuracies(same, 1) is not None


def test_architectures_beyond_the_budget_are_left_out() -> None:
    made = film()
    for name in ("architecture", "signal"):
        made.arrays[f"{WHO}/{name}"][0, 30:] = np.nan
    assert len(read_search(made, WHO, 0).index) == 30


def test_a_search_that_trained_the_whole_space_covers_all_of_its_front() -> None:
    rng = np.random.default_rng(1)
    cost, accuracy = rng.random(40), rng.random(40)
    accuracy[3] = np.nan
    held = CostProperty("parameters", "count", cost)
    found = dict.fromkeys(ROLES, np.arange(40))
    made = pareto_figure(accuracy, held, found, ROLES)
    names = [trace.name for trace in made.data if str(trace.uid).endswith(":found")]
    assert len(names) == len(ROLES) and all(name.endswith(" 100.0%") for name in names)


def test_a_search_that_found_nothing_covers_nothing() -> None:
    cost, accuracy = np.array([1.0, 2.0]), np.array([0.5, 0.9])
    held = CostProperty("parameters", "count", cost)
    made = pareto_figure(accuracy, held, {WHO: np.zeros(0, int)}, ROLES)
    assert made.data[-1].name.endswith(" 0.0%")


def test_a_failed_training_is_no_line() -> None:
    made = film()
    one = read_search(made, WHO, 0)
    worth = np.full(len(one.index), np.nan)
    empty = parallel_figure(Space.from_film(made), one.index, worth, WHO)
    assert not [trace for trace in empty.data if trace.mode == "lines"]
    empty.to_json()


def test_cells_are_in_one_column_on_a_phone() -> None:
    wide, narrow = cell(film()), cell(film(), columns=1)
    assert narrow.layout.height > wide.layout.height
    assert len(narrow.data) == len(wide.data)
