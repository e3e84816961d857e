"""The form's effort asks for the numbers that it needs, and reaches the spec."""

import pytest
from streamlit.testing.v1 import AppTest

from app.client import client
from engine.contract.run_spec import RunSpec
from tests.app.conftest import open_settings
from tests.app.views.run.test_run_page import run_it, texts


def filed(at: AppTest) -> RunSpec:
    """Return the spec of the run that the form asks for."""
    run_it(at)
    assert not at.exception
    return client.spec(client.jobs()[0][0].key)


def with_effort(at: AppTest, effort: str) -> AppTest:
    at.run().segmented_control(key="k.effort").set_value(effort).run()
    return open_settings(at, "Budget")


def numbers(at: AppTest) -> set[str]:
    keys = {str(number.key) for number in at.number_input}
    return keys & {"k.replicates", "k.batch", "k.ceiling"}


@pytest.mark.parametrize(
    ("effort", "asked"),
    [
        ("quick", set()),
        ("until-decided", {"k.batch", "k.ceiling"}),
        ("fixed", {"k.replicates"}),
    ],
)
def test_an_effort_asks_for_its_own_numbers(
    effort: str, asked: set[str], lab: AppTest
) -> None:
    assert numbers(with_effort(lab, effort)) == asked


def test_a_number_that_is_not_allowed_stays_to_be_corrected(lab: AppTest) -> None:
    at = with_effort(lab, "fixed")
    at.number_input(key="k.replicates").set_value(4000).run()
    assert "from 1 to 512, not 4000" in texts(at)
    assert at.number_input(key="k.replicates").value == 4000


def test_until_decided_files_the_looks_of_its_batches(lab: AppTest) -> None:
    at = with_effort(lab, "until-decided")
    at.number_input(key="k.batch").set_value(4)
    at.number_input(key="k.ceiling").set_value(10)
    spec = filed(at.run())
    assert (spec.looks, spec.replicates) == ((4, 8, 10), 10)
    assert "4 replicates at a time, at most 10" in texts(at)


def test_quick_files_one_look(lab: AppTest) -> None:
    assert filed(with_effort(lab, "quick")).looks == (8,)


def test_the_rival_of_the_primary_question_reaches_the_spec(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Baselines")
    at.selectbox(key="k.rival").select("adam_tuned").run()
    assert filed(at).rival == "adam_tuned"


def test_a_rival_that_is_turned_off_is_no_rival(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Baselines")
    at.selectbox(key="k.rival").select("adam_tuned").run()
    at.session_state["k.baselines"] = ["sgd", "sgd_tuned"]
    at.run()
    assert at.selectbox(key="k.rival").value == ""
    assert filed(at).rival == ""
