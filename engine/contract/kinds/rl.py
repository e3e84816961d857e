"""Reinforcement learning: an agent plays a new environment for a few episodes."""

from engine.contract.kinds.kind_record import (
    Criterion,
    FieldWords,
    Kind,
    Metrics,
    Words,
)

_WORDS = Words(
    tasks="reinforcement-learning tasks",
    does="plays environments",
    family="a family of environments",
    tests="trials",
    work="trials",
    first_choice="a family of environments",
    learner="Agent",
    learner_help="What is meta-trained over environments and judged on new ones.",
    net="Net",
    net_help="From which agents build their policy and their value function.",
    baselines="Same environments, same episodes, same luck",
    baselines_help="What meta-training has to beat. Tuned rates are tuned on "
    "validation trials.",
    shifts_help="After training, the frozen agent is tested in the same environments, "
    "changed.",
    step="Episode",
    spent="episodes",
    all_diverged="no policy of the chosen agent stayed finite; lower its rate",
    question="Can an agent learn how to explore, and so master a new "
    "environment in a few episodes?",
)
_METRICS = Metrics(
    validation="validation_cost",
    tuning="validation_cost",
    traces=("episode_return", "episode_regret", "policy_entropy"),
    checks=("episode_return", "episode_regret"),
    training=(
        "validation_cost",
        "trial_reward",
        "entropy",
        "value_loss",
        "explained_variance",
        "outer_grad_norm",
    ),
    per_task=(
        "trial_regret",
        "trial_return",
        "first_return",
        "last_return",
        "return_gain",
        "episodes_to_goal",
        "interactions_to_goal",
        "interactions",
        "best_action_share",
        "loss_switches",
        "win_switches",
        "cells_visited",
    ),
    by_severity=(
        "trial_regret",
        "trial_return",
        "last_return",
        "return_gain",
        "episodes_to_goal",
        "best_action_share",
    ),
    by_family=("trial_regret", "trial_return", "last_return", "rmst", "return_gain"),
    curves=(
        "episode_return",
        "episode_regret",
        "best_action",
        "switch_after_loss",
        "switch_after_win",
        "cells",
        "policy_entropy",
        "episode_length",
    ),
    numbers=(
        "trial_return",
        "trial_regret",
        "last_return",
        "return_gain",
        "episodes_to_goal",
        "reached",
    ),
    scores={
        "trial_return": "Return",
        "trial_regret": "Regret",
        "first_return": "First episode",
        "last_return": "Last episodes",
        "rmst": "Episodes to the goal",
        "reached": "Goal reached (%)",
        "best_action_share": "Best action (%)",
        "loss_switches": "Switches after losses (%)",
        "win_switches": "Switches after wins (%)",
        "interactions": "Steps",
    },
    percent=frozenset(
        {"best_action_share", "reached", "loss_switches", "win_switches"}
    ),
)
# Regret decides: a return means nothing without the best one that is possible. Margins
# are shares of what random actions lose: a share of the baseline's own regret would be
# nothing where that baseline is optimal.
REGRET = Criterion(
    marks=frozenset({"trial_regret"}),
    deciding="trial_regret",
    beside="episodes_to_goal",
    reported="trial_return",
    shown=(
        "trial_regret",
        "trial_return",
        "first_return",
        "last_return",
        "return_gain",
        "reached",
        "interactions",
        "interactions_to_goal",
        "best_action_share",
        "loss_switches",
        "win_switches",
        "cells_visited",
    ),
    margin={"trial_regret": 0.05, "episodes_to_goal": 1.0},
    relative=frozenset({"trial_regret"}),
    within="5 % of the regret of random actions",
    singles=True,
    called="regret",
    unit="reward",
    trace="episode_regret",
    first=1,
    yardstick="random_regret",
    lasting=True,
    own_goal=True,
)
_BUDGET = {
    "task_evaluations": FieldWords(
        "Meta-training budget",
        "trials",
        "Trials that each agent is trained on, per replicate; every agent plays as "
        "many.",
    ),
    "tasks_per_step": FieldWords(
        "Trials per meta-step", "trials", "Trials between two updates of the agent."
    ),
    "horizon": FieldWords(
        "Episodes per trial",
        "episodes",
        "How long an agent plays one environment; a bandit's episode is one pull.",
    ),
    "test_tasks": FieldWords(
        "Test trials",
        "trials",
        "New environments per replicate and condition.",
    ),
    "validation_tasks": FieldWords(
        "Validation trials", "trials", "They choose the checkpoint."
    ),
    "tuning_tasks": FieldWords(
        "Tuning trials", "trials", "Validation trials on which rates are tuned."
    ),
}
RL = Kind(
    name="rl",
    title="RL agents",
    preset="bandit",
    words=_WORDS,
    metrics=_METRICS,
    criteria=(REGRET,),
    budget=_BUDGET,
    no_budget=frozenset({"threshold"}),
    tuned_last=True,
    suits_family=True,
    same_speed=("net", "family"),
    batch=4,
    ceiling=32,
)
