from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.client import client
from app.client.catalogue import Catalogue
from app.views import (
    bandit_game,
    calibration_lesson,
    exploration_lesson,
    transfer,
)
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec, complete_spec
from engine.stats.shift_and_transfer import transfer_levels
from engine.store import RunGroups, Store
from engine.store.run_groups import NewMember
from tests.app.views.run.test_run_page import texts


@pytest.fixture
def runs(lab: AppTest) -> AppTest:
    return lab.switch_page("../pages/runs.py")


def rows(at: AppTest) -> list[dict[str, object]]:
    return at.dataframe[0].value.to_dict("records")


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
    assert sweep["Experiment"] == "Sweep · mine: *lr*"
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
    assert "There is no sweep with this id." in [info.value for info in at.info]


def test_hostile_titles_are_shown_as_they_were_typed(
    runs: AppTest, home: Path, key: str
) -> None:
    title = "![x](javascript:alert(1)) <img src=x> :red[no] $x$ =SUM(1)"
    Store.open(home).rename(key, title)
    at = runs.run()
    assert not at.exception
    assert title in str(rows(at)[0]["Experiment"])


def test_every_card_can_be_drawn(lab: AppTest, known: Catalogue) -> None:
    at = lab.switch_page("../pages/learn.py").run()
    for slot in ("learner", "estimator", "family", "shift", "net", "outer"):
        at.session_state["shelf"] = slot
        at.run()
        cards = list(known.cards_of(slot))
        assert len(cards) > 1, slot
        for card in cards:
            at.selectbox(key="part").set_value(card.name).run()
            assert not at.exception, card.name
            assert card.code.strip() in [code.value for code in at.code]


def test_the_lesson_on_doubt_leads_to_experiments_that_are_shipped(
    lab: AppTest, known: Catalogue
) -> None:
    steps = calibration_lesson.LESSON.steps
    assert {name for step in steps for name in step.shown} <= {
        preset.name for preset in known.presets
    }
    lab.session_state["shelf"] = "doubt"
    at = lab.switch_page("../pages/learn.py").run()
    assert calibration_lesson.LESSON.title in [head.value for head in at.header]
    at.button(key="lesson.3.glyphs").click().run()
    assert not at.exception
    assert "protonet" in at.session_state["k.chosen"]


def test_the_lesson_on_exploring_is_played_and_leads_to_shipped_experiments(
    lab: AppTest, known: Catalogue
) -> None:
    steps = exploration_lesson.LESSON.steps
    assert {name for step in steps for name in step.shown} <= {
        preset.name for preset in known.presets
    }
    lab.session_state["shelf"] = "exploring"
    at = lab.switch_page("../pages/learn.py").run()
    assert exploration_lesson.LESSON.title in [head.value for head in at.header]
    at.session_state["bandit_game_pulled"] = [0] * (bandit_game.PULLS - 1)
    at.button(key="pull.1").click().run()
    assert not at.exception
    assert at.button(key="pull.1").disabled
    assert any("Thompson sampling **" in text.value for text in at.markdown)
    at.button(key="another_bandit").click().run()
    assert at.session_state["bandit_game_pulled"] == []
    at.button(key="lesson.4.learned_critic").click().run()
    assert not at.exception
    assert "meta_critic" in at.session_state["k.chosen"]


def test_a_card_leads_into_the_lab(lab: AppTest) -> None:
    at = lab.switch_page("../pages/learn.py").run()
    at.session_state["shelf"] = "shift"
    at.run()
    at.selectbox(key="part").set_value("rotate").run()
    at.button(key="try.shift.rotate").click().run()
    assert not at.exception
    assert at.session_state["k.shifts"] == ["rotate"]


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


def test_the_list_asks_for_one_page_only(home: Path, tiny: RunSpec) -> None:
    file(home, tiny, 60)
    found, total = client.jobs(None, "", (25, 25))
    assert (len(found), total) == (25, 61)
