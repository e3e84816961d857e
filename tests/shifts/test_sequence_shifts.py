"""Shifts of the order and the length of what a learner reads."""

import numpy as np
import pytest

from engine.contract.rng import Rng
from engine.protocol import Episode, SampledFamily, Setting, Shift
from engine.runner.context import RunContext
from engine.shifts.longer_sequence import LongerSequence
from engine.shifts.support_order import SupportOrder, partly_sorted
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from engine.tasks.few_shot.gaussian_sequences import GaussianSequences
from engine.tasks.few_shot.omniglot_sequences import OmniglotSequences
from engine.tasks.few_shot.sinusoids import Sinusoids
from tests.laws.small import spec_of
from tests.tasks.drawing import setting


def drawn(of: Setting) -> Episode:
    assert isinstance(of.family, SampledFamily)
    (found,) = of.family.draw_samples(of, [Rng(4)], "test")
    assert isinstance(found, Episode)
    return found


def shifted(family: SampledFamily, shift: Shift, severity: float) -> Episode:
    clean = setting(family)
    assert shift.why_not(clean) is None
    return drawn(shift.apply(clean, severity))


def test_a_sorted_sequence_has_the_same_examples_class_by_class() -> None:
    clean = drawn(setting(GaussianSequences()))
    found = shifted(GaussianSequences(), SupportOrder(), 1.0)
    assert (np.diff(found.y) >= 0).all() and (np.diff(clean.y) < 0).any()
    assert found.ids is not None and clean.ids is not None
    np.testing.assert_array_equal(found.held_x, found.x)
    np.testing.assert_array_equal(found.held_y, found.y)
    order = np.lexsort(found.x), np.lexsort(clean.x)
    for name in ("y", "ids", "held_ids"):
        one, two = (
            getattr(e, name)[o] for e, o in zip((found, clean), order, strict=True)
        )
        np.testing.assert_array_equal(one, two)


def test_a_sorted_support_of_values_leaves_the_queries() -> None:
    clean = drawn(setting(Sinusoids()))
    found = shifted(Sinusoids(), SupportOrder(), 1.0)
    assert (np.diff(found.x[0]) >= 0).all()
    np.testing.assert_array_equal(found.held_x, clean.held_x)
    np.testing.assert_array_equal(np.sort(found.y), np.sort(clean.y))


def test_a_share_of_the_support_is_sorted() -> None:
    keys = np.random.default_rng(1).permutation(40)
    order = partly_sorted(keys, 0.5, np.random.default_rng(2))
    rest = partly_sorted(keys, 0.0, np.random.default_rng(2))
    moved = np.flatnonzero(order != rest)
    assert sorted(order) == list(range(40)) and 10 < len(moved) <= 20
    assert (np.diff(keys[order[moved]]) > 0).all()


def test_a_support_that_is_sorted_already_is_refused() -> None:
    reason = SupportOrder().why_not(setting(GaussianClasses(shots=3)))
    assert reason is not None and "sorted already" in reason


@pytest.mark.parametrize(
    "family",
    [
        Sinusoids(shots=2),
        GaussianSequences(ways=2, presentations=2),
        GaussianSequences(ways=2, presentations=4),
    ],
)
def test_a_short_support_that_is_sorted_by_chance_is_not_refused(
    family: SampledFamily,
) -> None:
    assert SupportOrder().why_not(setting(family)) is None


def test_a_longer_sequence_goes_on_after_the_usual_one() -> None:
    clean = drawn(setting(GaussianSequences()))
    found = shifted(GaussianSequences(), LongerSequence(), 0.5)
    assert found.x.shape[1] == 75
    np.testing.assert_array_equal(found.x[:, :50], clean.x)


@pytest.mark.skipif(bool(OmniglotSequences.missing_file()), reason="no Omniglot here")
def test_a_sequence_longer_than_the_drawings_is_left_out_and_says_why() -> None:
    spec = spec_of(
        learners=[{"name": "recurrent"}],
        family={"name": "omniglot_sequences", "knobs": {"side": "14"}},
        net={"name": "mlp", "knobs": {"depth": 0}},
        shifts=[{"name": "longer_sequence", "severities": [1.0, 2.0]}],
    )
    conditions, remarks = RunContext(spec).test_conditions()
    assert [each.condition.severity for each in conditions] == [0.0, 1.0]
    assert "at most 100" in remarks["shift:longer_sequence 2"]
