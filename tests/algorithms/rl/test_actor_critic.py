"""Credit of steps and PPO's surrogate, against plain loops."""

import math

import numpy as np
import pytest
import torch

from engine.algorithms.rl.actor_critic import Credit, assign_credit, surrogate_loss

DISCOUNT, TRACE = 0.9, 0.7


def test_credit_is_that_of_a_loop_over_the_steps_that_were_taken() -> None:
    draw = np.random.default_rng(0)
    reward, value = draw.normal(size=(2, 2, 3, 6))
    lengths = [[6, 1, 3], [2, 6, 4]]
    alive = np.arange(6) < np.array(lengths)[..., None]
    sent = [torch.from_numpy(x) for x in (reward * alive, value, alive)]
    found = assign_credit(*sent, DISCOUNT, TRACE)
    for group in range(2):
        gains, targets = [], []
        for row, length in enumerate(lengths[group]):
            own, expected = reward[group, row], [*value[group, row][:length], 0.0]
            running, backward = 0.0, []
            for step in reversed(range(length)):
                error = own[step] + DISCOUNT * expected[step + 1] - expected[step]
                running = error + DISCOUNT * TRACE * running
                backward.append(running)
            gains += backward[::-1]
            targets += list(np.array(backward[::-1]) + expected[:length])
        taken = torch.from_numpy(alive[group]).flatten()
        normal = (np.array(gains) - np.mean(gains)) / np.std(gains)
        np.testing.assert_allclose(found.advantage[group][taken], normal, rtol=1e-5)
        np.testing.assert_allclose(found.target[group][taken], targets)
        assert (found.advantage[group][~taken] == 0).all()


@pytest.mark.parametrize("clip", [0.2, math.inf])
def test_the_surrogate_takes_the_smaller_gain(clip: float) -> None:
    gain = torch.tensor([[1.0, 1.0, -1.0, -1.0, 5.0]], dtype=torch.float64)
    ratio = torch.tensor([[1.5, 0.5, 1.5, 0.5, 9.0]], dtype=torch.float64)
    alive = torch.tensor([[1.0, 1.0, 1.0, 1.0, 0.0]], dtype=torch.float64)
    credit = Credit(gain * alive, gain, alive)
    loss = surrogate_loss(ratio.log(), torch.zeros_like(ratio), credit, clip)
    each = [1.2, 0.5, -1.5, -0.8] if clip < 1 else [1.5, 0.5, -1.5, -0.5]
    assert loss.item() == pytest.approx(-sum(each) / 4)
