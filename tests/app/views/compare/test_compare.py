"""The page Compare: lines, numbers, settings and links of several runs."""

import io
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.charts.run_comparison import Line, comparison_chart, line_styles
from app.client import client
from app.client.catalogue import Catalogue
from app.experiment.settings_diff import describe_caution, find_differences
from app.views.compare import numbers, selection
from engine.contract.run_spec import RunSpec
from engine.store import Store
from tests.app.conftest import finish
from tests.app.views.run.test_run_page import charts, texts


@pytest.fixture
def two(home: Path, tiny: RunSpec, key: str) -> list[str]:
    """Two finished runs that differ in their seed."""
    return [key, finish(home, tiny.model_copy(update={"seed": 8}))]


def lines_of(keys: list[str]) -> list[Line]:
    runs = [client.run(key) for key in keys]
    return [
        Line(run, place, f"run {place}", label)
        for place, run in enumerate(runs)
        for label in run.roles
    ]


def open_page(lab: AppTest, runs: str) -> AppTest:
    at = lab.switch_page("../pages/compare.py")
    at.query_params["runs"] = runs
    return at.run()


def test_two_runs_are_compared_with_their_baselines(
    lab: AppTest, two: list[str], tiny: RunSpec
) -> None:
    at = open_page(lab, ",".join(key[:12] for key in two))
    assert not at.exception
    assert charts(at) == 1
    table, settings = (frame.value for frame in at.dataframe[:2])
    assert len(table) == 2 * len(tiny.learners)
    assert settings.to_dict("records")[0]["Setting"] == "Seed"
    (caution,) = [each.value for each in at.warning]
    assert "Seed: 7 / 8" in caution.replace("\\", "")


def test_a_label_has_one_color_and_a_run_one_dash(two: list[str]) -> None:
    lines = lines_of(two)
    styles = line_styles(lines)
    for line in lines:
        for other in lines:
            mine, its = styles[line.name], styles[other.name]
            assert (mine.color == its.color) == (line.label == other.label)
            assert (mine.dash == its.dash) == (line.place == other.place)
    figure = comparison_chart(lines, "loss")
    assert figure is not None
    drawn = {
        trace.name for trace in figure.data if trace.mode == "lines" and trace.name
    }
    assert len(drawn) >= len(lines)


def test_the_csv_holds_the_numbers_of_the_summaries(home: Path, two: list[str]) -> None:
    table = pd.read_csv(io.BytesIO(numbers.numbers_csv(lines_of(two))))
    held = table[table.metric == "area"].set_index(["run", "learner"])
    for key in two:
        tested = Store.open(home).summary(key)["conditions"][0]["learners"]
        for label, row in tested.items():
            assert held.loc[(key, label), "mean"] == pytest.approx(row["area"]["mean"])


def test_only_what_differs_is_listed_in_the_words_of_the_form(
    tiny: RunSpec, known: Catalogue
) -> None:
    budget = tiny.budget.model_copy(update={"horizon": 12, "tuning_tasks": 2})
    other = tiny.model_copy(update={"budget": budget, "replicates": 3})
    found = find_differences([tiny, other], known.card)
    assert {each.name: each.values for each in found} == {
        "Horizon (steps)": ("8", "12"),
        "Tuning tasks": ("4", "2"),
        "Replicates": (str(tiny.replicates), "3"),
    }
    assert describe_caution(found).startswith(
        "The tests of these runs differ (Horizon (steps): 8 / 12)"
    )
    assert find_differences([tiny, tiny], known.card) == []
    assert describe_caution(find_differences([tiny, tiny], known.card)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "a" * 64,
        "abc",
        "%00",
        ",".join(f"{n:012x}" for n in range(9)),
        "f" * 100_000,
    ],
)
def test_a_wrong_link_is_one_sentence(lab: AppTest, text: str) -> None:
    at = open_page(lab, text)
    assert not at.exception
    assert len(at.error) == 1
    assert at.error[0].value.count(".") <= 1
    assert "script" not in at.error[0].value
    assert "Nothing to compare yet" in texts(at)


def test_short_keys_are_taken_if_they_are_unique(home: Path, tiny: RunSpec) -> None:
    store = Store.open(home)
    keys = ["ab" * 6 + f"{n:052x}" for n in (1, 2)]
    for key in keys:
        store.submit(tiny, key)
    assert selection.read_keys(f" {keys[1]} ,{keys[1]}") == ([keys[1]], "")
    found, wrong = selection.read_keys(keys[0][:12])
    assert not found
    assert "several runs" in wrong


def test_a_run_without_a_title_is_offered_by_its_short_name(
    lab: AppTest, home: Path, two: list[str]
) -> None:
    Store.open(home).rename(two[1], "")
    options = open_page(lab, ",".join(two)).multiselect(key="compared").options
    assert f"LR scale on mixtures · {two[1][:6]}" in options


def test_a_run_that_is_gone_leaves_the_others(lab: AppTest, two: list[str]) -> None:
    at = open_page(lab, ",".join([*two, "f" * 12]))
    (error,) = at.error
    assert "no run with one of the ids" in error.value
    assert at.multiselect(key="compared").value == two
    assert charts(at) == 1
    client.delete(two[1])  # in another tab of the browser
    at.run()
    assert not at.exception
    assert at.multiselect(key="compared").value == two[:1]


def test_hostile_titles_are_inert(lab: AppTest, home: Path, two: list[str]) -> None:
    title = "<img src=x onerror=alert(1)> [a](javascript:1) $x$"
    Store.open(home).rename(two[0], title)
    at = open_page(lab, ",".join(two))
    assert not at.exception
    runs = at.dataframe[0].value["Run"]
    assert f"A · {title}" in list(runs)
    figure = comparison_chart([Line(client.run(two[0]), 0, title, "lr_scale")], "loss")
    assert figure is not None
    assert not any("<img" in (trace.name or "") for trace in figure.data)
