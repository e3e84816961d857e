"""What random actions lose, against closed forms."""

import torch

from engine.algorithms.rl.random_agent import random_regrets
from engine.contract.rng import Rng
from engine.judges.rl import known_random_regrets
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Setting, TrialBatch
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit


def drawn(pulls: int, chunk: int = 512) -> TrialBatch:
    setting = Setting(BernoulliBandit(arms=3), Mlp(), pulls)
    streams = [Rng(5).child(t) for t in range(4)]
    found = BernoulliBandit(arms=3).draw(setting, streams, "test", BatchSpec())
    assert isinstance(found, TrialBatch)
    found.__dict__["chunk"] = chunk
    return found


def test_random_pulls_lose_the_gap_between_best_and_mean_arm() -> None:
    tasks = drawn(4000)
    pays = tasks.parameters["pays"]
    expected = pays.amax(1) - pays.mean(1)
    torch.testing.assert_close(random_regrets(tasks), expected, atol=0.02, rtol=0)


def test_the_yardstick_does_not_depend_on_chunks_and_is_computed_once() -> None:
    whole, pieces = drawn(50), drawn(50, chunk=3)
    assert torch.equal(random_regrets(whole), random_regrets(pieces))
    assert known_random_regrets(whole) is known_random_regrets(whole)
