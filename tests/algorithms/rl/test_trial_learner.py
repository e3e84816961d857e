"""An agent plays other environments if its nets fit them; if not, it says so."""

import pytest

from engine.catalogue import find_card
from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Learner, Setting, TrialBatch
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit


def drawn(arms: int) -> TrialBatch:
    family = BernoulliBandit(arms=arms)
    streams = [Rng(5).child(t) for t in range(2)]
    found = family.draw(Setting(family, Mlp(), 4), streams, "test", BatchSpec())
    assert isinstance(found, TrialBatch)
    return found


@pytest.mark.parametrize("name", ["maml_rl", "rl2", "random_actions"])
def test_an_agent_refuses_only_tasks_of_other_sizes(name: str) -> None:
    assert find_card("learner", name)  # which discovers the parts
    learner = part("learner", name)()
    assert isinstance(learner, Learner)
    meta = learner.init((Rng(1),), drawn(3))
    assert learner.why_not(meta, drawn(3)) is None
    said = learner.why_not(meta, drawn(4))
    assert (said is None) == (name == "random_actions")
    assert said is None or "actions" in said
