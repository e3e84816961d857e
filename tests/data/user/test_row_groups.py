"""Columns of a table that split its rows, or shift them; and how small it may be."""

from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.data.user.csv_store import store_csv
from engine.data.user.table_reader import ReadOptions
from tests.data.user.user_tables import lines, prepared


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path))
    return tmp_path


def test_a_column_of_the_file_splits_the_rows_and_copies_stay_apart() -> None:
    from engine.contract.rng import Rng
    from engine.tasks.optimization._row_pools import split_table
    from engine.tasks.optimization.own_data import OwnData

    text = lines("a,b,set,kind", row="{i},{b},SET,{kind}", count=120)
    for i in range(120):
        text = text.replace("SET", "Train" if i < 80 else "test", 1)
    text += text.splitlines()[1].replace("Train", "test") + "\n"  # a copy
    found = prepared(text, split="set", keep=("a",))
    assert found.knobs == {"target": "kind", "split": "set"}
    knobs = {"digest": store_csv(found.file), **found.knobs}
    family = OwnData.model_validate(knobs)
    family = family.model_copy(update=family.fit_points())
    family.check()
    pools = split_table(family.table()).pools
    assert sorted(pools["test"].rows) == list(range(80, 120))
    assert {"train", "validation", "test"} == set(pools)
    assert not set(pools["train"].rows) & set(pools["validation"].rows)
    family.sample(Rng(0), "validation")
    with pytest.raises(Refused, match="has 'later'; its cells must be train"):
        prepared(text.replace("test", "later"), split="set")
    with pytest.raises(Refused, match="no rows for tests"):
        prepared(text.replace("test", "train"), split="set")


def test_a_column_of_the_file_is_a_shift_by_distance_or_by_order() -> None:
    from engine.contract.rng import Rng
    from engine.tasks.optimization.own_data import OwnData

    text = lines("a,b,year,kind", row="{a},{b},YEAR,{kind}", count=180)
    for i in range(180):
        text = text.replace("YEAR", ("2019", "2021", "2022")[i * 7 // 9 % 3], 1)
    found = prepared(text, shift="year")
    assert found.knobs["shift_by"] == "distance"
    knobs = {"digest": store_csv(found.file), **found.knobs}
    family = OwnData.model_validate(knobs)
    family = family.model_copy(update=family.fit_points())
    assert family.distances() == [2.0, 3.0]
    by_order = family.model_copy(update={"shift_by": "order", "train_on": "2021"})
    assert by_order.distances() == [1.0, 2.0]
    years = np.array([row.split(",")[2] for row in text.splitlines()[1:]])
    assert family.table().rows == (years == "2019").sum()
    later = family.move_away(3.0)
    assert later.table().rows == (years == "2022").sum()
    assert later.sample(Rng(0), "test").outputs == 3
    with pytest.raises(Refused, match="no group is 1 from"):
        family.move_away(1.0).check()


def test_a_small_table_gives_tasks_from_forty_rows_on() -> None:
    from engine.tasks.optimization.own_data import OwnData

    for count in (40, 47, 60):
        text = lines("a,b,kind", count=count).replace("cedar", "birch")
        found = prepared(text)
        family = OwnData(digest=store_csv(found.file), target="kind")
        family.model_copy(update=family.fit_points()).check()


def test_the_group_that_is_trained_on_is_a_choice_and_must_be_there() -> None:
    from engine.data.user.task_sizes import fit_rows
    from engine.tasks.optimization.own_data import OwnData

    text = lines("a,b,year,kind", row="{a},{b},YEAR,{kind}", count=180)
    for i in range(180):
        text = text.replace("YEAR", "2021" if i % 9 < 5 else "2022", 1)
    usual, other = (prepared(text, shift="year", train_on=y) for y in ("", "2022"))
    assert "train_on" not in usual.knobs and other.knobs["train_on"] == "2022"
    sizes = fit_rows(other.found, "2022")
    assert sizes != fit_rows(usual.found)  # fewer rows are trained on
    knobs = {"digest": store_csv(other.file), **other.knobs, **sizes}
    family = OwnData.model_validate(knobs)
    family.check()
    assert family.table().rows == 80 and family.move_away(1.0).table().rows == 100
    with pytest.raises(Refused, match="no '2023'; it has: 2021, 2022") as refusal:
        prepared(text, shift="year", train_on="2023")
    assert refusal.value.field == "train_on"
    with pytest.raises(Refused, match="no column is the shift"):
        prepared(text, train_on="2022", text="drop")


def table_of_dates(dates: tuple[str, ...], count: int = 180) -> str:
    text = lines("a,b,when,kind", row="{a},{b},WHEN,{kind}", count=count)
    for i in range(count):
        text = text.replace("WHEN", dates[i * 7 // 9 % len(dates)], 1)
    return text


def test_dates_as_a_shift_are_grouped_by_year_and_trained_on_the_earliest() -> None:
    text = table_of_dates(("03/04/2021", "25/12/2022", "1/1/2024", "31/12/2021"))
    found = prepared(text, shift="when")
    assert found.found.groups == ("2021", "2022", "2024")
    assert found.knobs["shift_by"] == "distance" and found.knobs["train_on"] == "2021"
    assert "by year" in [plan.describe() for plan in found.plans]
    later = prepared(text, shift="when", train_on="2024", period="year")
    assert later.knobs["train_on"] == "2024"
    months = prepared(text, shift="when", period="month")
    assert months.found.groups == ("2021-04", "2021-12", "2022-12", "2024-01")
    assert months.knobs["train_on"] == "2021-04" and "shift_by" not in months.knobs
    one_year = prepared(table_of_dates(("2021-03-04", "2021-05-01")), shift="when")
    assert one_year.found.groups == ("2021-03", "2021-05")
    with pytest.raises(Refused, match="'decade' cannot be used; use year, month or"):
        prepared(text, shift="when", period="decade")
    with pytest.raises(Refused, match="'kind' has no dates; leave it out"):
        prepared(text, "a", answers="value", shift="kind", period="year")


def test_a_choice_that_could_not_be_followed_is_refused() -> None:
    text = lines("a,b,kind", row="{a},{b},{kind}")
    with pytest.raises(Refused, match="'kind' is the target and no feature: choose"):
        prepared(text, ignore=("kind",))
    with pytest.raises(Refused, match="column 'a' has numbers: it has no dates"):
        prepared(text, dates=("a",))
    with pytest.raises(Refused, match="and there is none called 'zzz'"):
        prepared(text, options=ReadOptions(missing=("zzz=0",)))
