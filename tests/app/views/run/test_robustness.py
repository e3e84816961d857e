"""What stands in the tab Robustness, and what became of the page Transfer."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import old_addresses
from app.client.catalogue import Catalogue
from app.views.run.robustness import frozen_start
from engine.contract.run_spec import RunSpec, complete_spec
from engine.stats.shift_and_transfer import transfer_levels
from tests.app.conftest import finish
from tests.app.views.run.test_run_page import open_section, texts


@pytest.fixture
def opened(lab: AppTest, key: str) -> AppTest:
    lab.query_params["run"] = key
    return lab.run()


def test_a_frozen_learner_is_carried_to_another_family(
    opened: AppTest, key: str, known: Catalogue
) -> None:
    at = open_section(opened, "Robustness", "Use this learner")
    at.selectbox(key="frozen_family").select("moons").run()
    at.button(key="carry").click().run()
    assert not at.exception
    source = at.session_state["k.inputs"]["lr_scale"]
    assert (source["run"], source["artefact"]) == (key, "lr_scale")
    assert at.session_state["k.family"] == "moons"
    # Nothing of another experiment stands where its result will be.
    assert "Ready to run" in texts(at)
    assert "recorded" not in texts(at)


def test_a_carried_spec_names_its_source_with_its_spec(
    tiny: RunSpec, key: str, known: Catalogue
) -> None:
    carried = frozen_start.start_from_frozen(tiny, key, "lr_scale", "moons")
    full = complete_spec(carried, known.card, "cpu")
    assert full.inputs["lr_scale"].spec == tiny


def test_runs_that_started_from_this_one_are_listed_with_links(
    opened: AppTest, home: Path, key: str, tiny: RunSpec, known: Catalogue
) -> None:
    carried = frozen_start.start_from_frozen(tiny, key, "lr_scale", "mixtures")
    follower = finish(home, complete_spec(carried, known.card, "cpu"))
    at = open_section(opened, "Robustness", "Use this learner")
    assert f"(?run={follower}) starts from this run's LR scale" in texts(at)


def test_the_matrix_is_of_this_run_and_of_others_of_its_learner(
    opened: AppTest, home: Path, tiny: RunSpec
) -> None:
    at = open_section(opened, "Robustness", "Other families")
    assert "From this run alone." in texts(at)
    finish(home, tiny.model_copy(update={"seed": 8}))
    assert "1 more finished run" in texts(at.run())


@pytest.mark.parametrize(
    ("old", "section"),
    [
        ("", "Shifts"),
        ("Families", "Other families"),
        ("Start from a frozen learner", "Use this learner"),
    ],
)
def test_an_old_link_to_transfer_opens_the_newest_run(
    home: Path, key: str, old: str, section: str
) -> None:
    told = old_addresses.robustness_of_newest(old)
    assert told == {"run": key, "tab": "Robustness", "robustness": section}


def condition(family: str, value: float) -> dict[str, object]:
    mean = {"mean": value, "low": value - 1, "high": value + 1, "n": 8}
    where = {"family": family, "shift": "", "severity": 0.0}
    return {"condition": where, "learners": {"lr_scale": {"area": mean}}}


def test_the_matrix_takes_the_newest_run_for_each_cell(tiny: RunSpec) -> None:
    newest = {"conditions": [condition("", 1.0), condition("moons", 2.0)]}
    older = {"conditions": [condition("", 9.0), condition("rings", 3.0)]}
    made = transfer_levels([(tiny, newest), (tiny, older)], "lr_scale", "area")
    assert list(made.test) == ["mixtures", "moons", "rings"]
    assert made.mean.tolist() == [[1.0, 2.0, 3.0]]


def test_no_matrix_without_a_test_of_the_learner(tiny: RunSpec) -> None:
    made = transfer_levels([(tiny, {"conditions": []})], "lr_scale", "area")
    assert (made.train, made.mean.shape) == ((), (0, 0))
