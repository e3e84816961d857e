"""The form says the truth: what is invalid never runs, and changes are marked."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import share_links
from app.client import client, recorded_examples
from app.client.catalogue import Catalogue
from app.experiment import form_differences, spec_mapping
from app.form import all_settings
from app.views.run.robustness.frozen_start import start_from_frozen
from engine.contract.jobs import JobState
from engine.contract.kinds import KINDS, Kind
from engine.contract.run_keys import run_key
from engine.contract.run_spec import RunSpec, complete_spec
from engine.export import export_archive
from engine.store import Store
from tests.app.conftest import open_settings
from tests.app.views.run.test_run_page import run_it, texts

HORIZON = "k.budget.horizon"


def refusals(at: AppTest) -> list[str]:
    """Return the reasons that stand beside Run."""
    return [error.value.replace("\\", "") for error in at.error]


@pytest.mark.parametrize(
    ("typed", "told"), [(0.0, "0"), (2.5, "2.5"), (1e20, "100"), (None, "empty")]
)
def test_a_number_outside_its_range_stands_beside_run_and_never_runs(
    lab: AppTest, typed: float | None, told: str
) -> None:
    at = open_settings(lab.run(), "Budget")
    box = at.number_input(key=HORIZON)
    # The browser keeps to itself what a box forbids, and the old value would run.
    assert (box.proto.has_min, box.proto.has_max, box.value) == (False, False, 50)
    box.set_value(typed)
    open_settings(at, "Budget")
    assert not at.exception
    reason, again = refusals(at)
    assert reason == again  # beside Run, and beside that of all settings
    assert reason.startswith("Horizon must be a whole number from 1 to 5000")
    assert told in reason.partition("5000")[2]
    assert at.button(key="run_button").disabled
    at.session_state["run_asked"] = True  # as when Run was pressed in that moment
    at.run()
    assert client.jobs()[1] == 1
    open_settings(at, "Budget")
    at.number_input(key=HORIZON).set_value(20).run()
    assert not refusals(at)
    assert not at.button(key="run_button").disabled


def test_a_refusal_names_the_learner_whose_knob_it_is(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Learners")
    at.number_input(key="k.learner.lr_scale.hidden").set_value(0.0).run()
    assert any(reason.startswith("LR scale: Hidden") for reason in refusals(at))


def test_values_stay_when_all_settings_are_closed(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Budget")
    at.number_input(key=HORIZON).set_value(21).run()
    at.button(key="close_settings").click().run()
    assert HORIZON not in {box.key for box in at.number_input}
    assert at.session_state[HORIZON] == 21
    run_it(at)
    (job, *_), _ = client.jobs([JobState.QUEUED])
    assert client.spec(job.key).budget.horizon == 21


def test_what_was_changed_is_marked_and_can_be_taken_back(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Budget")
    assert "•" not in at.number_input(key=HORIZON).label
    at.number_input(key=HORIZON).set_value(21)
    at.text_input(key="k.seed").set_value("8")
    open_settings(at, "Budget")
    assert at.number_input(key=HORIZON).label == "Horizon (steps) •"
    assert "It was 50" in at.number_input(key=HORIZON).help
    assert "Changed: seed, horizon" in texts(at)
    label = at.button(key=f"undo.{HORIZON}").label
    assert label.replace("\\", "") == "Horizon: 50 → 21"
    at.button(key=f"undo.{HORIZON}").click().run()
    assert at.session_state[HORIZON] == 50
    at.button(key="reset_form").click().run()
    assert not at.exception
    assert at.session_state["k.seed"] == "7"
    assert "Changed:" not in texts(at)


def test_every_group_of_settings_can_be_drawn_for_every_kind(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = all_settings._groups

    def draw_all(known: Catalogue, kind: Kind) -> dict[str, all_settings.Draw]:
        def draw(known: Catalogue, kind: Kind) -> None:
            for each in groups(known, kind).values():
                each(known, kind)

        return {"All": draw}

    monkeypatch.setattr(all_settings, "_groups", draw_all)
    at = open_settings(lab.run(), "All")
    for kind in KINDS:
        at.segmented_control(key="k.kind").set_value(kind).run()
        assert not at.exception, kind
        assert len(at.number_input) > 8


def test_an_estimator_that_does_not_fit_is_replaced_unseen(
    lab: AppTest, known: Catalogue
) -> None:
    at = lab.run()
    able = known.card("learner", "lstm").traits["estimators"]
    at.session_state["k.estimator"] = "no such estimator"
    at.session_state["k.chosen"] = ["lstm"]
    at.run()
    assert at.session_state["k.estimator"] in able
    assert not at.button(key="run_button").disabled


def test_the_form_differs_from_the_result_in_view(
    lab: AppTest, key: str, tiny: RunSpec
) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    assert "The form differs" not in texts(at)
    at.text_input(key="k.seed").set_value("99").run()
    assert "The form differs:** seed." in texts(at)
    at.button(key="show_in_form").click().run()
    assert at.session_state["k.seed"] == str(tiny.seed)
    assert "The form differs" not in texts(at)
    at.text_input(key="k.seed").set_value("99").run()
    at.button(key="run_form").click().run()
    assert not at.exception
    assert "The form differs" not in texts(at)
    (job,), _ = client.jobs([JobState.QUEUED])
    assert client.spec(job.key).seed == 99


def test_a_link_without_results_shows_its_own_kind_and_no_verdict(
    lab: AppTest, known: Catalogue
) -> None:
    spec = next(p.spec for p in known.presets if p.name == "few_shot")
    lab.query_params["x"] = share_links.pack(spec)
    at = lab.run()
    assert not at.exception
    assert at.session_state["k.kind"] == "few_shot"
    assert "Not computed here yet" in texts(at)
    assert "Compared with" in texts(at)
    assert "verdict-line" not in texts(at)
    assert known.card("family", spec.family.name).title in texts(at)


def test_each_kind_shows_its_own_last_run(lab: AppTest, key: str) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    at.segmented_control(key="k.kind").set_value("search").run()
    assert "verdict-line" not in texts(at)
    at.segmented_control(key="k.kind").set_value("optimization").run()
    assert "verdict-line" in texts(at)
    assert at.query_params["run"] == key


def test_differences_name_the_part_and_the_knob(known: Catalogue) -> None:
    spec = complete_spec(known.presets[0].spec, known.card, "cpu")
    learner = spec.learners[0]
    knobs = learner.knobs | {"hidden": learner.knobs["hidden"] + 1}
    other = spec.model_copy(
        update={
            "learners": (
                learner.model_copy(update={"knobs": knobs}),
                *spec.learners[1:],
            ),
            "budget": spec.budget.model_copy(update={"horizon": 7}),
        }
    )
    one, two = (spec_mapping.spec_to_form(each) for each in (spec, other))
    found = form_differences.form_differences(two, one, known.card)
    keys = {f"k.learner.{learner.label}.hidden", HORIZON}
    assert {each.key for each in found} == keys
    assert found[-1].now == "7"
    assert not form_differences.form_differences(one, one, known.card)


def test_the_recorded_example_stands_for_the_default_experiment_alone(
    lab: AppTest, known: Catalogue, home: Path, key: str
) -> None:
    recorded_examples.FOLDER.mkdir()
    archive = export_archive(Store.open(home), key)
    (recorded_examples.FOLDER / "optimization.zip").write_bytes(archive)
    at = lab.run()
    # The example's own settings are others than the form's, and that is said.
    assert "This is a recorded example. **The form differs:**" in texts(at)
    at.selectbox(key="preset").select("default").run()
    assert "verdict-line" in texts(at)
    at.selectbox(key="preset").select("long").run()
    assert "verdict-line" not in texts(at)
    assert known.preset("long").title in texts(at)
    run_it(at)
    (job,), _ = client.jobs([JobState.QUEUED])
    assert job.title == known.preset("long").title


def test_a_recorded_example_differs_in_more_than_its_effort_or_nothing_is_said(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Path(recorded_examples.__file__).parents[1] / "recorded"
    monkeypatch.setattr(recorded_examples, "FOLDER", shipped)
    at = lab.run()
    assert "an example: one batch of 8 replicates" in texts(at)
    assert "not what the link names" not in texts(at)
    assert "The form differs" not in texts(at)
    at.text_input(key="k.seed").set_value("99").run()
    assert "This is a recorded example. **The form differs:** seed." in texts(at)


def test_a_bad_link_does_not_pass_off_the_recorded_example_as_its_own(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Path(recorded_examples.__file__).parents[1] / "recorded"
    monkeypatch.setattr(recorded_examples, "FOLDER", shipped)
    lab.query_params["run"] = "ab" * 32
    assert "Below is a recorded example, not what the link names." in texts(lab.run())


def test_a_frozen_learner_says_where_it_comes_from(
    lab: AppTest, home: Path, key: str, tiny: RunSpec, known: Catalogue
) -> None:
    carried = start_from_frozen(tiny, key, "lr_scale", "moons")
    spec = complete_spec(carried, known.card, "cpu")
    Store.open(home).submit(spec, run_key(spec, known.card), "Carried")
    lab.query_params["run"] = run_key(spec, known.card)
    at = lab.run()
    assert not at.exception
    family = known.card("family", tiny.family.name).title
    assert f"starts frozen, as meta-trained on {family}" in texts(at)
    at.button(key="origin.lr_scale").click().run()
    assert not at.exception
    assert at.query_params["run"] == key
    assert at.session_state["k.family"] == tiny.family.name


def test_only_selected_learners_are_said_to_start_frozen(
    lab: AppTest, key: str, tiny: RunSpec, known: Catalogue
) -> None:
    carried = start_from_frozen(tiny, key, "lr_scale", "moons")
    lab.query_params["x"] = share_links.pack(complete_spec(carried, known.card, "cpu"))
    at = lab.run()
    assert "LR scale starts frozen" in texts(at)
    at.multiselect(key="k.chosen").set_value(["sigmoid"]).run()
    assert not at.exception
    assert "frozen" not in texts(at)
    at.multiselect(key="k.chosen").set_value(["lr_scale"]).run()
    assert "LR scale starts frozen" in texts(at)


def test_a_run_that_is_deleted_while_in_view_leaves_its_settings(
    lab: AppTest, key: str, tiny: RunSpec
) -> None:
    lab.query_params["run"] = key
    at = lab.run()
    assert "verdict-line" in texts(at)
    client.delete(key)  # in another tab of the browser
    at.run()
    assert not at.exception
    assert not at.error
    assert "The run that was in view is deleted" in texts(at)
    assert "run" not in at.query_params
    assert at.session_state[HORIZON] == tiny.budget.horizon
    assert not at.button(key="run_button").disabled
