"""Searches of architectures have a page of their own; all others know where it is."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import share_links
from app.charts import search
from app.charts.chart_options import ViewState
from app.client import catalogue as shelves
from app.client import client, recorded_examples
from app.experiment import cost_estimate, derived_experiments
from app.experiment.costs import COSTS
from app.figures.theme import format_number
from app.views.run import run_tables
from app.views.run.evidence import score_table
from app.views.run.robustness import frozen_start
from app.widgets import page_frame
from engine.catalogue import find_card
from engine.contract import kinds
from engine.contract.run_spec import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    ShiftChoice,
    complete_spec,
)
from engine.published import figures_for_task
from engine.stats.block_table import BlockTable
from engine.stats.curves import Curve
from engine.stats.inference.intervals import mean_interval
from tests.app.conftest import ROOT, finish, open_lab, open_settings
from tests.app.views.run.test_reproduce import assert_everything_leaves
from tests.app.views.run.test_run_page import (
    charts,
    every_section,
    open_section,
    texts,
)

SMALL = Budget(
    task_evaluations=4,
    tasks_per_step=2,
    validation_tasks=2,
    validate_every=2,
    test_tasks=6,
    horizon=20,
)


@pytest.fixture(scope="session")
def hunt() -> RunSpec:
    spec = RunSpec(
        family=Choice(name="nk_landscape", knobs={"size": 4}),
        learners=(
            LearnerChoice(name="reinforce", label="reinforce"),
            LearnerChoice(name="warm_evolution", label="warm_evolution"),
            LearnerChoice(name="random_search", label="random_search", role="baseline"),
        ),
        shifts=(ShiftChoice(name="evaluation_noise", severities=(3.0,)),),
        budget=SMALL,
        replicates=2,
    )
    return complete_spec(spec, find_card, "cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, hunt: RunSpec) -> tuple[Path, str]:
    """In the place of the lab's own run: all fixtures of a page stand on this one."""
    home = tmp_path_factory.mktemp("hunt") / "home"
    return home, finish(home, hunt)


@pytest.fixture
def run(home: Path, key: str) -> client.Run:
    return client.run(key)


@pytest.fixture
def page(home: Path) -> AppTest:
    return open_lab("search")


def opened(page: AppTest, key: str) -> AppTest:
    page.query_params["run"] = key
    at = page.run()
    assert not at.exception
    return at


def test_the_page_begins_with_the_default_search(
    page: AppTest, known: shelves.Catalogue
) -> None:
    at = page.run()
    assert not at.exception
    spec = derived_experiments.default_experiment(known, "search")
    assert at.session_state["k.family"] == spec.family.name
    assert at.session_state["k.kind"] == "search"
    assert "Nothing has run yet" in texts(at)
    assert not at.button(key="run_button").disabled


def test_the_form_offers_spaces_and_strategies_alone(
    page: AppTest, known: shelves.Catalogue
) -> None:
    at = page.run()
    families = {
        c.title for c in known.cards_of("family") if c.traits["kind"] == "search"
    }
    offered = {o.split(" · ")[0] for o in at.selectbox(key="k.family").options}
    assert offered == families
    boxes = {box.key for box in at.selectbox}
    assert not boxes & {"k.net", "k.estimator"}
    rivals = at.multiselect(key="k.baselines").options
    assert "Random search" in rivals
    assert "SGD" not in rivals
    strategies = at.multiselect(key="k.chosen")
    assert strategies.label.startswith("Search strategy")
    assert not any("Random search" in option for option in strategies.options)
    open_settings(at, "Budget")
    labels = {box.label for box in at.number_input}
    assert {
        "Evaluations of a search",
        "Repeated searches",
    } <= (labels)
    assert not any("Threshold" in label for label in labels)


def test_the_lab_offers_every_kind(page: AppTest) -> None:
    at = page.run()
    assert not at.exception
    titles = [kind.title for kind in kinds.KINDS.values()]
    assert at.segmented_control(key="k.kind").options == titles


def to(at: AppTest, kind: str) -> AppTest:
    """Choose another kind of task in the form."""
    return at.segmented_control(key="k.kind").set_value(kind).run()


def test_each_kind_keeps_its_form(page: AppTest) -> None:
    at = page.run()
    at.text_input(key="k.seed").set_value("31").run()
    assert to(at, "optimization").session_state["k.seed"] == "7"
    at.text_input(key="k.seed").set_value("32").run()
    assert to(at, "search").session_state["k.seed"] == "31"
    assert at.session_state["k.kind"] == "search"
    assert to(at, "optimization").session_state["k.seed"] == "32"
    assert not at.exception


@pytest.mark.parametrize("query", ["run", "x"])
def test_a_link_to_any_page_that_showed_runs_fills_the_form(
    page: AppTest, key: str, hunt: RunSpec, query: str
) -> None:
    at = page.switch_page("../pages/start.py")
    fresh = hunt.model_copy(update={"seed": 4711})
    at.query_params[query] = key if query == "run" else share_links.pack(fresh)
    at.run()
    assert not at.exception
    assert at.session_state["k.kind"] == "search"
    assert at.session_state["k.seed"] == ("7" if query == "run" else "4711")


def test_a_link_of_another_kind_fills_the_form_with_it(page: AppTest) -> None:
    other = RunSpec(
        family=Choice(name="mixtures"),
        learners=(LearnerChoice(name="lr_scale", label="lr_scale"),),
        seed=4711,
    )
    page.query_params["x"] = share_links.pack(other)
    at = page.run()
    assert not at.exception
    assert at.session_state["k.kind"] == "optimization"
    assert at.session_state["k.seed"] == "4711"


def test_a_finished_run_shows_its_pictures_and_its_verdict(
    page: AppTest, key: str
) -> None:
    at = opened(page, key)
    said = texts(at)
    for title in (
        "Best accuracy so far",
        "Regret of the best so far",
        "Evaluations to the goal",
        "The best that",
    ):
        assert title in said, title
    assert re.search(r"over (2 replicates × 6|12) searches\b", said)
    assert charts(at) >= 8


def test_every_section_of_it_can_be_drawn(page: AppTest, key: str) -> None:
    at = opened(page, key)
    for tab, section in every_section(at, key):
        open_section(at, tab, section)
        assert not at.exception, (tab, section)


def test_one_search_is_the_one_that_the_film_shows(page: AppTest, key: str) -> None:
    at = opened(page, key)
    at.selectbox(key=f"film_label.{key[:12]}").set_value("reinforce").run()
    at = open_section(at, "Search space", "One search")
    said = texts(at)
    for title in ("Policy of REINFORCE", "Choices of", "Search 1 of REINFORCE"):
        assert title in said, title


def test_looking_files_no_run(page: AppTest, key: str) -> None:
    at = opened(page, key)
    at.segmented_control(key="search_curves").set_value("strategy").run()
    assert "Policy entropy" in texts(at)
    at.segmented_control(key="search_against").set_value("price").run()
    at.toggle(key="log").set_value(False).run()
    for label in ("random_search", "reinforce"):
        at.selectbox(key=f"film_label.{key[:12]}").set_value(label).run()
        assert not at.exception
    at.segmented_control(key="film_search").set_value(1).run()
    assert not at.exception
    assert client.jobs()[1] == 1


@pytest.mark.parametrize("path", ["runs", "learn"])
def test_the_other_pages_know_searches(page: AppTest, path: str) -> None:
    at = page.switch_page(f"../pages/{path}.py").run()
    assert not at.exception


def test_a_frozen_strategy_is_set_up_on_the_page(page: AppTest, key: str) -> None:
    at = open_section(opened(page, key), "Robustness", "Use this learner")
    families = at.selectbox(key="frozen_family").options
    assert families[0] == "NK landscapes" > min(families)  # home, not by the alphabet
    at.button(key="carry").click().run()
    assert not at.exception
    assert at.session_state["k.kind"] == "search"
    assert at.session_state["k.inputs"]["warm_evolution"]["run"] == key


def test_a_strategy_that_stays_in_its_family_stays_in_its_space(
    hunt: RunSpec, key: str
) -> None:
    stays = frozen_start.start_from_frozen(hunt, key, "warm_evolution", "nk_landscape")
    assert stays.family == hunt.family
    goes = frozen_start.start_from_frozen(hunt, key, "warm_evolution", "growing")
    assert not goes.family.knobs


def test_a_card_of_a_strategy_leads_to_the_page(page: AppTest) -> None:
    at = page.switch_page("../pages/learn.py").run()
    at.session_state["shelf"] = "learner"
    at.run()
    at.selectbox(key="part").set_value("reinforce").run()
    at.button(key="try.learner.reinforce").click().run()
    assert not at.exception
    assert at.session_state["k.kind"] == "search"
    assert "reinforce" in at.session_state["k.chosen"]


def test_the_lesson_leads_to_experiments_with_searches(page: AppTest) -> None:
    page.session_state["lesson"] = "search"
    at = page.switch_page("../pages/learn.py").run()
    at.button(key="lesson.2.policy_gradients").click().run()
    assert not at.exception
    assert at.session_state["k.kind"] == "search"
    assert "reinforce_frozen" in at.session_state["k.chosen"]


def test_two_runs_are_compared_by_what_they_find(
    home: Path, hunt: RunSpec, page: AppTest
) -> None:
    finish(home, hunt.model_copy(update={"seed": 8}))
    keys = [job.key for job in client.jobs()[0]]
    seen = page.switch_page("../pages/compare.py")
    seen.query_params["runs"] = ",".join(keys)
    seen.run()
    assert not seen.exception
    options = seen.selectbox(key="compare_metric").options
    assert "Regret" in options
    (row, *_) = seen.dataframe[0].value.to_dict("records")
    run = client.run(keys[0])
    rows = BlockTable(run.blocks).test_values("reinforce", "regret_area")
    assert rows is not None
    free = mean_interval(rows.reshape(-1, 1))  # nothing was trained
    assert row["Mean regret"].endswith(f"{format_number(free.high)}]")


def test_while_it_learns_the_newest_searches_are_seen(run: client.Run) -> None:
    kept = tuple(b for b in run.blocks if b.phase in ("train", "validate"))
    made = {p.name for p in search.main_charts(replace(run, blocks=kept), ViewState())}
    assert {"check.score", "check.regret", "training"} <= made


def test_the_main_pictures_are_in_percent_and_of_one_height(run: client.Run) -> None:
    look = ViewState(metrics=search.FOUND)
    made = dict(search.main_charts(run, look))
    assert set(made) == set(search.FOUND)
    assert len({figure.layout.height for figure in made.values()}) == 1
    for figure in made.values():
        assert figure.layout.yaxis.tickformat.endswith("%")
        assert not any("share" in note.text for note in figure.layout.annotations)


def test_a_band_that_comes_to_nothing_does_not_stretch_the_log_axis() -> None:
    x = np.arange(3.0)
    mean, high = np.array([0.4, 0.2, 0.1]), np.array([0.5, 0.3, 0.2])
    line = Curve("a", x, mean, np.array([0.3, 0.1, 1e-6]), high)
    bottom, top = search._regret_axis([line])["range"]
    assert 0.02 < 10**bottom < 0.05
    assert 0.5 < 10**top < 0.7


def test_prices_come_from_what_was_spent(run: client.Run) -> None:
    look = ViewState(x="price", metrics=("score",))
    found = BlockTable(run.blocks).block("random_search", "test", "score")
    assert found is not None
    line = search.strategy_curve(run, found, look)
    assert line is not None
    last = np.asarray(found.array, np.float64)[..., -1].mean()
    assert line.mean[-1] == pytest.approx(last)
    assert line.x[-1] == pytest.approx(20 * 9.0)  # twenty trainings of nine passes
    assert line.n == 12  # nothing was trained: every search is free


def test_the_table_tells_accuracy_in_percent(run: client.Run) -> None:
    row = score_table.score_rows(run, {})[0]
    table = BlockTable(run.blocks).test_values("reinforce", "final_score")
    assert table is not None
    assert row["Accuracy (%)"].startswith(f"{100 * table.mean():.2f} [")
    assert {"Evaluations to the goal", "Coverage (%)"} <= set(row)


def test_the_cost_of_a_run_is_shown_in_architectures(
    hunt: RunSpec, known: shelves.Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "catalogue", lambda: known)
    tests = 2 * 6 * 20  # conditions, searches, evaluations
    learned = 4 * 20  # by warm evolution alone: reinforce starts anew in each search
    assert COSTS["search"].estimate_cost(hunt) == 2 * (3 * tests + learned)
    assert cost_estimate.describe_cost(hunt, kinds.SEARCH).endswith("architectures.")


def test_a_share_link_leads_to_the_page(
    monkeypatch: pytest.MonkeyPatch, hunt: RunSpec
) -> None:
    class Context:
        url = "http://localhost:8501/lab/lab?run=1"

    monkeypatch.setattr(page_frame.st, "context", Context())
    monkeypatch.setattr(page_frame.st, "session_state", {page_frame.PAGE: "lab"})
    base = page_frame.lab_address()
    assert base == "http://localhost:8501/lab/lab"
    assert share_links.share_link(base, hunt, "0" * 64).startswith(f"{base}?run=")
    Context.url = "http://localhost:8501/lab/"  # Start, the app under the path lab
    page_frame.st.session_state[page_frame.PAGE] = ""
    assert page_frame.lab_address() == base


@pytest.mark.parametrize("page", ["", "lab"])
@pytest.mark.parametrize("path", ["", "/lab", "/lab/lab", "/lab//lab", "/my/lab"])
def test_a_path_that_is_a_setting_is_kept_whatever_streamlit_makes_of_it(
    monkeypatch: pytest.MonkeyPatch, path: str, page: str
) -> None:
    class Context:
        url = f"https://host:8501{path}"

    monkeypatch.setattr(page_frame.st, "context", Context())
    monkeypatch.setattr(page_frame.st, "session_state", {page_frame.PAGE: page})
    for base in ("lab", "/my/lab/"):
        monkeypatch.setattr(
            page_frame.st, "get_option", {"server.baseUrlPath": base}.get
        )
        wanted = f"https://host:8501/{base.strip('/')}/lab"
        assert page_frame.lab_address() == wanted


def test_a_recorded_search_needs_no_store(page: AppTest) -> None:
    assert (ROOT / "app/recorded/search.zip").is_file()
    assert "search" in recorded_examples.SHOWN_KINDS


def _published(
    page: AppTest, key: str, monkeypatch: pytest.MonkeyPatch, apart: list[str]
) -> tuple[list[dict[str, str]], str]:
    rows = figures_for_task("nasbench201", 0, 0, "CIFAR-10")
    monkeypatch.setattr(run_tables, "figures_for_run", lambda spec: rows)
    monkeypatch.setattr(run_tables, "describe_differences", lambda spec: apart)
    at = open_section(opened(page, key), "Evidence", "Published")
    told = next(
        page_frame
        for page_frame in at.dataframe
        if "Published" in page_frame.value.columns
    )
    return told.value.to_dict("records"), texts(at)


def test_published_searches_are_shown_beside_ours(
    page: AppTest, key: str, run: client.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = _published(page, key, monkeypatch, [])
    found = BlockTable(run.blocks).test_values("random_search", "final_score")
    assert found is not None
    told = f"{100 * found.mean():.2f} ± {100 * found.std():.2f} %"
    theirs = {r["Method"]: (r["Published"], r["Here"]) for r in rows}
    assert theirs["Random search"] == ("93.70 ± 0.36 %", told)
    assert theirs["DARTS, second order"] == ("54.30 %", "–")
    alone = [r for r in rows if r["Source"] == "this run"]
    assert [r["Published"] for r in alone] == ["–"]
    assert "warm" in alone[0]["Method"]


def test_with_another_protocol_published_searches_are_separate_and_the_page_says_so(
    page: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, told = _published(page, key, monkeypatch, ["Here a search sees more."])
    assert "Here a search sees more." in told
    assert all("–" in (row["Published"], row["Here"]) for row in rows)
    assert [r["Method"] for r in rows if r["Source"] == "this run"][-1] == (
        "random search"
    )


def test_every_figure_and_the_report_leave(run: client.Run) -> None:
    assert_everything_leaves(run)
