"""Labels, balance, shots and ways of the support; what cannot be asked is a remark."""

import re

import numpy as np
import pytest

from engine.contract.events import Artefact, Block
from engine.runner.context import RunContext
from engine.shifts.imbalance import Imbalance
from engine.shifts.label_noise import LabelNoise
from engine.shifts.missing import Missing
from engine.shifts.shots import Shots
from engine.shifts.ways import Ways
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from tests.laws.small import events, family_spec, knobbed
from tests.shifts.drawn import pairs
from tests.shifts.test_data_shifts import within

MANY = GaussianClasses(ways=5, shots=20)


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_label_noise_flips_the_stated_share_of_the_support_and_no_query(
    rate: float,
) -> None:
    hits = count = 0
    for clean, moved in pairs(LabelNoise(), rate, MANY):
        for name in ("x", "held_x", "held_y", "held_ids"):
            np.testing.assert_array_equal(getattr(clean, name), getattr(moved, name))
        hits += int((clean.y != moved.y).sum())
        count += len(clean.y)
    assert within(hits, count, rate)


def class_of(ids: np.ndarray, y: np.ndarray) -> set[tuple[int, int]]:
    return set(zip(y.tolist(), ids.tolist(), strict=True))


@pytest.mark.parametrize(("shift", "severity"), [(LabelNoise(), 0.4), (Imbalance(), 3)])
def test_ids_of_the_support_go_with_its_labels(
    shift: LabelNoise, severity: float
) -> None:
    for clean, moved in pairs(shift, severity, MANY, 10):
        assert clean.held_ids is not None and moved.ids is not None
        assert class_of(moved.ids, moved.y) <= class_of(clean.held_ids, clean.held_y)


@pytest.mark.parametrize("shots", [2, 20])
def test_imbalance_makes_late_classes_rare_and_none_absent(shots: int) -> None:
    counts = np.zeros(5)
    for clean, moved in pairs(Imbalance(), 3.0, GaussianClasses(shots=shots), 60):
        known = {(*x, y) for x, y in zip(clean.x.T, clean.y, strict=True)}
        assert {(*x, y) for x, y in zip(moved.x.T, moved.y, strict=True)} <= known
        here = np.bincount(moved.y, minlength=5)
        assert here.min() >= 1 and here.sum() == 5 * shots
        np.testing.assert_array_equal(clean.held_x, moved.held_x)
        counts += here
    assert (np.diff(counts) < 0).all()
    if shots == 20:
        assert counts[0] / counts[-1] == pytest.approx(8.0, rel=0.4)


def test_missing_cells_are_lost_on_both_sides() -> None:
    for clean, moved in pairs(Missing(), 0.5, MANY, 3):
        for one, two in ((clean.x, moved.x), (clean.held_x, moved.held_x)):
            lost = (two == 0) & (one != 0)
            assert within(int(lost.sum()), lost.size, 0.5)


def test_other_shots_keep_the_classes_the_queries_and_the_shots_that_were_there() -> (
    None
):
    for clean, moved in pairs(Shots(), 10.0, GaussianClasses(), 5):
        assert moved.x.shape[1] == 50 and clean.x.shape[1] == 5
        for name in ("held_x", "held_y", "held_ids"):
            np.testing.assert_array_equal(getattr(clean, name), getattr(moved, name))
        np.testing.assert_array_equal(clean.x, moved.x[:, ::10])


def test_more_ways_keep_the_classes_that_were_there_and_add_others() -> None:
    for clean, moved in pairs(Ways(), 20.0, GaussianClasses(), 5):
        assert moved.outputs == 20
        np.testing.assert_array_equal(clean.x, moved.x[:, :5])
        np.testing.assert_array_equal(clean.held_x, moved.held_x[:, : 5 * 15])
        assert len(set(moved.ids.tolist())) == 20  # type: ignore[union-attr]


def test_what_a_family_cannot_give_is_a_remark_and_the_run_continues() -> None:
    shifts = [
        {"name": "ways", "severities": [0, 2, 100]},
        {"name": "shots", "severities": [5]},
        {"name": "amplitude"},
        {"name": "blur"},
    ]
    spec = family_spec("gaussian_classes", shifts=shifts)
    trials, remarks = RunContext(spec).test_conditions()
    assert [t.title for t in trials] == [
        "in place",
        "ways 0",
        "ways 2",
        "ways 100",
        "shots 5",
    ]
    assert set(remarks) == {"shift:amplitude", "shift:blur"}
    far = [{"name": "amplitude", "severities": [1, 10]}]
    spec = knobbed("sinusoids", {"amplitude_high": 20}, shifts=far)
    trials, remarks = RunContext(spec).test_conditions()
    assert [t.title for t in trials] == ["in place", "amplitude 1"]
    assert "from 0 to 50" in remarks["shift:amplitude 10"]


def test_a_learner_with_a_head_says_that_it_cannot_name_more_ways() -> None:
    shifts = [{"name": "ways", "severities": [10]}]
    found = list(events(family_spec("gaussian_classes", shifts=shifts)))
    told = [e.info for e in found if isinstance(e, Artefact) and e.kind == "remarks"]
    assert any("5 ways" in str(info.get("maml")) for info in told)
    assert not any(isinstance(e, Block) and e.condition.shift for e in found)


def test_another_family_of_the_same_size_is_tested_on() -> None:
    other = [{"name": "function_mixture"}, {"name": "gaussian_process"}]
    found = list(events(family_spec("sinusoids", test_families=other)))
    tested = {e.condition.family for e in found if isinstance(e, Block)}
    assert tested == {"", "function_mixture", "gaussian_process"}


@pytest.mark.parametrize(
    ("family", "other", "words"),
    [
        (
            "sinusoids",
            {"name": "gaussian_classes"},
            "output: classes.*; .*output: value",
        ),
        (
            "gaussian_classes",
            {"name": "gaussian_classes", "knobs": {"dimensions": 9}},
            "size 9 .*size 16 ",
        ),
        ("sinusoids", {"name": "moons"}, "it draws optimization tasks"),
    ],
)
def test_a_family_of_another_size_or_kind_is_a_remark_and_the_run_continues(
    family: str, other: dict[str, object], words: str
) -> None:
    spec = family_spec(family, test_families=[other])
    found = list(events(spec))
    (told,) = [e.info for e in found if isinstance(e, Artefact) and e.name == "remarks"]
    ((name, reason),) = told.items()
    assert name == f"family:{other['name']}"
    assert re.search(words, reason)
    assert any(isinstance(e, Block) and e.phase == "test" for e in found)
