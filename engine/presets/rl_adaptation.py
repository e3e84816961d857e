"""Experiments with agents that adapt by gradient."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baselines, candidate, experiment

_NET = Choice(name="mlp", knobs={"depth": 2, "width": 64, "activation": "tanh"})
_PLANE = Choice(name="navigation")
_ADAM = Choice(name="adam", knobs={"lr": 0.005})


def _adaptation_budget(meta_steps: int, tasks: int, horizon: int) -> Budget:
    """Return a budget of so many tasks per meta-step and episodes per trial."""
    return Budget(
        task_evaluations=tasks * meta_steps,
        tasks_per_step=tasks,
        validate_every=meta_steps // 5,
        validation_tasks=20,
        test_tasks=40,
        horizon=horizon,
        tuning_tasks=10,
    )


NAVIGATION = experiment(
    "navigation_gradient",
    "Twenty walks, one gradient step, and then straight to the goal?",
    "MAML-RL with and without the credit of the walks before the step, Reptile, a "
    "policy trained on all goals and fine-tuned, and one from scratch.",
    family=_PLANE,
    net=_NET,
    learners=(
        candidate("maml_rl", episodes=20),
        candidate("maml_rl", "maml_rl_log_prob", episodes=20, surrogate="log_prob"),
        candidate("maml_rl", "maml_rl_first", episodes=20, surrogate="first_order"),
        candidate("reptile_rl", episodes=20),
        *baselines("multi_task_policy", "policy_from_scratch", "random_actions"),
    ),
    outer=_ADAM,
    budget=_adaptation_budget(60, 10, 40),
    replicates=2,
)

LEARNED_CRITIC = experiment(
    "learned_critic",
    "Does a meta-learned value function save interactions?",
    "A fresh policy with a learned critic, with a fresh one and with a linear one that "
    "is refitted; and a policy trained on all goals, with and without the critic.",
    family=Choice(name="navigation", knobs={"steps": 50}),
    net=_NET,
    learners=(
        candidate("meta_critic"),
        candidate("meta_critic", "both_learned", policy="learned"),
        candidate("meta_critic", "fresh_critic", critic="fresh"),
        *baselines("multi_task_policy", "policy_from_scratch", "random_actions"),
    ),
    outer=_ADAM,
    budget=_adaptation_budget(40, 10, 20),
    replicates=2,
)
PRESETS = (NAVIGATION, LEARNED_CRITIC)
