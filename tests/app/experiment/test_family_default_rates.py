"""A learning rate starts where it suits the family; what is typed stays."""

from streamlit.testing.v1 import AppTest

from app.client import client
from app.experiment import family_default_rates
from engine.contract.cards import card_for_family
from tests.app.conftest import open_settings

RATE = "k.learner.{}.lr"


def chosen(at: AppTest, family: str) -> AppTest:
    at.selectbox(key="k.family").select(family).run()
    assert not at.exception
    return at


def test_a_rate_at_its_default_moves_with_the_family(lab: AppTest) -> None:
    at = chosen(lab.run(), "quadratic")
    known = client.catalogue()
    for label, group in (("lr_scale", "Learners"), ("sgd", "Baselines")):
        open_settings(at, group)
        card = known.card("learner", label)
        rate = next(k for k in card.knobs if k.name == "lr")
        assert rate.default == 0.3
        field = at.number_input(key=RATE.format(label))
        assert field.value == 0.009
        assert "default 0.009" in field.help.replace("\\", "")
    open_settings(chosen(at, "mixtures"), "Baselines")
    assert at.number_input(key=RATE.format("sgd")).value == 0.3


def test_a_rate_that_was_typed_stays(lab: AppTest) -> None:
    at = open_settings(lab.run(), "Learners")
    at.number_input(key=RATE.format("lr_scale")).set_value(0.07).run()
    for family in ("quadratic", "sinusoid", "mixtures"):
        open_settings(chosen(at, family), "Learners")
        assert at.number_input(key=RATE.format("lr_scale")).value == 0.07


def test_a_learner_that_is_turned_on_later_starts_suited(lab: AppTest) -> None:
    at = chosen(lab.run(), "quadratic")
    baselines = [*at.session_state["k.baselines"], "momentum"]
    at.session_state["k.baselines"] = baselines
    open_settings(at, "Baselines")
    known = client.catalogue()
    card = card_for_family(
        known.card("learner", "momentum"), known.card("family", "quadratic")
    )
    rate = next(k for k in card.knobs if k.name == "lr")
    assert at.number_input(key=RATE.format("momentum")).value == rate.default


def test_a_loaded_experiment_keeps_its_rates(lab: AppTest) -> None:
    at = chosen(lab.run(), "quadratic")
    at.selectbox(key="preset").select("default").run()
    open_settings(at, "Baselines")
    assert at.number_input(key=RATE.format("sgd")).value == 0.3


def test_only_what_stood_at_the_default_changes(lab: AppTest) -> None:
    form = {
        "k.suits": "mixtures",
        "k.family": "quadratic",
        "k.chosen": ["lr_scale"],
        RATE.format("lr_scale"): 0.3,
        RATE.format("sgd"): 0.31,
        RATE.format("a.dotted.label"): 0.3,
    }
    lab.run()
    changed = family_default_rates.refit_defaults(form, client.catalogue().card)
    assert changed == {"k.suits": "quadratic", RATE.format("lr_scale"): 0.009}


def test_a_label_with_dots_is_one_learner_of_the_form() -> None:
    form = {RATE.format("a.b"): 0.3, "k.learner.a.b.schedule": "cosine"}
    assert family_default_rates._known_labels(form) == ["a.b"]


def test_the_start_of_a_net_moves_with_the_family(lab: AppTest) -> None:
    start = "k.net.mlp.start"
    form = {"k.suits": "mixtures", "k.family": "sinusoids", start: "he"}
    lab.run()
    cards = client.catalogue().card
    changed = family_default_rates.refit_defaults(form, cards)
    assert changed[start] == "torch_default"
    kept = family_default_rates.refit_defaults(form | {start: "glorot"}, cards)
    assert start not in kept
