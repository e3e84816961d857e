"""Experiments with strategies for bandits, which learn nothing from other bandits."""

from engine.contract.run_spec import Budget, Choice
from engine.presets.builders import baselines, candidate, experiment, shift

_STRATEGIES = tuple(
    map(candidate, ("gittins", "ucb1", "epsilon_greedy", "greedy", "thompson"))
)
SHORT = experiment(
    "bandit_strategies",
    "How far from the best possible strategy?",
    "Strategies on five arms and ten pulls, beside the exact Bayes optimum; the shifts "
    "bring arms closer together and let them drift.",
    family=Choice(name="bernoulli_bandit"),
    learners=(*_STRATEGIES, *baselines("bayes_optimum", "random_actions")),
    shifts=(shift("arm_gap", 0.5, 0.9), shift("arm_drift", 0.3, 1.0)),
    budget=Budget(horizon=10, test_tasks=256),
)
LONG = experiment(
    "long_bandit",
    "Ten arms, a hundred pulls",
    "Where there is time to explore: strategies on ten arms and a hundred pulls, whose "
    "Bayes optimum has too many states to be computed.",
    family=Choice(name="bernoulli_bandit", knobs={"arms": 10}),
    learners=(*_STRATEGIES, *baselines("random_actions")),
    budget=Budget(horizon=100, test_tasks=128),
)
PRESETS = (SHORT, LONG)
