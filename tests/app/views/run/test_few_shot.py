"""Few-shot runs go through the same pages as any other."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import share_links
from app.charts import few_shot, optimization
from app.charts.chart_options import ViewState
from app.client import catalogue as shelves
from app.client import client, files, own_files
from app.experiment import cost_estimate, derived_experiments
from app.experiment.costs import COSTS
from app.figures.theme import learner_name
from app.views.run import run_tables, untested_conditions
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
from engine.data.user.image_preparation import ImageChoices
from engine.stats.block_table import BlockTable
from engine.stats.summaries.comparison_table import make_comparison
from tests.app.conftest import finish, open_lab, open_settings
from tests.app.views.run.test_reproduce import assert_everything_leaves
from tests.app.views.run.test_run_page import (
    charts,
    every_section,
    open_section,
    texts,
)
from tests.data.user.images import folders, packed

SMALL = Budget(
    task_evaluations=8,
    tasks_per_step=2,
    validation_tasks=2,
    validate_every=2,
    test_tasks=3,
    horizon=3,
    tuning_tasks=2,
)


def learner(name: str, role: str = "chosen", **knobs: object) -> LearnerChoice:
    return LearnerChoice(name=name, label=name, role=role, knobs=knobs)


@pytest.fixture(scope="session")
def few() -> RunSpec:
    spec = RunSpec(
        family=Choice(name="gaussian_classes", knobs={"queries": 3}),
        net=Choice(name="mlp", knobs={"width": 8}),
        learners=(
            learner("protonet"),
            learner("maml"),
            learner("raw_neighbor", "baseline"),
        ),
        shifts=(
            ShiftChoice(name="shots", severities=(5.0,)),
            ShiftChoice(name="ways", severities=(3.0,)),
        ),
        budget=SMALL,
        replicates=2,
    )
    return complete_spec(spec, find_card, "cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, few: RunSpec) -> tuple[Path, str]:
    """In the place of the lab's own run: all fixtures of a page stand on this one."""
    home = tmp_path_factory.mktemp("few") / "home"
    return home, finish(home, few)


@pytest.fixture
def run(home: Path, key: str) -> client.Run:
    return client.run(key)


@pytest.fixture
def lab(home: Path) -> AppTest:
    return open_lab()


def opened(lab: AppTest, key: str) -> AppTest:
    lab.query_params["run"] = key
    at = lab.run()
    assert not at.exception
    return at


def switched(lab: AppTest, kind: str = "few_shot") -> AppTest:
    at = lab.run()
    at.segmented_control(key="k.kind").set_value(kind).run()
    assert not at.exception
    return at


def test_another_kind_comes_with_its_own_default_and_only_what_fits(
    lab: AppTest, known: shelves.Catalogue
) -> None:
    at = switched(lab)
    spec = derived_experiments.default_experiment(known, "few_shot")
    assert at.session_state["k.family"] == spec.family.name
    families = {
        c.title for c in known.cards_of("family") if c.traits["kind"] == "few_shot"
    }
    offered = {o.split(" · ")[0] for o in at.selectbox(key="k.family").options}
    assert offered == families
    assert "MAML · gradient" in at.multiselect(key="k.chosen").options
    assert not any("LR scale" in o for o in at.multiselect(key="k.chosen").options)
    assert "SGD" not in at.multiselect(key="k.baselines").options
    assert "k.estimator" not in {box.key for box in at.selectbox}
    back = at.segmented_control(key="k.kind").set_value("optimization").run()
    assert not back.exception
    assert back.session_state["k.family"] == "mixtures"
    assert "LR scale" in at.multiselect(key="k.chosen").options


def test_learners_of_all_groups_are_chosen_in_the_order_of_choice(
    lab: AppTest,
) -> None:
    at = switched(lab)
    assert at.session_state["k.chosen"] == ["maml"]
    for name in ("snail", "platipus"):
        at.multiselect(key="k.chosen").select(name).run()
    assert at.session_state["k.chosen"] == ["maml", "snail", "platipus"]
    at.multiselect(key="k.chosen").unselect("maml").run()
    assert not at.exception
    assert at.session_state["k.chosen"] == ["snail", "platipus"]


def test_a_learner_keeps_its_title_beside_a_net_of_the_same_name(
    lab: AppTest, run: client.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.run()
    monkeypatch.setattr(client, "is_catalogue_ready", lambda: True)
    titles = client.part_titles()
    assert titles["transformer"] == find_card("learner", "transformer").title
    assert titles["lstm"] == find_card("learner", "lstm").title


def test_learners_that_cannot_answer_go_with_the_family(
    lab: AppTest, few: RunSpec
) -> None:
    lab.query_params["x"] = share_links.pack(few)
    at = lab.run()
    assert at.session_state["k.chosen"] == ["protonet", "maml"]
    at.selectbox(key="k.family").select("sinusoids").run()
    assert not at.exception
    assert at.session_state["k.chosen"] == ["maml"]
    assert not any("ProtoNet" in o for o in at.multiselect(key="k.chosen").options)
    assert not at.button(key="run_button").disabled


def test_the_budget_is_in_episodes(lab: AppTest) -> None:
    at = open_settings(switched(lab), "Budget")
    labels = {box.label for box in at.number_input}
    assert {"Meta-training budget (episodes)", "Inner steps shown"} <= labels
    assert not any("Threshold" in label for label in labels)


def test_the_cost_of_a_run_is_shown_in_episodes(few: RunSpec) -> None:
    each = few.replicates * (SMALL.task_evaluations + 3 * SMALL.test_tasks)
    assert COSTS["few_shot"].estimate_cost(few) == len(few.learners) * each
    assert cost_estimate.describe_cost(few, kinds.FEW_SHOT) == "About 102 episodes."


def test_shipped_experiments_are_those_of_the_kind(
    lab: AppTest, known: shelves.Catalogue
) -> None:
    at = switched(lab)
    shown = set(at.selectbox(key="preset").options)
    ours = {p.title for p in known.presets if _episodes(known, p.spec)}
    assert shown == ours
    assert len(ours) < len(known.presets)


def _episodes(known: shelves.Catalogue, spec: RunSpec) -> bool:
    return known.kind_of(spec.family.name) == "few_shot"


def test_a_link_to_episodes_fills_the_form_of_their_kind(
    lab: AppTest, few: RunSpec
) -> None:
    fresh = few.model_copy(update={"seed": 4711})
    lab.query_params["x"] = share_links.pack(fresh)
    at = lab.run()
    assert not at.exception
    assert at.session_state["k.kind"] == "few_shot"
    assert at.session_state["k.seed"] == "4711"
    assert not at.button(key="run_button").disabled
    assert client.jobs()[1] == 1


def test_a_link_to_what_cannot_run_together_is_one_sentence(
    lab: AppTest, few: RunSpec
) -> None:
    mixed = few.model_copy(update={"learners": (*few.learners, learner("lr_scale"))})
    lab.query_params["x"] = share_links.pack(mixed)
    at = lab.run()
    assert not at.exception
    assert "LR scale does not fit Few-shot Gaussians" in texts(at)
    assert at.button(key="run_button").disabled


def test_a_finished_run_shows_its_pictures_and_its_verdict(
    lab: AppTest, key: str
) -> None:
    at = opened(lab, key)
    said = texts(at)
    assert "verdict-line" in said
    for title in ("by inner step", "by shots", "Before and after", "Meta-training"):
        assert title in said, title
    assert "2 replicates × 3 episodes" in said
    assert charts(at) >= 5


def test_every_section_of_it_can_be_drawn(lab: AppTest, key: str) -> None:
    at = opened(lab, key)
    found = every_section(at, key)
    assert "Published" not in [section for _, section in found]
    for tab, section in found:
        open_section(at, tab, section)
        assert not at.exception, (tab, section)


def test_what_is_not_applicable_is_listed_with_its_reason(
    lab: AppTest, key: str, run: client.Run
) -> None:
    (line,) = untested_conditions.not_applicable_lines(run, {"ways": "Other ways"})
    assert line.startswith("MAML under Other ways 3: its head was trained for 5 ways")
    assert "Not applicable: MAML" in texts(opened(lab, key))


def test_a_label_that_reads_like_a_shift_is_a_learner_in_the_remarks(
    run: client.Run,
) -> None:
    told = {
        "remarks": {"shift:ways 3": "too few classes"},
        "remarks in place": {"shift:a": "no room", "compile:b": "no room"},
        "remarks compile compile:b": {"compile:compile:b": "no compiler"},
    }
    lines = list(
        untested_conditions.not_applicable_lines(
            replace(run, remarks=told), {"ways": "Other ways"}
        )
    )
    assert [line.partition(": ")[0] for line in lines[:1]] == ["Other ways 3"]
    assert lines[1:] == [
        f"{learner_name('shift:a')}, {learner_name('compile:b')}: no room.",
        f"compiling {learner_name('compile:b')}: no compiler.",
    ]


def test_looking_inside_files_no_run(lab: AppTest, key: str) -> None:
    at = opened(lab, key)
    assert "log" not in [toggle.key for toggle in at.toggle]  # shares stay linear
    at.session_state["few_shot_curves"] = "inside"
    at.run()
    at.toggle(key="log").set_value(False).run()
    assert not at.exception
    assert "Query loss by inner step" in texts(at)
    assert client.jobs()[1] == 1


def test_a_condition_can_be_chosen(lab: AppTest, key: str) -> None:
    at = opened(lab, key)
    places = at.selectbox(key="where").options
    assert len(places) > 1
    for place in (places[-1], places[0]):
        at.selectbox(key="where").select(place).run()
        assert not at.exception, place


def test_in_distribution_is_drawn_at_the_familys_own_shots(run: client.Run) -> None:
    lines = optimization.severity_curves(run, "final_accuracy")
    own = run.spec.family.knobs["shots"]
    for line in lines["shots"]:
        assert line.x.tolist() == [own, 5.0]
    here = BlockTable(run.blocks).test_values("protonet", "final_accuracy")
    first = next(line for line in lines["shots"] if line.learner == "protonet")
    assert first.mean[0] == pytest.approx(here.mean())


def test_a_learner_without_steps_is_a_level_line(run: client.Run) -> None:
    made = few_shot.answer_chart(run, ViewState())
    line = next(t for t in made.data if t.uid == "protonet:mean")
    assert len(set(line.y)) == 1
    assert line.x[0] == 0
    assert line.x[-1] == max(t.x[-1] for t in made.data if t.uid == "maml:mean")


def test_the_mark_is_at_the_step_of_the_answer(run: client.Run) -> None:
    made = few_shot.answer_chart(run, ViewState())
    (mark,) = [t for t in made.data if t.uid == "maml:answer"]
    knobs = next(e.knobs for e in run.spec.learners if e.label == "maml")
    assert mark.x[0] == (knobs["test_steps"] or knobs["inner_steps"])


def test_while_it_learns_every_validation_is_seen(run: client.Run) -> None:
    kept = tuple(b for b in run.blocks if b.phase in ("train", "validate"))
    alive = replace(run, blocks=kept)
    made = {p.name: p.figure for p in few_shot.main_charts(alive, ViewState())}
    assert {"validation", "training"} <= set(made)
    lines = {t.uid: t for t in made["validation"].data}
    wrong = BlockTable(kept).series("maml", "validate", "validation_error")
    right = 1 - wrong.values.mean(0)
    assert lines["maml:mean"].y.tolist() == pytest.approx(right.tolist())


def test_the_table_names_both_spreads(run: client.Run) -> None:
    made = make_comparison(BlockTable(run.blocks), run.spec)
    told = run_tables.describe_spreads(made)
    assert "E = 3 test episodes" in told
    assert "2 trainings" in told


def test_the_tables_files_are_the_command_lines(run: client.Run) -> None:
    assert files.comparison_file(run, "comparison.csv", {}).startswith(
        b"learner,name,role"
    )
    assert rb"\begin{tabular}" in files.comparison_file(run, "comparison.tex", {})


def test_published_rows_are_shown_beside_ours(
    lab: AppTest, home: Path, key: str, run: client.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.published import figures_for_task

    monkeypatch.setattr(
        run_tables, "figures_for_run", lambda spec: figures_for_task("omniglot", 5, 1)
    )
    at = open_section(opened(lab, key), "Evidence", "Published")
    rows = at.dataframe[0].value.to_dict("records")
    protonet = [r for r in rows if r["Method"] == "Prototypical networks"]
    assert protonet[0]["Published"] == "98.8 %"
    assert "±" in protonet[0]["Here"]
    siamese = [r for r in rows if r["Method"].startswith("Siamese")]
    assert siamese[0]["Here"] == "–"


def test_two_few_shot_runs_are_compared_by_their_answers(
    home: Path, few: RunSpec, lab: AppTest
) -> None:
    finish(home, few.model_copy(update={"seed": 8}))
    keys = [job.key for job in client.jobs()[0]]
    assert len(keys) == 2
    seen = lab.switch_page("../pages/compare.py")
    seen.query_params["runs"] = ",".join(keys)
    seen.run()
    assert not seen.exception
    assert "Query accuracy" in seen.selectbox(key="compare_metric").options


def test_a_learner_of_classes_is_not_offered_functions(lab: AppTest, key: str) -> None:
    at = open_section(opened(lab, key), "Robustness", "Use this learner")
    offered = at.selectbox(key="frozen_family").options
    assert offered
    assert not any("Sinusoid" in title for title in offered)


@pytest.mark.parametrize("slot", ["learner", "family", "net", "shift", "outer"])
def test_every_part_lands_in_an_experiment_of_its_kind_that_can_run(
    home: Path, known: shelves.Catalogue, slot: str
) -> None:
    here = [
        card
        for card in known.cards_of(slot)
        if not (card.missing or card.traits.get("needs_file"))
    ]
    assert len(here) > 1
    for card in here:
        spec = derived_experiments.experiment_with_part(card, known, "few_shot")
        full, _ = client.complete_with_key(spec)
        kind = known.kind_of(full.family.name)
        assert kind in card.solves, card.name
        family = known.card("family", full.family.name)
        parts = [known.card("learner", e.name) for e in full.learners]
        if family.traits["uses_net"]:
            parts.append(known.card("net", full.net.name))
        assert all(kind in part.solves for part in parts), card.name
        named = [*full.learners, *full.shifts, full.family, full.net, full.outer]
        assert card.name in {choice.name for choice in named}
        answers = [p.traits["answers"] for p in parts if p.slot == "learner"]
        if kind == "few_shot":
            assert answers
            assert all(family.traits["output"] in given for given in answers)


def test_own_images_ask_for_an_archive_first(lab: AppTest) -> None:
    at = switched(lab)
    at.selectbox(key="k.family").select("own_images").run()
    assert not at.exception
    assert "choose an archive first" in texts(at)
    assert at.button(key="run_button").disabled
    assert at.button(key="own_open").label == "Choose an archive"


def test_own_images_are_kept_and_sized_by_what_their_classes_give(home: Path) -> None:
    ready = own_files.prepare_images(packed(folders(8, 6)), ImageChoices())
    assert len(own_files.store_images(ready, "mine.zip")) == 64
    sizes = own_files.image_fields(ready.archive)
    assert sizes == {"use": "split", "ways": 2, "shots": 2, "queries": 4}


def test_every_figure_and_the_report_leave(run: client.Run) -> None:
    assert_everything_leaves(run)
