"""Experiments with agents; the first is the kind's default."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import candidate, experiment

BANDIT = experiment(
    "bandit",
    "Five arms, ten pulls",
    "Who explores well enough to find the best of five arms within ten pulls?",
    family=Choice(name="bernoulli_bandit"),
    learners=(candidate("random_actions"),),
    budget=Budget(horizon=10, test_tasks=64),
)
PRESETS = (BANDIT,)
