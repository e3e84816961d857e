"""Tasks that are drawn for several meta-steps at once are those drawn one by one."""

import pytest
import torch

from engine.algorithms.compiled_graphs import tensors_of
from engine.protocol import EpisodeBatch
from engine.runner import training_tasks
from engine.runner.context import RunContext
from engine.runner.training_tasks import TrainingTasks
from tests.laws.small import families, family_spec

STEPS = (0, 1, 2, 3)


@pytest.mark.parametrize("family", families("few_shot"))
def test_episodes_drawn_ahead_are_those_drawn_step_by_step(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_tasks, "AHEAD_SECONDS", 1e6)
    context = RunContext(family_spec(family))
    (entry,) = context.entries
    plan = entry.learner.plan(context.spec.budget, context.estimator)
    ahead, one_by_one = (
        TrainingTasks(context, entry, plan, ahead=many) for many in (True, False)
    )
    for step in STEPS:
        quick, slow = ahead(step), one_by_one(step)
        assert isinstance(quick, EpisodeBatch) and isinstance(slow, EpisodeBatch)
        assert (quick.replicates, quick.members) == (slow.replicates, slow.members)
        for one, other in zip(tensors_of(quick), tensors_of(slow), strict=True):
            assert torch.equal(one, other)
