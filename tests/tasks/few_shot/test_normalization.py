from dataclasses import replace

import numpy as np
import pytest

from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, Sample
from engine.runner.context import RunContext
from engine.tasks.few_shot._normalization import normalize_episode, support_scale
from engine.tasks.few_shot.gaussian_classes import GaussianClasses
from engine.tasks.few_shot.ten_classes import TenClasses
from tests.laws.small import knobbed


def test_the_support_of_an_image_task_has_mean_zero_and_deviation_one() -> None:
    family = TenClasses()
    drawn = family.sample(Rng(1), "test")
    same = normalize_episode(drawn, family, "support")
    assert same.x.dtype == np.float32
    assert same.x.mean() == pytest.approx(0.0, abs=1e-5)
    assert same.x.std() == pytest.approx(1.0, abs=1e-5)
    back = same.held_x * drawn.x.std() + drawn.x.mean()
    np.testing.assert_allclose(back, drawn.held_x, atol=1e-5)
    assert normalize_episode(drawn, family, "none") is drawn


def test_each_feature_has_a_scale_of_its_own_and_a_constant_none() -> None:
    family = GaussianClasses(shots=20)
    drawn = family.sample(Rng(1), "test")
    wide = np.arange(1, 17, dtype=np.float32)[:, None]
    x = drawn.x * wide
    x[3] = 7.0
    same = normalize_episode(replace(drawn, x=x), family, "support")
    deviation = same.x.std(axis=1)
    assert deviation[3] == 0.0 and (same.x[3] == 0.0).all()
    np.testing.assert_allclose(np.delete(deviation, 3), 1.0, atol=1e-5)


def test_the_scale_of_training_is_one_for_all_tasks_and_nearly_theirs() -> None:
    family = TenClasses()
    some = [family.sample(Rng(place), "train") for place in range(60)]
    truth = support_scale(some)
    one, two = some[:2]
    a, b = (normalize_episode(e, family, "training") for e in (one, two))
    slopes = [(e.x.std() / n.x.std()) for e, n in ((one, a), (two, b))]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-5)
    assert slopes[0] == pytest.approx(float(truth.deviation[0, 0]), rel=0.02)


@pytest.mark.parametrize("how", ["support", "training"])
def test_it_comes_after_every_change_of_the_data(how: str) -> None:
    board = RunContext(knobbed("ten_classes", {"normalize": how}))

    def brighter(sample: Sample, rng: Rng) -> Sample:
        return replace(sample, x=3 * sample.x, held_x=3 * sample.held_x)

    def drawn(change: bool) -> EpisodeBatch:
        setting = board.setting.with_warp(brighter) if change else board.setting
        found = board.draw(setting, "test", ("test", 0), 2)
        assert isinstance(found, EpisodeBatch)
        return found

    plain, shifted = drawn(False).query.x, drawn(True).query.x
    if how == "support":  # a change of contrast is undone
        np.testing.assert_allclose(shifted, plain, atol=1e-4)
    else:  # and by what was learned on it is not
        assert float(shifted.std() / plain.std()) == pytest.approx(3.0, rel=1e-4)


def test_under_a_shift_of_the_family_the_scale_is_that_of_the_training() -> None:
    board = RunContext(knobbed("ten_classes", {"normalize": "training"}))
    other = board.setting.family.model_copy(update={"rotations": "all", "shots": 2})
    shifted = board.draw(replace(board.setting, family=other), "test", ("t", 0), 2)
    assert isinstance(shifted, EpisodeBatch)
    bare = other.model_copy(update={"normalize": "none"})
    plain = board.draw(replace(board.setting, family=bare), "test", ("t", 0), 2)
    assert isinstance(plain, EpisodeBatch)
    streams = [Rng(0).child("scale", place) for place in range(64)]
    home = board.setting.family
    assert isinstance(home, TenClasses)
    truth = support_scale([home.sample(stream, "train") for stream in streams])
    wide = float(plain.query.x.std() / shifted.query.x.std())
    assert wide == pytest.approx(float(truth.deviation[0, 0]), rel=1e-4)
