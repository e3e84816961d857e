"""Runs of agents go through the same pages as any other."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.client import client
from app.views.run import rl
from app.views.run.kind_view import VIEWS
from engine.catalogue import find_card
from engine.contract.run_spec import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    complete_spec,
)
from tests.app.conftest import ROOT, finish
from tests.app.views.run.test_reproduce import assert_everything_leaves
from tests.app.views.run.test_run_page import every_section, open_section, texts

LEARNERS = (
    LearnerChoice(name="thompson", label="thompson"),
    LearnerChoice(name="random_actions", label="random_actions", role="baseline"),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """In the place of the lab's own run: all fixtures of a page stand on this one."""
    spec = RunSpec(
        family=Choice(name="bernoulli_bandit"),
        learners=LEARNERS,
        budget=Budget(horizon=10, test_tasks=16),
        replicates=2,
    )
    home = tmp_path_factory.mktemp("agents") / "home"
    return home, finish(home, complete_spec(spec, find_card, "cpu"))


@pytest.fixture
def opened(home: Path, key: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app/navigation.py"), default_timeout=60)
    at.query_params["run"] = key
    return at.run()


def test_charts_films_beliefs_and_every_tab_are_drawn(
    opened: AppTest, key: str
) -> None:
    assert not opened.exception
    for title in ("Return by episode", "Regret by episode", "Which arm was pulled"):
        assert title in texts(opened)
    opened.segmented_control(key="film_picture").set_value("Beliefs").run()
    assert "What the pulls say about the arms" in texts(opened)
    opened.session_state["rl_curves"] = "behavior"
    found = every_section(opened, key)
    assert ("Evidence", "Published") in found
    for tab, section in found:
        open_section(opened, tab, section)
        assert not opened.exception, (tab, section)
    assert "Best action by episode" in texts(opened)


def test_a_run_stands_beside_the_published_returns_of_its_trials(
    home: Path, key: str
) -> None:
    run = client.run(key)
    own = {result.part: result.value for result in VIEWS["rl"].own_results(run, {})}
    mean = run.table.test_values("thompson", "trial_return").mean()
    assert own["thompson"].startswith(f"{mean:.3g} [")
    assert own["thompson"].endswith("] reward")


def test_costs_are_episodes_by_phase(home: Path, key: str) -> None:
    (row, _) = rl.cost_rows(client.run(key), {})
    assert row["Test"] == "160"  # 16 trials of 10 episodes, of each replicate
    assert row["Meta-training"] == "0"
    assert row["Steps of a test trial"].startswith("10 ")


def test_every_figure_and_the_report_leave(home: Path, key: str) -> None:
    assert_everything_leaves(client.run(key))
