from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.client import client
from app.client.catalogue import Catalogue
from app.views import transfer
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec, complete_spec
from engine.stats.shift_and_transfer import transfer_levels
from tests.app.views.run.test_run_page import texts


@pytest.mark.parametrize("tab", ["Severity", "Families", "Start from a frozen learner"])
def test_every_transfer_tab_can_be_drawn(lab: AppTest, tab: str) -> None:
    at = lab.switch_page("../pages/transfer.py").run()
    at.session_state["transfer"] = tab
    at.run()
    assert not at.exception
    assert "No finished run yet" not in texts(at)


def test_a_frozen_learner_is_carried_to_another_family(
    lab: AppTest, key: str, known: Catalogue
) -> None:
    at = lab.switch_page("../pages/transfer.py").run()
    at.session_state["transfer"] = "Start from a frozen learner"
    at.run()
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
    carried = transfer.start_from_frozen(tiny, key, "lr_scale", "moons")
    full = complete_spec(carried, known.card, "cpu")
    assert full.inputs["lr_scale"].spec == tiny


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


def test_a_deleted_run_is_gone_from_the_client(home: Path, key: str) -> None:
    client.delete(key)
    assert client.job(key) is None
    assert client.jobs([JobState.DONE])[1] == 0
