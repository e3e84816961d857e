"""Shifts of bandits change what they name and keep the rest of a task."""

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Family, Setting, Shift, TrialBatch
from engine.shifts.arm_drift import ArmDrift
from engine.shifts.arm_gap import ArmGap
from engine.shifts.longer_trials import LongerTrials
from engine.shifts.more_arms import MoreArms
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit
from engine.tasks.rl.cartpole import Cartpole
from engine.tasks.rl.drifting_bandit import DriftingBandit
from engine.tasks.rl.gaussian_bandit import GaussianBandit


def draw(family: Family, shift: Shift | None = None, severity: float = 0) -> TrialBatch:
    """Draw some bandits under a shift."""
    setting = Setting(family, Mlp(width=4), 6)
    if shift is not None:
        setting = shift.apply(setting, severity)
    streams = [Rng(3).child("test", 0, task) for task in range(8)]
    batch = setting.family.draw(setting, streams, "test", BatchSpec())
    assert isinstance(batch, TrialBatch)
    return batch


def test_closer_arms_keep_their_order_and_their_luck() -> None:
    clean = draw(BernoulliBandit())
    close = draw(BernoulliBandit(), ArmGap(), 0.75)
    before, after = (b.parameters["pays"].numpy() for b in (clean, close))
    np.testing.assert_allclose(after - 0.5, 0.25 * (before - 0.5), atol=1e-6)
    assert bool((clean.noise == close.noise).all())


def test_closer_gaussian_arms_have_a_smaller_spread() -> None:
    before = draw(GaussianBandit()).parameters["pays"].numpy()
    after = draw(GaussianBandit(), ArmGap(), 0.5).parameters["pays"].numpy()
    np.testing.assert_allclose(after, 0.5 * before, atol=1e-6)


def test_arms_double_up_to_a_limit() -> None:
    assert draw(BernoulliBandit(), MoreArms(), 2).environment.actions.count == 20
    with pytest.raises(Refused, match="at most 100"):
        draw(BernoulliBandit(), MoreArms(), 5)


def test_the_first_episodes_of_a_longer_trial_are_those_of_the_short_one() -> None:
    clean, longer = draw(DriftingBandit()), draw(DriftingBandit(), LongerTrials(), 1)
    assert longer.horizon == 12
    assert bool((longer.noise[:, :6] == clean.noise).all())
    assert bool((longer.optimum[:, :6] == clean.optimum).all())
    with pytest.raises(Refused, match=r"at most 2,000"):
        LongerTrials().apply(Setting(Cartpole(), Mlp(), 100), 5)


def test_arms_that_stay_begin_to_drift_from_where_they_were() -> None:
    clean = draw(BernoulliBandit())
    drifting = draw(BernoulliBandit(), ArmDrift(), 0.3)
    assert bool((clean.optimum[:, 0] - drifting.optimum[:, 0]).abs().max() < 1e-6)
    assert bool((clean.optimum[:, 5] != drifting.optimum[:, 5]).all())


@pytest.mark.parametrize("shift", [ArmGap(), MoreArms(), ArmDrift()])
def test_what_is_no_bandit_has_no_arms_to_change(shift: Shift) -> None:
    reason = shift.why_not(Setting(Cartpole(), Mlp(), 6))
    assert reason is not None
    assert "to change" in reason
