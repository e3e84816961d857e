"""What agents earn along a trial, and what a trial comes to."""

from engine.contract.metrics.metric_record import Metric

TRIALS = (
    # along a trial, by episode
    Metric("episode_return", "Return", "reward", 1, "linear", "Sum of an episode."),
    Metric(
        "episode_regret",
        "Regret",
        "reward",
        -1,
        "linear",
        "Return of the best policy that knows the task, less the expected return of "
        "what the agent did.",
    ),
    Metric("episode_length", "Steps", "steps", 0, "linear", "Of an episode."),
    Metric(
        "best_action", "Best action", "share", 1, "linear", "Of an episode's steps."
    ),
    Metric(
        "cells", "Visited", "share", 0, "linear", "Of arms, states or places so far."
    ),
    Metric(
        "policy_entropy", "Policy entropy", "nats", 0, "linear", "0: deterministic."
    ),
    Metric(
        "switch_after_loss",
        "Switch after a loss",
        "share",
        0,
        "linear",
        "Of a bandit's pulls that follow one without reward (at most 0): those of "
        "another arm.",
        gaps=True,  # no such pull came before
    ),
    Metric(
        "switch_after_win",
        "Switch after a win",
        "share",
        0,
        "linear",
        "Of a bandit's pulls that follow one with a reward above 0: those of another "
        "arm.",
        gaps=True,
    ),
    # per trial
    Metric(
        "trial_regret",
        "Regret of the trial",
        "reward",
        -1,
        "linear",
        "Agents are compared by it; a diverged trial has the worst possible value. "
        "Over the judged episodes: their sum in bandits and MDPs, else their mean.",
    ),
    Metric(
        "trial_return",
        "Return of the trial",
        "reward",
        1,
        "linear",
        "Over the judged episodes: their sum in bandits and MDPs, else their mean.",
    ),
    Metric("first_return", "First return", "reward", 1, "linear", "Of episode 1."),
    Metric(
        "last_return", "Last return", "reward", 1, "linear", "Mean of the last quarter."
    ),
    Metric("return_gain", "Gain", "reward", 1, "linear", "Last return less the first."),
    Metric("interactions", "Interactions", "steps", 0, "linear", "Steps of the trial."),
    Metric(
        "best_action_share",
        "Best actions",
        "share",
        1,
        "linear",
        "Share of the trial's steps.",
    ),
    Metric(
        "loss_switches",
        "Switches after losses",
        "share",
        0,
        "linear",
        "Of the pulls of a trial that follow a loss: those of another arm.",
        gaps=True,
    ),
    Metric(
        "win_switches",
        "Switches after wins",
        "share",
        0,
        "linear",
        "Of the pulls of a trial that follow a win: those of another arm.",
        gaps=True,
    ),
    Metric("cells_visited", "Visited", "share", 0, "linear", "In the whole trial."),
    Metric(
        "episodes_to_goal",
        "Episodes to the goal",
        "episodes",
        -1,
        "linear",
        "First episode from which on the mean regret of the rest of the trial (a "
        "quarter of it or more) is at most 10 % of that of random actions; the whole "
        "trial if there is none.",
    ),
    Metric(
        "interactions_to_goal",
        "Interactions to the goal",
        "steps",
        -1,
        "linear",
        "Steps up to and including that episode.",
    ),
    Metric(
        "random_regret",
        "Regret of random actions",
        "reward",
        0,
        "linear",
        "With the same luck, over as many episodes as are judged.",
    ),
    Metric(
        "least_regret",
        "Regret of the Bayes optimum",
        "reward",
        0,
        "linear",
        "Smallest expected regret of an agent that knows only how tasks are drawn.",
    ),
    Metric(
        "replay_differs",
        "First episode when played again",
        "share",
        -1,
        "linear",
        "1 if a test trial that is played again, after others, begins in another way.",
    ),
    # along meta-training
    Metric(
        "validation_cost",
        "Validation regret",
        "reward",
        -1,
        "linear",
        "Mean regret of the judged episodes of the validation trials.",
    ),
    Metric(
        "trial_reward",
        "Training return",
        "reward",
        1,
        "linear",
        "Mean return of the training trials, summed over episodes.",
    ),
)
