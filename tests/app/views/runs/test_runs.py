"""The page Runs: the list, its filters and order, groups, tags and notes."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.client import run_groups
from app.views.runs import rows as rows_of_runs
from app.views.runs.rows import LINK, QueueState, job_row
from engine.contract.jobs import Job, JobState
from engine.contract.run_answer import Answer
from engine.contract.run_facts import Question, RunFacts
from engine.contract.run_spec import RunSpec
from engine.store import RunGroups, Store, annotations
from engine.store.listing import NEWEST, JobFilter
from engine.store.run_groups import NewMember
from tests.app.views.run.test_run_page import texts


@pytest.fixture
def runs(lab: AppTest) -> AppTest:
    return lab.switch_page("../pages/runs.py")


def rows(at: AppTest) -> list[dict[str, object]]:
    """Return the list's rows, their names without the sign of a link."""
    table = at.dataframe[0].value
    if "Name" in table:
        table = table.assign(Name=table["Name"].str.removeprefix(rows_of_runs.LINK))
    return table.to_dict("records")


def file(home: Path, tiny: RunSpec, count: int) -> list[str]:
    """Queue runs that differ in their seed."""
    store, keys = Store.open(home), []
    for seed in range(count):
        keys.append(f"{seed:064x}")
        spec = tiny.model_copy(update={"seed": seed + 100})
        store.submit(spec, keys[-1], f"Run {seed}")
    return keys


def test_runs_are_listed_newest_first_with_icon_and_state(
    runs: AppTest, home: Path, tiny: RunSpec
) -> None:
    file(home, tiny, 2)
    at = runs.run()
    assert not at.exception
    states = [row["State"] for row in rows(at)]
    assert states == ["◷ queued", "◷ queued", "✓ done"]
    assert "place 2" in str(rows(at)[0]["Status"])


def test_the_list_is_filtered_by_text_and_state(
    runs: AppTest, home: Path, tiny: RunSpec
) -> None:
    file(home, tiny, 3)
    at = runs.run()
    at.text_input(key="find").set_value("First").run()
    assert [row["State"] for row in rows(at)] == ["✓ done"]
    at.text_input(key="find").set_value("no such thing").run()
    assert "No run matches" in texts(at)


def test_many_runs_come_in_pages(runs: AppTest, home: Path, tiny: RunSpec) -> None:
    file(home, tiny, 30)
    at = runs.run()
    assert len(rows(at)) == 25
    at.session_state["runs_page"] = 2
    at.run()
    assert len(rows(at)) == 6


def test_a_sweep_is_one_row_and_opens_to_its_runs(
    runs: AppTest, home: Path, tiny: RunSpec, key: str
) -> None:
    store, held = Store.open(home), file(home, tiny, 3)
    members = [NewMember(each, {"lr": n}) for n, each in enumerate([*held[:2], key])]
    RunGroups(store.index).add("ab12" * 3, "mine: *lr*", members)
    at = runs.run()
    assert not at.exception
    sweep = next(row for row in rows(at) if row["Id"] == "ab12" * 3)
    assert len(rows(at)) == 2
    assert sweep["Name"] == "Sweep · mine: *lr*"
    assert sweep["Status"] == "3 runs: 1 done, 2 queued."
    at.query_params["sweep"] = "ab12" * 3
    at.run()
    assert not at.exception
    table, listed = (frame.value.to_dict("records") for frame in at.dataframe[:2])
    assert [row["Configuration"] for row in table] == ["lr = 0", "lr = 1", "lr = 2"]
    (claim,) = [c for c in store.summary(key)["claims"] if c["primary"]]
    assert [row[claim["call"].capitalize()] for row in table] == [0, 0, 1]
    assert {row["Id"] for row in listed} == {each[:12] for each in [*held[:2], key]}
    at.button(key="close_sweep").click().run()
    assert len(rows(at)) == 2
    assert "sweep" not in at.query_params


def test_a_sweep_that_is_gone_is_named(runs: AppTest) -> None:
    runs.query_params["sweep"] = "../../etc"
    at = runs.run()
    assert not at.exception
    assert "There is no group of runs with this id." in [info.value for info in at.info]


def test_hostile_titles_are_shown_as_they_were_typed(
    runs: AppTest, home: Path, key: str
) -> None:
    title = "![x](javascript:alert(1)) <img src=x> :red[no] $x$ =SUM(1)"
    Store.open(home).rename(key, title)
    at = runs.run()
    assert not at.exception
    assert title in str(rows(at)[0]["Name"])


def test_a_finished_run_shows_its_question_answer_and_numbers(
    runs: AppTest, home: Path, key: str
) -> None:
    store = Store.open(home)
    at = runs.run()
    (row,) = rows(at)
    assert row["Name"] == "First"
    assert str(row["Question"]).startswith("LR scale against ")
    (claim,) = [c for c in store.summary(key)["claims"] if c["primary"]]
    assert str(row["Call"]).endswith(claim["call"])
    tested = store.summary(key)["conditions"][0]["learners"]
    means = [tested[claim[x]][claim["metric"]]["mean"] for x in ("learner", "against")]
    shown = [float(str(row[x]).replace("−", "-")) for x in ("Result", "Rival")]
    assert shown == [pytest.approx(mean, rel=0.01) for mean in means]
    assert row["n"] == f"{claim['n_replicates']} × {claim['n_tasks']}"


def test_an_error_is_shown_as_accuracy_with_its_unit() -> None:
    answer = Answer(
        "maml", "sgd", "error", "better", 0.1, -0.2, None, None, 0.95, 8, 64, 0.3
    )
    facts = RunFacts("few_shot", Question("glyphs"), answer, {"final_accuracy": 0.9})
    row = job_row(Job("a" * 64, JobState.DONE, "", 0.0), facts, QueueState())
    assert (row["Result"], row["Rival"], row["Metric"]) == ("90", "70", "Accuracy (%)")


def test_a_run_without_a_title_is_named_as_over_its_result() -> None:
    asked = Question("moons", ("lr_scale",), ("sgd", "adam"), ("noise",))
    job = Job("a" * 64, JobState.DONE, "", 0.0)
    row = job_row(job, RunFacts("optimization", asked), QueueState())
    assert row["Name"] == f"{LINK}LR scale on moons"
    assert row["Question"] == "LR scale against SGD and Adam on moons, shifted: noise"


def test_the_list_is_filtered_by_kind_tag_and_number(
    runs: AppTest, home: Path, tiny: RunSpec, key: str
) -> None:
    store = Store.open(home)
    waiting = file(home, tiny, 1)
    annotations.annotate(store.index, waiting[0], ("later",), "")
    at = runs.run()
    at.selectbox(key="tag").set_value("later").run()
    assert [row["Name"] for row in rows(at)] == ["Run 0"]
    at.button(key="clear_filters").click().run()
    assert len(rows(at)) == 2
    at.selectbox(key="of_kind").set_value("search").run()
    assert "No run matches" in texts(at)
    at.button(key="clear_filters").click().run()
    level = run_groups.facts_of([key])[key].numbers["area"]
    at.selectbox(key="number").set_value("area")
    at.number_input(key="than").set_value(level + 1e-3).run()
    assert [row["Name"] for row in rows(at)] == ["First"]
    at.selectbox(key="relation").set_value(">").run()
    assert not at.exception
    assert "No run matches" in texts(at)


def test_the_list_is_sorted_over_all_pages(
    runs: AppTest, home: Path, tiny: RunSpec
) -> None:
    file(home, tiny, 30)
    at = runs.run()
    at.selectbox(key="sort").set_value("Result, lowest").run()
    assert not at.exception
    assert rows(at)[0]["Name"] == "First"  # the only run with a result is the oldest
    at.selectbox(key="sort").set_value("Name").run()
    assert [row["Name"] for row in rows(at)[:2]] == ["First", "Run 0"]


def test_title_tags_and_note_are_stored_and_found(
    runs: AppTest, home: Path, key: str
) -> None:
    runs.session_state["runs_table"] = {"selection": {"rows": [0], "columns": []}}
    at = runs.run()
    assert not at.exception
    boxes = {box.label: box for box in at.text_input}
    boxes["Title"].set_value("Mine")
    boxes["Tags"].set_value("paper, <img src=x>")
    at.text_area[0].set_value("Watch the tail.")
    next(b for b in at.button if b.label == "Save").click().run()
    assert not at.exception
    store = Store.open(home)
    assert store.job(key).title == "Mine"
    held = annotations.read_annotations(store.index, key)
    assert held == (("paper", "<img src=x>"), "Watch the tail.")
    at.text_input(key="find").set_value("tail").run()
    assert [row["Tags"] for row in rows(at)] == ["paper, <img src=x>"]


def test_the_list_asks_for_one_page_only(home: Path, tiny: RunSpec) -> None:
    file(home, tiny, 60)
    page = run_groups.read_page(JobFilter(), NEWEST, 25, 25)
    assert (len(page.entries), page.total) == (25, 61)
