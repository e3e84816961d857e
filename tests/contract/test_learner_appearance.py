"""What a learner's file says of its looks is what its card and the figures have."""

from typing import get_args

import pytest

from app.figures import theme
from engine.catalogue import all_cards
from engine.contract.learner_appearance import Hue, appearances, split_label
from engine.contract.registry import part

HUES = get_args(Hue)
LEARNERS = {card.name: card for card in all_cards() if card.slot == "learner"}


def test_every_learner_is_read_from_its_file() -> None:
    assert set(appearances()) == set(LEARNERS)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_file_read_as_text_says_what_the_card_says(name: str) -> None:
    card = LEARNERS[name]
    bound = part("learner", name).is_bound  # type: ignore[attr-defined]
    assert appearances()[name] == (card.short, card.hue, card.tuned_hue, bound)
    assert {card.hue, card.tuned_hue} <= {"", *HUES}


def test_a_hue_is_a_color_of_the_palette_in_the_same_order() -> None:
    assert tuple(theme.COLORS) == HUES


def test_only_learners_have_a_color_of_their_own() -> None:
    assert not [c.name for c in all_cards() if c.hue and c.slot != "learner"]


@pytest.mark.parametrize(
    ("label", "parts"),
    [
        ("maml", ("maml", "")),
        ("maml_plus", ("maml_plus", "")),
        ("maml_2", ("maml", "_2")),
        ("mamlish", ("", "mamlish")),
        ("my_maml", ("", "my_maml")),
    ],
)
def test_a_label_names_the_longest_learner_that_it_begins_with(
    label: str, parts: tuple[str, str]
) -> None:
    assert split_label(label) == parts


def test_a_tuned_learner_has_a_color_beside_the_untuned_one() -> None:
    looks = theme.assign_styles({"sgd": "baseline", "sgd_tuned": "baseline"})
    assert looks["sgd"].color == theme.COLORS["red"]
    assert looks["sgd_tuned"].color == theme.COLORS["teal"]
