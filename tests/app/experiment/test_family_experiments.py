"""With another family of environments come baselines and a budget that suit it."""

from typing import Any

import pytest

from app.client.catalogue import Catalogue
from app.experiment import compatibility, spec_mapping
from engine.contract.run_spec import complete_spec


def form_of(known: Catalogue, preset: str, family: str, **changes: Any) -> Any:
    """Return the form after a preset was loaded, changed, and its family changed."""
    spec = complete_spec(known.preset(preset).spec, known.card, "cpu")
    form = spec_mapping.spec_to_form(spec) | changes | {"k.family": family}
    return form | compatibility.refit_form(form, known)


def test_from_a_bandit_to_a_grid_baselines_and_budget_follow(known: Catalogue) -> None:
    form = form_of(known, "bandit", "gridworld")
    shipped = known.preset("gridworld_memory").spec
    assert form["k.chosen"] == ["rl2"]
    assert form["k.baselines"] == ["psrl", "oracle", "random_actions"]
    assert form["k.budget.horizon"] == shipped.budget.horizon
    assert form["k.budget.tasks_per_step"] == shipped.budget.tasks_per_step
    spec = complete_spec(spec_mapping.form_to_spec(form, known.card), known.card, "cpu")
    assert spec.family.name == "gridworld" and len(spec.learners) == 4


def test_the_primary_question_follows_there_and_back(known: Catalogue) -> None:
    """An oracle is never beaten: a question against it would be answered already."""
    form = form_of(known, "bandit", "gridworld")
    assert form["k.rival"] == "psrl"
    back = form | {"k.suits": "gridworld", "k.family": "bernoulli_bandit"}
    assert (back | compatibility.refit_form(back, known))["k.rival"] == "thompson"
    own = form_of(known, "bandit", "gridworld", **{"k.rival": "random_actions"})
    assert own["k.rival"] == "random_actions"


def test_no_experiment_asks_whether_an_agent_beats_the_oracle(known: Catalogue) -> None:
    with_oracle = [
        preset.spec
        for preset in known.presets
        if any(each.name == "oracle" for each in preset.spec.learners)
    ]
    assert with_oracle
    assert all(spec.rival not in ("", "oracle") for spec in with_oracle)


def test_what_the_user_changed_stays(known: Catalogue) -> None:
    changes = {"k.budget.horizon": 7, "k.baselines": ["oracle", "random_actions"]}
    form = form_of(known, "bandit", "gridworld", **changes)
    assert form["k.budget.horizon"] == 7
    assert form["k.baselines"] == ["oracle", "random_actions"]
    assert form["k.budget.test_tasks"] == 128


def test_a_family_without_an_experiment_has_the_budget_of_one_like_it(
    known: Catalogue,
) -> None:
    form = form_of(known, "gridworld_memory", "gaussian_bandit")
    assert form["k.budget.horizon"] == known.preset("bandit").spec.budget.horizon
    # Those of the experiment on another family might not be able to play.
    assert form["k.baselines"] == ["oracle", "random_actions"]


def test_baselines_come_with_their_knobs(known: Catalogue) -> None:
    form = form_of(known, "bandit", "cartpole")
    shipped = known.preset("cartpole").spec
    baselines = {e.label: e for e in shipped.learners if e.role == "baseline"}
    assert set(form["k.baselines"]) == set(baselines) - set(form["k.chosen"])
    for label in form["k.baselines"]:
        for name, value in baselines[label].knobs.items():
            assert form[f"k.learner.{label}.{name}"] == value


def test_families_of_other_kinds_keep_the_budget(known: Catalogue) -> None:
    form = form_of(known, "default", "quadratic")
    assert form["k.budget.horizon"] == known.preset("default").spec.budget.horizon


@pytest.mark.parametrize(
    ("learners", "needed"), [(["rl2", "psrl"], False), (["rl2", "maml_rl"], True)]
)
def test_a_net_that_no_learner_uses_is_not_asked_for(
    known: Catalogue, learners: list[str], needed: bool
) -> None:
    form = {"k.family": "gridworld", "k.chosen": learners, "k.baselines": []}
    assert compatibility.needs_net(form, known) is needed


def test_knobs_of_training_nets_are_for_optimizers_alone(known: Catalogue) -> None:
    knobs = {knob.name: knob.only for knob in known.card("net", "mlp").knobs}
    assert {name for name, only in knobs.items() if only == "optimization"} == {
        "batch_size",
        "weight_decay",
        "clip",
    }
