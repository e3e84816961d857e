"""The demo says what it is and lets a visitor do what it allows, on every page."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import visitors
from app.client import client, demo_checks, process_store, run_groups
from app.client.process_store import Visitor
from app.views.claims import studies
from app.views.run.reproduce import share_link
from app.widgets import demo_notice, page_elements
from engine.contract.run_spec import RunSpec
from engine.executors.demo import MIB, demo_limits
from engine.store import Store
from engine.store.errors import QueueFull
from engine.store.workspaces import WorkspaceStore
from tests.app.test_isolation import ANN, BOB, demo, everything, open_page, small_runs

__all__ = ["demo", "small_runs"]  # the fixtures


def shared_link(ask_as: Callable[..., None], key: str) -> dict[str, str]:
    """Return the parameters of the link that Ann copies."""
    ask_as(ANN)
    return {"run": key, "share": process_store.make_share_token(key)}


def test_the_line_and_its_menu_name_every_limit() -> None:
    limits = demo_limits()._replace(run_disk=64 * MIB, run_memory=600 * MIB)
    told = demo_notice.list_limits(limits)
    assert list(told.values()) == [
        "1, and 2 waiting",
        "10 min",
        "100 million gradients",
        "600 MiB",
        "64 MiB",
        "24 h after the last visit",
        "none",
    ]


@pytest.mark.parametrize("page", ["start", "lab", "runs", "compare", "claims", "learn"])
def test_every_page_of_the_demo_says_so(page: str, demo: object) -> None:
    shown = everything(open_page(page, BOB))
    assert "Public demo on a shared computer" in shown
    assert "Whoever has the link to a run sees that run, read-only." in shown


def test_a_local_lab_says_nothing_of_it(lab: AppTest) -> None:
    shown = everything(lab.run())
    assert "demo" not in shown.casefold().replace("demonstrat", "")


def test_a_shared_run_is_read_only_and_can_be_taken_over(
    demo: Callable[..., None], key: str
) -> None:
    at = open_page("lab", BOB, **shared_link(demo, key))
    assert not at.exception
    keys = {button.key for button in at.button}
    assert "again" in keys
    assert not keys & {"cancel", "resume", "delete", "words"}
    assert at.button(key="again").label == "Run it yourself"
    assert at.query_params["share"]  # a reload of the page opens it again
    at.button(key="again").click().run()
    assert not at.exception
    demo(BOB)
    assert client.owns(key)
    job = client.job(key)
    assert job is not None
    assert (str(job.state), job.title) == ("done", "")
    assert "share" not in at.query_params


def test_a_link_whose_result_is_gone_offers_to_compute_it(
    demo: Callable[..., None], key: str, home: Path
) -> None:
    demo(ANN)
    link = share_link.share_links.share_link(
        "", client.spec(key), key, process_store.make_share_token(key)
    )
    client.delete(key)
    Store.open(home).delete(key)
    asked = dict(part.split("=") for part in link.split("?")[1].split("&"))
    at = open_page("lab", BOB, **asked)
    assert not at.exception
    assert "Not computed here yet" in everything(at)
    assert not at.button(key="run_button").disabled


def test_a_run_beyond_the_limits_is_named_before_it_is_started(
    demo: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_checks, "check_limits", lambda spec: ["It is too large."])
    at = open_page("lab", BOB)
    assert at.button(key="run_button").disabled
    assert "It is too large." in everything(at)
    at.button(key="smaller.sidebar").click().run()
    assert at.session_state["k.effort"] == "quick"


def test_the_demo_takes_no_files_and_says_so(demo: object) -> None:
    for page in ("runs", "start"):
        at = open_page(page, BOB)
        assert not at.get("file_uploader")
        assert "<dt>Files of your own</dt><dd>none</dd>" in everything(at)


def test_files_are_taken_up_to_the_limit_that_the_operator_sets(
    demo: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_DEMO_UPLOAD_MIB", "3")
    at = open_page("runs", BOB)
    assert at.get("file_uploader")[0].proto.max_upload_size_mb == 3


def test_all_runs_of_a_visitor_are_deleted_and_no_other(
    demo: Callable[..., None], key: str, home: Path
) -> None:
    demo(BOB, key)
    client.submit(client.spec(key), "Bobs")
    at = open_page("runs", BOB)
    at.button(key="delete_all").click().run()
    assert not at.exception
    demo(BOB)
    assert client.jobs() == ([], 0)
    demo(ANN)
    assert client.owns(key)
    assert Store.open(home).job(key) is not None


def test_a_claim_with_more_runs_than_a_visitor_may_have_is_not_offered(
    demo: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{n:064x}" for n in range(4)]
    assert "at most 3 at a time" in studies.measure_refusal(keys)
    assert studies.measure_refusal(keys[:3]) == ""
    monkeypatch.delenv("METASCOPE_MODE")
    assert studies.measure_refusal(keys) == ""


def test_nothing_of_sign_in_is_there_without_a_provider(demo: object) -> None:
    at = open_page("runs", BOB)
    assert not [b for b in at.button if str(b.key).startswith(("sign", "move"))]


def test_who_signs_in_is_offered_once_to_take_the_runs_of_the_browser_along(
    demo: Callable[..., None], key: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No provider is asked: what Streamlit would tell of the person is made up."""
    shared = Store.open(home)
    browser = "browser " + ANN
    monkeypatch.setattr(visitors, "_browser_identity", lambda: browser)
    monkeypatch.setattr(
        visitors,
        "_workspace_name",
        lambda asked: ANN if asked == browser else "c" * 32,
    )
    monkeypatch.setattr(visitors, "can_sign_in", lambda: True)
    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "x"}})
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    assert open_page("runs", ANN).button(key="sign_in.").label == "Sign in"
    who = {"is_logged_in": True, "sub": "7", "iss": "there", "name": "Ann *"}
    monkeypatch.setattr(st, "user", who)
    at = open_page("runs", ANN)
    assert "Signed in as Ann" in everything(at)
    at.button(key="move_yes").click().run()
    assert not at.exception
    assert WorkspaceStore(shared, ANN).jobs() == []
    process_store._Demo.find_visitor = lambda: Visitor("c" * 32)
    job = client.job(key)
    assert job is not None
    assert job.title == "Anns secret title"
    assert run_groups.read_annotations(key).tags == ("annstag",)
    assert run_groups.find_group("0123456789ab") is not None
    assert client.run(key).blocks
    assert not [b for b in at.button if str(b.key).startswith("move")]


def test_a_full_queue_is_told_beside_run_and_the_page_stays(
    demo: object, small_runs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object, **named: object) -> None:
        raise QueueFull(1, 2, 3)

    at = open_page("lab", BOB)
    monkeypatch.setattr(client, "submit_completed", full)
    at.button(key="run_button").click().run()
    assert not at.exception
    (told,) = [error for error in at.sidebar.error if "You have 1" in error.value]
    assert "1 running and 2 waiting runs" in told.value
    drawn = list(at.sidebar)  # below the bar of the button it is out of sight
    assert drawn.index(told) < drawn.index(at.button(key="run_button"))
    assert not at.button(key="run_button").disabled


def test_a_demo_that_takes_no_files_offers_no_import(demo: object) -> None:
    at = open_page("start", BOB)
    assert "Open a link" in everything(at)
    assert "Open a link or a file" not in everything(at)
    assert "Import a run" not in everything(open_page("runs", BOB))


def test_a_waiting_run_tells_its_place_among_all_visitors_and_when_it_starts(
    demo: Callable[..., None], small_runs: None, tiny: RunSpec, home: Path
) -> None:
    for seed in (1, 2):  # of somebody else, before it
        other = tiny.model_copy(update={"seed": seed})
        Store.open(home).submit(other, f"{seed:064x}")
    demo(BOB)
    job = client.submit(tiny.model_copy(update={"seed": 3}))
    # One of each visitor in turn: only the first of the others is before it.
    assert (client.job(job.key) or job).position == 2
    at = open_page("runs", BOB)
    assert "place 2" in everything(at)
    assert "starts in about" in page_elements.explain_state(
        replace(job, position=2, wait=75.0)
    )
