"""Experiments with agents; the first is the kind's default."""

from engine.contract.kinds import RL
from engine.contract.run_spec import Budget, Choice
from engine.presets import rl_bandits, rl_memory, rl_worlds
from engine.presets.builders import baselines, candidate, experiment

# Learns within seconds.
_SMALL_RL2 = candidate("rl2", hidden=32, lr=0.01, pieces=2)
_STRATEGIES = ("thompson", "ucb1", "gittins", "bayes_optimum", "random_actions")
BANDIT = experiment(
    "bandit",
    "Five arms, ten pulls",
    "Does an agent learn to explore better than Thompson sampling? The exact Bayes "
    "optimum beside them shows what is left to learn.",
    until_decided=RL,
    family=Choice(name="bernoulli_bandit"),
    learners=(_SMALL_RL2, *baselines(*_STRATEGIES)),
    rival="thompson",
    budget=Budget(
        task_evaluations=80 * 256,
        tasks_per_step=256,
        validation_tasks=128,
        validate_every=8,
        horizon=10,
        test_tasks=128,
    ),
)
PRESETS = (
    BANDIT,
    *rl_bandits.PRESETS,
    *rl_memory.PRESETS,
    *rl_worlds.PRESETS,
)
