import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.client.catalogue import Catalogue
from app.experiment import compatibility, spec_mapping
from engine.contract.errors import Refused
from engine.contract.run_keys import run_key
from engine.contract.run_spec import LearnerChoice, RunSpec, ShiftChoice, complete_spec
from engine.presets import PRESETS


def back(spec: RunSpec, known: Catalogue) -> RunSpec:
    made = spec_mapping.form_to_spec(spec_mapping.spec_to_form(spec), known.card)
    return complete_spec(made, known.card, "cpu")


@pytest.mark.parametrize("shipped", PRESETS, ids=lambda preset: preset.name)
def test_a_shipped_experiment_goes_through_the_form_unchanged(
    shipped: object, known: Catalogue
) -> None:
    full = complete_spec(shipped.spec, known.card, "cpu")
    assert run_key(back(full, known), known.card) == run_key(full, known.card)


def test_two_learners_of_one_part_keep_their_own_knobs(
    tiny: RunSpec, known: Catalogue
) -> None:
    twins = (
        LearnerChoice(name="lr_scale", label="small", knobs={"hidden": 4}),
        LearnerChoice(name="sgd", label="sgd", role="baseline"),
        LearnerChoice(name="lr_scale", label="large", knobs={"hidden": 32}),
    )
    full = complete_spec(tiny.model_copy(update={"learners": twins}), known.card, "cpu")
    again = back(full, known)
    assert [e.label for e in again.learners] == ["small", "sgd", "large"]
    assert again == full


def test_one_shift_twice_keeps_both(tiny: RunSpec, known: Catalogue) -> None:
    shifts = (
        ShiftChoice(name="stretch", severities=(1.0,)),
        ShiftChoice(name="stretch", severities=(2.0, 2.5)),
    )
    full = complete_spec(tiny.model_copy(update={"shifts": shifts}), known.card, "cpu")
    assert back(full, known) == full


@pytest.mark.parametrize("typed", ["", " ", ",,;"])
def test_severities_that_are_emptied_are_refused_rather_than_replaced(
    tiny: RunSpec, known: Catalogue, typed: str
) -> None:
    shifts = (ShiftChoice(name="stretch", severities=(1.0,)),)
    spec = tiny.model_copy(update={"shifts": shifts})
    form = spec_mapping.spec_to_form(complete_spec(spec, known.card, "cpu"))
    form["k.shift.stretch.severities"] = typed
    with pytest.raises(Refused, match="Severities of Stretch"):
        spec_mapping.form_to_spec(form, known.card)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_spec_goes_through_the_form_unchanged(
    data: st.DataObject, tiny: RunSpec, known: Catalogue
) -> None:
    shifts = data.draw(
        st.lists(st.sampled_from([*known.cards_of("shift")]), max_size=4)
    )
    tops = [float(card.traits.get("top", 1.0)) for card in shifts]
    spec = tiny.model_copy(
        update={
            "seed": data.draw(st.integers(0, 2**63 - 1)),
            "replicates": data.draw(st.integers(1, 64)),
            "compile": data.draw(st.booleans()),
            "shifts": tuple(
                ShiftChoice(
                    name=card.name,
                    severities=(round(data.draw(st.floats(0, top)), 4),),
                )
                for card, top in zip(shifts, tops, strict=True)
            ),
            "test_families": tuple(
                tiny.family.model_copy(update={"name": card.name, "knobs": {}})
                for card in data.draw(
                    st.lists(
                        st.sampled_from(list(known.cards_of("family"))),
                        max_size=3,
                    )
                )
            ),
        }
    )
    full = complete_spec(spec, known.card, "cpu")
    assert back(full, known) == full


LOOKS = [(), (8,), (4, 8, 12), (8, 16, 20), (4, 5, 17)]


@pytest.mark.parametrize("looks", LOOKS, ids=str)
def test_every_effort_goes_through_the_form_unchanged(
    looks: tuple[int, ...], tiny: RunSpec, known: Catalogue
) -> None:
    asked = {"looks": looks, "replicates": looks[-1] if looks else 5}
    full = complete_spec(tiny.model_copy(update=asked), known.card, "cpu")
    assert back(full, known) == full


def test_other_batches_replace_those_that_a_link_brought(
    tiny: RunSpec, known: Catalogue
) -> None:
    uneven = tiny.model_copy(update={"looks": (4, 5, 17), "replicates": 17})
    form = spec_mapping.spec_to_form(uneven)
    made = spec_mapping.form_to_spec(form | {"k.ceiling": 12}, known.card)
    assert (made.looks, made.replicates) == ((4, 8, 12), 12)


def test_an_old_spec_opens_with_its_number_of_replicates_fixed(tiny: RunSpec) -> None:
    form = spec_mapping.spec_to_form(tiny)
    assert (form["k.effort"], form["k.replicates"]) == ("fixed", tiny.replicates)


@pytest.mark.parametrize(
    ("field", "typed"), [("batch", 0), ("ceiling", 513), ("replicates", 1.5)]
)
def test_a_number_of_replicates_that_is_not_allowed_is_refused(
    field: str, typed: float, tiny: RunSpec, known: Catalogue
) -> None:
    effort = "fixed" if field == "replicates" else "until-decided"
    form = spec_mapping.spec_to_form(tiny)
    form |= {"k.effort": effort, f"k.{field}": typed}
    with pytest.raises(Refused, match="must be a whole number from 1 to 512"):
        spec_mapping.form_to_spec(form, known.card)


def test_the_rival_is_one_of_the_other_learners_or_the_strongest(
    tiny: RunSpec, known: Catalogue
) -> None:
    full = complete_spec(tiny.model_copy(update={"rival": "sgd"}), known.card, "cpu")
    assert back(full, known).rival == "sgd"
    form = spec_mapping.spec_to_form(full)
    assert spec_mapping.possible_rivals(form) == ["sgd", "sgd_tuned"]
    form["k.baselines"] = ["sgd_tuned"]
    assert spec_mapping.form_to_spec(form, known.card).rival == ""


def test_a_compiled_run_is_another_run_and_an_eager_one_keeps_its_key(
    tiny: RunSpec, known: Catalogue
) -> None:
    compiled = tiny.model_copy(update={"compile": True})
    assert run_key(back(compiled, known), known.card) != run_key(tiny, known.card)
    # A spec that was written before there was a choice is the eager run.
    old = RunSpec.model_validate(tiny.model_dump(exclude={"compile"}))
    assert run_key(old, known.card) == run_key(tiny, known.card)


@pytest.mark.parametrize("typed", [1, "yes", None])
def test_compile_is_on_or_off_and_nothing_else(typed: object, tiny: RunSpec) -> None:
    with pytest.raises(ValidationError, match="compile"):
        RunSpec.model_validate(tiny.model_dump() | {"compile": typed})


@pytest.mark.parametrize(
    ("kind", "offered"),
    [("few_shot", True), ("optimization", True), ("search", False), ("rl", False)],
)
def test_the_compiler_is_offered_where_something_can_be_compiled(
    kind: str, offered: bool, known: Catalogue
) -> None:
    assert compatibility.can_compile(known, kind) == offered


def test_a_form_without_a_learner_is_refused(tiny: RunSpec, known: Catalogue) -> None:
    form = spec_mapping.spec_to_form(tiny) | {"k.chosen": []}
    with pytest.raises(Refused, match="at least one learner"):
        spec_mapping.form_to_spec(form, known.card)


def test_a_severity_beyond_its_top_is_refused_by_name(
    tiny: RunSpec, known: Catalogue
) -> None:
    form = spec_mapping.spec_to_form(tiny) | {"k.shift.stretch.severities": "1, 1e9"}
    with pytest.raises(Refused, match=r"severity of Stretch must be a number from 0"):
        spec_mapping.form_to_spec(form, known.card)


def test_too_many_learners_are_counted(tiny: RunSpec, known: Catalogue) -> None:
    names = [
        card.name for card in known.cards_of("learner") if card.group == "baseline"
    ]
    form = spec_mapping.spec_to_form(tiny) | {"k.baselines": names}
    with pytest.raises(Refused, match="At most 8"):
        spec_mapping.form_to_spec(form, known.card)


def test_switching_a_baseline_off_and_on_gives_the_same_run(
    tiny: RunSpec, known: Catalogue
) -> None:
    form = spec_mapping.spec_to_form(tiny)
    form["k.baselines"] = list(reversed(form["k.baselines"]))
    again = complete_spec(
        spec_mapping.form_to_spec(form, known.card), known.card, "cpu"
    )
    assert run_key(again, known.card) == run_key(tiny, known.card)


@pytest.mark.parametrize("typed", ["-1", "1.5", f"{2**63}", "seven", "٣", ""])
def test_a_seed_that_is_none_is_refused_with_its_range(
    typed: str, tiny: RunSpec, known: Catalogue
) -> None:
    form = spec_mapping.spec_to_form(tiny) | {"k.seed": typed}
    with pytest.raises(Refused, match="Seed must be a whole number from 0 to 9223"):
        spec_mapping.form_to_spec(form, known.card)
