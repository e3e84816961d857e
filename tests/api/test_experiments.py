"""Specs from keyword arguments: what they mean, and what they refuse."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metascope as ms
from engine.catalogue import find_card
from engine.contract.run_keys import run_key
from engine.executors.in_process import settle_spec
from engine.presets import preset


def test_a_preset_by_name_has_the_key_that_the_lab_gives_it() -> None:
    full = settle_spec(preset("default").spec)
    assert ms.spec("default").key == run_key(full, find_card)


def test_settings_parts_and_lists_end_up_where_a_spec_has_them() -> None:
    shelf = ms.catalogue()
    made = ms.spec(
        "default",
        seed=3,
        replicates=8,
        learner={"hidden": 8},
        sgd_tuned={"schedule": "cosine"},
        family=shelf.families.moons,
        shifts=[shelf.shifts.feature_noise(0.5)],
        budget={"horizon": 20},
        effort="fixed",
    ).full
    assert (made.seed, made.replicates, made.looks) == (3, 8, ())
    assert made.family.name == "moons" and made.budget.horizon == 20
    assert made.learners[0].knobs["hidden"] == 8
    by_label = {c.label: c.knobs for c in made.learners}
    assert by_label["sgd_tuned"]["schedule"] == "cosine"
    assert by_label["sgd"]["schedule"] == "constant"
    assert made.shifts[0].severities == (0.5,)


def test_another_family_brings_its_own_default_rates() -> None:
    rate = ms.spec("default", family="moons").full.learners[0].knobs["lr"]
    alone = ms.spec(family="moons", learners=["lr_scale"], baselines=["sgd"])
    assert rate == alone.full.learners[0].knobs["lr"]


def test_a_saved_spec_is_the_same_spec(tmp_path: Path) -> None:
    mine = ms.spec("few_shot_smoke", seed=5)
    assert ms.spec(mine.save(tmp_path / "mine.json")).key == mine.key
    assert ms.spec(json.loads(mine.to_json())).key == mine.key


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"sede": 1}, "did you mean 'seed'"),
        ({"learner": {"lrr": 1}}, "did you mean 'lr'"),
        ({"learner": {"lr": 1e9}}, "from 1e-08 to 1000"),
        ({"family": "mixture"}, "did you mean 'mixtures'"),
        ({"replicates": 0}, "from 1 to 512"),
        ({"replicates": True}, "from 1 to 512"),
        ({"effort": "slow"}, "quick, until-decided, fixed"),
        ({"sgd_tuned": 4}, "takes a dictionary"),
        ({"learners": "maml"}, "is a list"),
        ({"shifts": [3]}, "not 3"),
        ({"learner": {"lr": {1}}}, "numbers, texts and lists"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_remedy(
    changes: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(ms.Refused, match=remedy):
        ms.spec("smoke", **changes)


def test_a_count_of_numpy_is_a_count() -> None:
    count = np.arange(3)[2]
    assert ms.spec("smoke", replicates=count).key == ms.spec("smoke", replicates=2).key


def test_a_grid_without_a_list_is_refused_with_one() -> None:
    with pytest.raises(ms.Refused, match=r"learner\.lr=\[0\.1\]"):
        ms.sweep("smoke", grid={"learner.lr": 0.1}, progress=False)


def test_nothing_to_start_from_is_refused() -> None:
    with pytest.raises(ms.Refused, match="needs what to start from"):
        ms.spec()


def test_the_catalogue_completes_and_shows_what_it_has() -> None:
    shelf = ms.catalogue().learners
    assert "maml" in dir(shelf) and len(shelf) > 50
    assert "inner_steps" in str(shelf.maml.__signature__)
    assert "inner_steps" in shelf.maml._repr_html_()
    with pytest.raises(AttributeError, match="did you mean 'maml'"):
        _ = shelf.mmaml
    with pytest.raises(ms.Refused, match="only a learner has a label"):
        ms.catalogue().nets.mlp(label="mine")


def test_every_preset_makes_a_spec() -> None:
    assert len(ms.presets()) > 50
    assert "smoke" in dir(ms.presets()) and "smoke" in ms.presets()._repr_html_()
