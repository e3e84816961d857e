"""Experiments with few-shot learners; the first is the default one."""

from engine.contract.runs import Budget, Choice, RunSpec
from engine.presets.making import Preset, chosen

_SMALL = Choice(name="mlp", knobs={"depth": 2, "width": 40})

FEWSHOT = Preset(
    "fewshot",
    "Ten points of a wave, the rest to be told",
    "MAML on sinusoids: a start from which one gradient step fits any wave.",
    RunSpec(
        family=Choice(name="sinusoids"),
        net=_SMALL,
        learners=(chosen("maml"),),
        budget=Budget(
            task_evaluations=25_000,
            tasks_per_step=25,
            validation_tasks=100,
            validate_every=100,
            test_tasks=600,
            horizon=10,
        ),
        replicates=3,
    ),
)

EPISODES = (FEWSHOT,)
