"""Experiments with classic control."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baselines, candidate, experiment, shift

CARTPOLE = experiment(
    "cartpole",
    "A new pole after a few falls",
    "Length, mass and gravity change from task to task. Does adapting in a few "
    "episodes beat one policy for all poles, and learning from nothing?",
    family=Choice(name="cartpole", knobs={"steps": 100}),
    net=Choice(name="mlp", knobs={"activation": "tanh"}),
    learners=(
        candidate("maml_rl", episodes=4),
        *baselines("multi_task_policy", "policy_from_scratch", "random_actions"),
    ),
    outer=Choice(name="adam", knobs={"lr": 0.005}),
    budget=Budget(
        task_evaluations=640,
        tasks_per_step=16,
        validate_every=10,
        validation_tasks=8,
        test_tasks=20,
        horizon=20,
        tuning_tasks=6,
    ),
    shifts=(shift("other_physics", 0.25, 3.0),),
    replicates=4,
)
PRESETS = (CARTPOLE,)
