"""A run's parts and one of its tasks, to use a frozen meta-learner outside the lab."""

from typing import NamedTuple

from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec
from engine.protocol import Learner, TaskBatch
from engine.runner.context import RunContext, build_part


class FrozenParts(NamedTuple):
    """What a frozen meta-learner belongs to.

    Args:
        learner: The learner, with its settings.
        tasks: One test task of the run, for shapes.
    """

    learner: Learner
    tasks: TaskBatch


def frozen_parts(spec: RunSpec, label: str) -> FrozenParts:
    """Build a run's learner and draw one of its test tasks.

    Args:
        spec: The run's complete spec.
        label: The learner's label.

    Raises:
        Refused: If the run has no such learner.
    """
    choices = {choice.label: choice for choice in spec.learners}
    if label not in choices:
        known = ", ".join(choices)
        raise Refused(f"this run has no learner {label[:60]!r}; it has {known}")
    one = spec.model_copy(update={"replicates": 1, "looks": (), "device": "cpu"})
    context = RunContext(one)
    tasks = context.draw(context.setting, "test", ("test",), 1)
    return FrozenParts(build_part("learner", choices[label], Learner), tasks)
