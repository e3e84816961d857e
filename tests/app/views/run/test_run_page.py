import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import share_links
from app.client import client, recorded_examples
from app.views.run import run_page, tabs
from engine.contract.jobs import Job, JobState
from engine.contract.run_spec import RunSpec
from engine.export import export_archive
from engine.store import Store
from tests.app.conftest import finish, open_settings


def texts(at: AppTest) -> str:
    """Return all that the page says."""
    kinds = ("markdown", "caption", "error", "warning", "info", "success")
    said = [element.value for kind in kinds for element in at.get(kind)]
    bodies = [element.proto.body for element in at.get("html")]
    said += [body for body in bodies if not body.startswith("<style>")]
    return "\n".join(str(one) for one in said).replace("\\", "")


def charts(at: AppTest) -> int:
    """Return how many charts the page has; its other components do not count."""
    drawn = (str(one.proto.component_name) for one in at.get("bidi_component"))
    return sum("live_plot" in name for name in drawn)


def every_section(at: AppTest, key: str) -> list[tuple[str, str]]:
    """Return every tab of a run with each of its sections."""
    run, named = client.run(key), [tab.label for tab in at.tabs]
    assert named == [name for name, tab in tabs.TABS.items() if tab.sections(run)]
    return [(name, each) for name in named for each in tabs.TABS[name].sections(run)]


def open_section(at: AppTest, tab: str, section: str) -> AppTest:
    """Open a section of a tab, as a link to it does."""
    at.session_state["tab"] = tab
    if key := tabs.TABS[tab].key:
        at.session_state[key] = section
    return at.run()


def run_it(at: AppTest) -> AppTest:
    return at.button(key="run_button").click().run()


def test_the_first_paint_teaches_where_nothing_is_recorded(lab: AppTest) -> None:
    at = lab.run()
    assert not at.exception
    assert "Nothing has run yet" in texts(at)
    assert "Run" in [button.label for button in at.button]


def test_the_first_paint_shows_the_recorded_run_with_its_badge(
    lab: AppTest, home: Path, key: str
) -> None:
    recorded_examples.FOLDER.mkdir()
    archive = export_archive(Store.open(home), key)
    (recorded_examples.FOLDER / "optimization.zip").write_bytes(archive)
    at = lab.run()
    assert not at.exception
    assert "recorded" in texts(at)
    assert "verdict-line" in texts(at)
    assert charts(at) >= 6
    assert client.jobs()[1] == 1  # showing it files nothing


def test_a_click_files_one_run_however_often_it_is_made(lab: AppTest) -> None:
    at = lab.run()
    for _ in range(3):
        run_it(at)
        assert not at.exception
    assert client.jobs([JobState.QUEUED])[1] == 1
    assert "place 1" in texts(at) or "queued" in texts(at)


def test_a_click_files_the_run_before_anything_else_is_drawn(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = list[str]()
    draw, submit = run_page.draw_run_in_view, client.submit_completed

    def draw_it(key: str | None) -> None:
        done.append("draw")
        draw(key)

    def submit_it(wanted: tuple[RunSpec, str], title: str) -> Job:
        done.append("submit")
        return submit(wanted, title)

    monkeypatch.setattr(run_page, "draw_run_in_view", draw_it)
    monkeypatch.setattr(client, "submit_completed", submit_it)
    at = lab.run()
    assert done == ["draw"]
    run_it(at)
    assert done == ["draw", "submit", "draw"]


def test_a_run_is_polled_until_its_end_alone(key: str, home: Path) -> None:
    run = client.run(key)
    assert run.job is not None
    for state, interval in (
        (JobState.QUEUED, run_page.POLL),
        (JobState.RUNNING, run_page.POLL),
        (JobState.DONE, None),
    ):
        job = replace(run.job, state=state)
        assert run_page._poll_interval(replace(run, job=job)) == interval


def test_a_finished_experiment_opens_without_a_new_run(
    lab: AppTest, key: str, tiny: RunSpec
) -> None:
    lab.query_params["x"] = share_links.pack(tiny)
    at = lab.run()
    assert at.button(key="run_button").label == "Open result"
    run_it(at)
    assert client.jobs()[1] == 1
    assert "verdict-line" in texts(at)


def test_a_link_to_a_run_opens_it_and_fills_the_form(
    lab: AppTest, key: str, tiny: RunSpec
) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    assert not at.exception
    assert at.session_state["k.budget.horizon"] == tiny.budget.horizon
    assert "verdict-line" in texts(at)
    assert charts(at) >= 6


def test_a_link_never_starts_a_run(lab: AppTest, tiny: RunSpec) -> None:
    fresh = tiny.model_copy(update={"seed": 4711})
    lab.query_params["x"] = share_links.pack(fresh)
    lab.query_params["run"] = "ab" * 32
    at = lab.run()
    assert not at.exception
    assert client.jobs()[1] == 1
    assert at.session_state["k.seed"] == "4711"
    assert "Not computed here yet" in texts(at)
    run_it(at)
    assert client.spec(client.jobs([JobState.QUEUED])[0][0].key).seed == 4711


@pytest.mark.parametrize(
    "bad", ["../../etc/passwd", "<script>alert(1)</script>", "ab" * 32]
)
def test_a_bad_run_id_is_one_sentence(lab: AppTest, bad: str) -> None:
    lab.query_params["run"] = bad
    at = lab.run()
    assert not at.exception
    assert "There is no run with this id." in texts(at)
    assert bad not in texts(at)


def test_repeated_parameters_are_noticed(lab: AppTest, key: str) -> None:
    lab.query_params["run"] = [key, "x"]
    at = lab.run()
    assert "the first is used" in texts(at)


def test_a_damaged_link_leaves_the_default_form(lab: AppTest) -> None:
    lab.query_params["x"] = "1.AAAA"
    at = lab.run()
    assert not at.exception
    assert "This link is damaged" in texts(at)
    assert at.session_state["k.family"] == "mixtures"


def test_a_value_that_is_refused_is_reported_and_kept(lab: AppTest) -> None:
    at = lab.run()
    at.text_input(key="k.seed").set_value("-1")
    at.run()
    assert "Seed must be a whole number" in texts(at)
    assert at.session_state["k.seed"] == "-1"
    assert at.button(key="run_button").disabled
    assert client.jobs()[1] == 1


def test_turning_baselines_off_shows_a_notice(lab: AppTest) -> None:
    at = lab.run()
    at.session_state["k.baselines"] = []
    at.run()
    assert "No baseline is selected" in texts(at)


def test_only_estimators_that_fit_the_learner_are_offered(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Meta-training")
    known, seen = client.catalogue(), set()
    for name in ("lr_scale", "sigmoid", "lstm"):
        at.session_state["k.chosen"] = [name]
        at.run()
        assert not at.exception
        fitting = known.card("learner", name).traits["estimators"]
        titles = {known.card("estimator", e).title for e in fitting}
        seen |= titles
        offered = [s for s in at.selectbox if s.key == "k.estimator"]
        assert {title for box in offered for title in box.options} == titles
    assert len(seen) > 1


def test_switching_a_learner_away_and_back_keeps_its_knobs(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Learners")
    at.number_input(key="k.learner.lr_scale.hidden").set_value(5).run()
    at.session_state["k.chosen"] = ["lstm"]
    at.run()
    at.session_state["k.chosen"] = ["lr_scale"]
    at.run()
    assert at.number_input(key="k.learner.lr_scale.hidden").value == 5


def test_a_preset_fills_the_form(lab: AppTest) -> None:
    at = lab.run()
    at.selectbox(key="preset").select("smoke").run()
    assert not at.exception
    assert at.session_state["k.budget.task_evaluations"] == 128


def test_own_data_asks_for_a_file_first(lab: AppTest) -> None:
    at = lab.run()
    at.session_state["k.family"] = "own_data"
    at.run()
    assert "choose a CSV first" in texts(at)
    assert at.button(key="run_button").disabled


def test_a_click_on_cancel_counts_where_the_poll_starts_the_page_over(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = run_it(lab.run())
    intervals = iter((0.3, 1.0))  # the poll slows down while the page is drawn
    monkeypatch.setattr(run_page, "_poll_interval", lambda run: next(intervals, 1.0))
    at.button(key="cancel").click().run()
    assert client.jobs([JobState.CANCELLED])[1] == 1


def test_a_running_run_can_be_cancelled(lab: AppTest) -> None:
    at = run_it(lab.run())
    at.button(key="cancel").click().run()
    assert not at.exception
    assert client.jobs([JobState.CANCELLED])[1] == 1
    assert at.button(key="resume")


def test_a_failed_run_shows_its_first_line_and_its_log(
    lab: AppTest, home: Path
) -> None:
    at = run_it(lab.run())
    store = Store.open(home)
    claim = store.claim()
    assert claim is not None
    trace = {"traceback": "Traceback\n<b>boom</b>"}
    store.recorder(claim).finish(
        JobState.FAILED, trace, "ValueError: [x](y) <b>boom</b>"
    )
    at.run()
    assert not at.exception
    assert "Failed: ValueError: [x](y) <b>boom</b>" in texts(at)
    assert trace["traceback"] in [code.value for code in at.code]


def test_every_tab_can_be_drawn(lab: AppTest, key: str) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    for tab, section in every_section(at, key):
        open_section(at, tab, section)
        assert not at.exception, (tab, section)
        if tab == "Reproduce":
            assert any("python -m engine run" in code.value for code in at.code)


def test_a_run_without_baselines_says_that_there_is_nothing_to_compare(
    lab: AppTest, home: Path, tiny: RunSpec
) -> None:
    chosen = tuple(one for one in tiny.learners if one.role == "chosen")
    lab.query_params["run"] = finish(home, tiny.model_copy(update={"learners": chosen}))
    at = open_section(lab.run(), "Evidence", "Claims")
    assert not at.exception
    assert "Nothing to compare" in texts(at)


def test_title_call_and_at_most_three_lines_stand_above_film_and_chart(
    lab: AppTest, key: str
) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    said = [element.proto.body for element in at.get("html")]
    title, call = (
        next(i for i, s in enumerate(said) if c in s)
        for c in ("run-title", "verdict-line")
    )
    assert title < call
    assert ">First<" in said[title]  # the run's own title
    assert 1 <= said[call].count("<li>") <= 3
    # The main chart is computed first, and the film stands before it on the page.
    assert "boundary" in texts(at) and at.columns


def test_an_old_tab_opens_the_section_that_it_became(lab: AppTest, key: str) -> None:
    lab.query_params["run"], lab.query_params["tab"] = key, "Cost"
    at = lab.run()
    assert not at.exception and not at.info
    assert at.session_state["tab"] == "Training"
    assert at.segmented_control(key="training").value == "Cost"
    assert "Learning rate: where each replicate tuned its own" in texts(at)


def test_view_options_file_no_run(lab: AppTest, key: str) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    at.session_state["against"] = "gradients"
    at.session_state["curves"] = "held-out"
    at.toggle(key="log").set_value(False)
    at.slider(key="smooth").set_value(0.5)
    at.run()
    assert not at.exception
    assert client.jobs()[1] == 1


def test_a_vanished_store_is_one_sentence(lab: AppTest, home: Path) -> None:
    at = lab.run()
    shutil.rmtree(home)
    home.write_text("not a folder")
    start = time.monotonic()
    at.run()
    assert not at.exception
    assert at.error
    assert time.monotonic() - start < 30
