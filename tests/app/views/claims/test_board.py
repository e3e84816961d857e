"""The board shows what was recorded until the store's own runs say otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.client import catalogue as shelves
from app.client import client, recorded_claims, run_groups
from app.client.catalogue import Study
from app.views.claims import card, claim_states, studies
from engine.contract.claim_groups import claim_group_id
from engine.contract.run_spec import RunSpec
from engine.stats.claims_board import STUDY_JUDGES, StudyVerdict
from tests.app.conftest import open_lab
from tests.app.views.run.test_run_page import texts

FOUND = {
    "verdict": "not supported",
    "estimate": -30.0,
    "low": -40.0,
    "high": None,
    "unit": "% of the error saved",
    "reason": "What was recorded.",
    "rows": [{"What": "all", "Mean": -30.0, "Low": -40.0, "High": None, "n": 6}],
    "claimed": [],
}


@pytest.fixture
def own(
    known: shelves.Catalogue, tiny: RunSpec, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Study:
    """The only claim: its run is the finished one of the store."""
    made = Study("mixture", "Own", "It holds.", "How.", (tiny,), "here", False)
    cache = shelves.CatalogueCache(lambda: None)
    cache._made = shelves.Catalogue(
        known.cards, known.devices, known.versions, known.presets, (made,)
    )
    monkeypatch.setattr(client, "_catalogue_cache", cache)
    verdict = StudyVerdict("supported", 5.0, 4.0, 6.0, "%", "What was measured here.")
    monkeypatch.setitem(STUDY_JUDGES, "mixture", lambda runs: verdict)
    return made


def file_record(keys: list[str]) -> None:
    """File a recorded verdict on that claim."""
    claim = {
        "name": "mixture",
        "title": "Own",
        "sentence": "It holds.",
        "protocol": "How.",
        "ground": "here",
        "matrix": False,
        "kind": "optimization",
        "runs": 1,
    }
    held = {"keys": keys, "ground": "here", "found": FOUND}
    body: dict[str, Any] = {
        "machine": "a test",
        "runs": dict.fromkeys(keys, 75.0),
        "claims": [claim],
        "verdicts": {"mixture": held},
        "matrices": {},
    }
    recorded_claims.FILE.write_text(json.dumps(body))
    recorded_claims.read_board.cache_clear()


def opened() -> AppTest:
    at = open_lab()
    at.switch_page("../pages/claims.py").run()
    assert not at.exception
    return at


def badges(at: AppTest) -> str:
    return " ".join(str(each.value) for each in at.markdown)


def test_the_stores_own_runs_take_precedence(own: Study, key: str) -> None:
    file_record([key])
    at = opened()
    assert "What was measured here." in texts(at)
    assert "What was recorded." not in texts(at)
    assert "1 of 1 measured: 1 supported" in texts(at)
    assert "board.mixture" not in [b.key for b in at.button]


def test_without_own_runs_the_recorded_verdict_is_shown(own: Study, key: str) -> None:
    client.delete(key)
    file_record([key])
    at = opened()
    assert "What was recorded." in texts(at)
    assert "1 run, 1 min 15 s on one core of a test" in texts(at)
    assert "earlier version" not in badges(at)
    assert at.button(key="board.mixture").label.endswith("Measure here")


def test_a_record_of_other_runs_is_of_an_earlier_version(own: Study, key: str) -> None:
    client.delete(key)
    file_record(["0" * 64])
    assert "recorded by an earlier version" in badges(opened())


def test_a_fresh_server_shows_the_record_before_the_catalogue(
    own: Study, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_record([key])
    monkeypatch.setattr(client, "is_catalogue_ready", lambda: False)
    at = opened()
    assert "What was recorded." in texts(at)
    assert "1 of 1 measured: 1 not supported" in texts(at)
    assert not [b.key for b in at.button if str(b.key).startswith("board.")]


def test_the_runs_of_a_claim_are_one_group(own: Study, key: str) -> None:
    at = opened()
    at.button(key="runs.mixture").click().run()
    group = run_groups.find_group(claim_group_id("mixture"))
    assert group is not None
    assert (group.size, group.title, group.noun) == (1, "Own", "claim")


def test_measuring_files_the_group(own: Study, key: str) -> None:
    client.delete(key)
    studies.queue_missing(own, studies.study_runs(own))
    assert run_groups.member_keys(claim_group_id("mixture")) == [key]


def test_a_claim_whose_parts_are_missing_says_why(own: Study) -> None:
    broken = own.specs[0].model_copy(
        update={"family": own.specs[0].family.model_copy(update={"name": "zoo"})}
    )
    state = claim_states._study_state(
        Study("x", "X", "S.", "P.", (broken,), "here", False), {}
    )
    assert "zoo" in state.refusal and state.verdict is None


def test_an_open_claim_says_why_it_is_open() -> None:
    """An interval without 0 may be open: the claim may hold from another value on."""
    unit = "% of the error saved"
    said = StudyVerdict("can't tell yet", -13.0, -26.0, -2.4, unit, "", (), (-10.0,))
    assert "holds above −10 %, and the interval" in card.explain_open(said)
    assert "above 0 %" in card.explain_open(said._replace(high=2.0, claimed=()))
    elsewhere = said._replace(claimed=())  # the interval shown is all below 0
    assert "Another of its comparisons" in card.explain_open(elsewhere)
    assert card.explain_open(said._replace(verdict="depends")) == ""
    assert card.explain_open(said._replace(low=float("nan"))) == ""


def test_a_reason_has_the_estimate_once_and_bold() -> None:
    told = "MAML: −31 [−40, −22] % of the error saved, over 6 trainings."
    found = StudyVerdict("supported", -30.7, -40, -22, FOUND["unit"], told)
    shown = card.explain_verdict(found)
    assert shown.count("31") == 1 and "30.7" not in shown
    assert ": <strong>−31 " in shown and "error saved</strong>, over" in shown
    # Of two intervals the one that is not the estimate's stays plain.
    unlike = card.explain_verdict(found._replace(estimate=5.0))
    assert unlike.startswith("<strong>5.0 ") and ": −31" in unlike
