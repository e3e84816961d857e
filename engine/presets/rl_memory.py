"""Experiments with agents that learn a trial's environment in their memory."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baselines, candidate, experiment, shift


def _trials(meta_steps: int, trials: int, *, every: int = 20) -> Budget:
    """Return a budget for trials of ten episodes.

    Args:
        meta_steps: Number of batches of trials.
        trials: Trials per batch.
        every: Batches between two validations.
    """
    return Budget(
        task_evaluations=meta_steps * trials,
        tasks_per_step=trials,
        validation_tasks=256,
        validate_every=every,
        horizon=10,
        test_tasks=1000,
    )


BANDIT = experiment(
    "bandit_memory",
    "Does a memory reach the Bayes optimum?",
    "RL² by PPO and by A2C, and a SNAIL policy, on five arms and ten pulls, trained "
    "until little is left; the shifts bring arms closer together and let them drift.",
    family=Choice(name="bernoulli_bandit"),
    learners=(
        candidate("rl2"),
        candidate("rl2", "rl2_a2c", update="a2c"),
        candidate("snail_policy"),
        *baselines("bayes_optimum", "gittins", "thompson", "random_actions"),
    ),
    shifts=(shift("arm_gap", 0.5, 0.9), shift("arm_drift", 0.3, 1.0)),
    outer=Choice(name="adam", knobs={"lr": 0.01}),
    budget=_trials(300, 1000),
    replicates=2,
)
MDP = experiment(
    "mdp_memory",
    "Ten states, unknown: ten episodes to learn them",
    "RL² beside posterior sampling, which plans in a model that it draws from what it "
    "has seen, and the oracle, which knows each MDP.",
    family=Choice(name="tabular_mdp"),
    learners=(candidate("rl2"), *baselines("psrl", "oracle", "random_actions")),
    rival="psrl",
    budget=_trials(200, 500),
    replicates=2,
)
PRESETS = (BANDIT, MDP)
