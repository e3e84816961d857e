"""Experiments with agents; the first is the kind's default."""

from engine.contract.kinds import RL
from engine.contract.run_spec import Budget, Choice
from engine.presets import rl_bandits
from engine.presets.builders import baseline, candidate, experiment

BANDIT = experiment(
    "bandit",
    "Five arms, ten pulls",
    "Who explores well enough to find the best of five arms within ten pulls?",
    until_decided=RL,
    family=Choice(name="bernoulli_bandit"),
    learners=(candidate("policy_from_scratch"), baseline("random_actions")),
    budget=Budget(horizon=10, test_tasks=64),
)
PRESETS = (BANDIT, *rl_bandits.PRESETS)
