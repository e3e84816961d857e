import pytest

from app.experiment import fields
from app.form import field_widgets
from engine.contract.errors import Refused
from engine.contract.knobs import KnobCard


def knob(**given: object) -> KnobCard:
    told = {"name": "k", "kind": "float", "default": 0.5, "label": "Rate", "help": "h."}
    return KnobCard(**{**told, **given})


def test_every_kind_of_knob_has_a_widget() -> None:
    assert set(field_widgets._WIDGETS) == set(
        KnobCard.model_fields["kind"].annotation.__args__
    )


def test_advanced_fields_come_last(known: object) -> None:
    card = known.card("learner", "lr_scale")
    flags = [field.knob.advanced for field in fields.card_fields(card, "k.learner.x")]
    assert flags == sorted(flags)
    assert set(flags) == {True, False}


@pytest.mark.parametrize("typed", [None, "", "1.5", float("nan"), 1e9, True])
def test_what_a_knob_does_not_take_is_refused_with_its_range(typed: object) -> None:
    field = fields.Field("k.x", knob(low=0.0, high=1.0))
    with pytest.raises(Refused, match="Rate must be a number from 0 to 1"):
        fields.check_values([field], {"k.x": typed})


@pytest.mark.parametrize(
    ("default", "step"), [(0.3, 0.1), (0.02, 0.01), (5.0, 0.1), (50.0, 1.0)]
)
def test_a_step_is_of_the_size_of_the_default(default: float, step: float) -> None:
    assert field_widgets._step_size(knob(default=default)) == pytest.approx(step)


def test_numbers_survive_the_way_through_text() -> None:
    numbers = (0.0, 0.125, 1e-6, 3.0)
    assert fields.parse_numbers(fields.format_numbers(numbers), "S", "s") == numbers


def test_text_among_numbers_is_refused() -> None:
    with pytest.raises(Refused, match="commas"):
        fields.parse_numbers("1, two", "Severities", "s")
