"""Detectors of agents: leaks, useless critics, collapsed policies.

Source: Henderson et al. (2018), arXiv:1709.06560, on what misleads in comparisons.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    PER_STEP,
    BlockTable,
    chosen_learners,
    is_trained,
    is_tuned,
)
from engine.stats.condition_words import describe_condition
from engine.stats.diagnosis.finding import Finding
from engine.stats.independent_units import regroup_units
from engine.stats.inference.intervals import Interval, finite_mean, mean_interval
from engine.stats.verdicts.wording import format_count, format_interval, format_number

ERRORS = 3.0  # standard errors above what is possible
SLACK = 1e-4  # relative: regrets are sums of float32
LOW, EARLY = 0.1, 0.3  # of the first entropy, of meta-training
WHOLE = 0.9  # a restricted mean above this share of the trial is its length
SHORTER = 0.95  # episodes that last less than this share of the first ones are shorter


class _Regret(NamedTuple):
    """An agent's mean regret at a condition, and what it should not be below.

    Args:
        condition: Where it was tested.
        mean: Over all trials.
        error: Its standard error, over trials: the bound is one for each agent.
        least: Regret of the Bayes optimum; None where it is not known.
    """

    condition: Condition
    mean: float
    error: float
    least: float | None

    @property
    def excess(self) -> float:
        """Return how far it lies above the bound, by what is not luck."""
        return self.mean + ERRORS * self.error - (self.least or 0.0)


def impossible_return(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """21: an agent loses less than the Bayes optimum, or than one that knows the task.

    Only the latter is known wherever there is an optimum: its regret is 0.
    """
    for learner in spec.learners:
        found = list(_measured_regrets(table, learner.label))
        if not found:
            continue
        lowest = min(found, key=lambda each: each.excess)
        at = lowest.condition
        place = describe_condition(at, spec) if at.family or at.shift else "the tests"
        returns = table.test_values(learner.label, "trial_return", at)
        scale = 1.0 if returns is None else float(np.nanmean(np.abs(returns)))
        yield Finding(
            21,
            "Better than possible",
            learner.label,
            flagged=lowest.excess < -SLACK * scale,
            evidence=f"The lowest regret is {format_number(lowest.mean)}, in {place}, "
            f"with a standard error of {format_number(lowest.error)}; "
            f"{_describe_bound(lowest.least)}",
            remedy="Look for what tells the agent about the task, such as memory kept "
            "from another trial, and check the optimum.",
        )


def _measured_regrets(table: BlockTable, label: str) -> Iterator[_Regret]:
    """Yield the regret at each condition with at least two trials."""
    for condition in table.conditions():
        rows = table.test_values(label, "trial_regret", condition)
        if rows is None or rows.size < 2:
            continue
        # Agents differ, too, but no agent may be better than the bound.
        apart = rows - rows.mean(1, keepdims=True) if rows.shape[1] > 1 else rows
        freedom = rows.size - (len(rows) if rows.shape[1] > 1 else 1)
        spread = np.square(apart - apart.mean()).sum() / freedom
        error = float(np.sqrt(spread / rows.size))
        block = table.block("", "test", "least_regret", condition)
        least = None if block is None else float(block.array)
        yield _Regret(condition, float(rows.mean()), error, least)


def _describe_bound(least: float | None) -> str:
    if least is None:
        return (
            "below 0 lies only what is better than the best policy that knows the "
            "task. How much an agent must lose that does not know it is not known here."
        )
    return (
        f"the Bayes optimum, which knows only how tasks are drawn, loses "
        f"{format_number(least)}."
    )


def kept_between_trials(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """3: a trial that is played again, after other trials, begins in another way."""
    for learner in spec.learners:
        differs = table.test_values(learner.label, "replay_differs")
        if differs is None:
            continue
        count = int((differs > 0).sum())
        yield Finding(
            3,
            "Kept between trials",
            learner.label,
            flagged=count > 0,
            evidence=f"Played again after other trials, {count} of "
            f"{format_count(differs.size, 'trial')} begin with another first episode.",
            remedy="Keep what an agent learns in the memory that it passes on within a "
            "trial, never in the learner; and check that an environment of your own is "
            "a function of its seed.",
        )


def idle_agent(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """14: validation does not improve while an agent is trained."""
    for learner in spec.learners:
        checks = table.series(learner.label, "validate", "validation_cost")
        if checks is None or len(checks.step) < 2:
            continue
        cost = finite_mean(checks.values, 0)
        first, best = float(cost[0]), float(np.nanmin(cost[1:]))
        yield Finding(
            14,
            "Policy not learning",
            learner.label,
            flagged=not best < first,
            evidence=f"Validation regret is {format_number(first)} before training "
            f"and at best {format_number(best)} after.",
            remedy="Train on more trials, take more of them per meta-step, or change "
            "the rate.",
        )


def useless_value(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """38: late in training the value net explains nothing of the returns."""
    for learner in spec.learners:
        critic = table.series(learner.label, "train", "explained_variance")
        if critic is None:
            continue
        late = critic.values[:, critic.values.shape[1] // 2 :]
        mean = float(finite_mean(late.ravel(), 0))
        yield Finding(
            38,
            "Value that explains nothing",
            learner.label,
            flagged=not mean > 0.0,
            evidence="In the second half of training the value net explains "
            f"{format_number(100 * mean)} % of the variance of what followed.",
            remedy="Train the value net faster or longer, or give it what the policy "
            "sees; without it, advantages are only noisier.",
        )


def collapsed_policy(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """15: a policy loses its entropy early in meta-training."""
    for learner in spec.learners:
        entropy = table.series(learner.label, "train", "entropy")
        if entropy is None or entropy.values.shape[1] < 2:
            continue
        first = entropy.values[:, :1]
        # The entropy of a continuous action has no lowest value to compare with.
        if not (first > 0).all():
            continue
        early = entropy.values[:, : max(2, round(EARLY * entropy.values.shape[1]))]
        gone = np.nanmin(early / first, axis=1) < LOW
        yield Finding(
            15,
            "Policy collapse",
            learner.label,
            flagged=2 * int(gone.sum()) > gone.size,
            evidence=f"In the first {EARLY:.0%} of training the entropy of the policy "
            f"falls below {LOW:.0%} of its start in {int(gone.sum())} of "
            f"{format_count(gone.size, 'training')}.",
            remedy="Raise the entropy bonus, lower the rate, or take more trials per "
            "meta-step.",
        )


def early_end(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """39: returns rise only since episodes end sooner; each step earns less."""
    for learner in spec.learners:
        returns, lengths = (
            table.test_values(learner.label, name, axes=PER_STEP)
            for name in ("episode_return", "episode_length")
        )
        if returns is None or lengths is None or returns.shape[-1] < 2:
            continue
        trained = is_trained(table, spec, learner.label)
        last = max(1, returns.shape[-1] // 4)
        gain = _change(returns, last, trained)
        rate = _change(returns / np.maximum(lengths, 1.0), last, trained)
        share = float(np.nanmean(lengths[..., -last:]) / np.nanmean(lengths[..., 0]))
        yield Finding(
            39,
            "Reward by an early end",
            learner.label,
            flagged=share < SHORTER and gain.low > 0.0 and rate.high < 0.0,
            evidence=f"From the first to the last episodes the return changes by "
            f"{format_interval(gain)}, the reward per step by {format_interval(rate)}; "
            f"the last episodes are {share:.0%} as long as the first.",
            remedy="Read the steps of an episode beside its return; let an episode "
            "that ends early cost what it avoids.",
        )


def _change(rows: Floats, last: int, trained: bool) -> Interval:
    """Return the mean of the last episodes less the first, with its interval."""
    change = np.asarray(rows[..., -last:].mean(-1) - rows[..., 0])
    return mean_interval(regroup_units(change, trained))


def uncounted_interactions(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """17: an agent plays episodes that are not counted, or tuning counts none."""
    for learner in spec.learners:
        label, horizon = learner.label, spec.budget.horizon
        block = table.block(label, "test", "episode_return")
        counted = table.number(label, "test", "gradient_evaluations")
        if block is None or counted is None:
            continue
        _, tasks, episodes = block.array.shape
        was_tuned = table.block(label, "tune", "tuning") is not None
        free = (
            is_tuned(learner) and was_tuned and not table.gradients_spent(label, "tune")
        )
        yield Finding(
            17,
            "Interactions not counted",
            label,
            flagged=episodes != horizon or counted != tasks * horizon or free,
            evidence=f"A trial shows {format_count(episodes, 'episode')} of {horizon}; "
            f"{counted:,.0f} were counted in {format_count(tasks, 'trial')} of a "
            f"replicate{', and none in tuning' if free else ''}.",
            remedy="Count every episode that an agent plays in a new environment, and "
            "every one by which it is tuned.",
        )


def censored_trials(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """18: so few trials reach the goal that its restricted mean says nothing.

    The mean over those that reached it, which misleads wherever some did not, is shown
    nowhere else: agents are compared by the restricted mean.
    """
    for learner in chosen_learners(spec):
        needed = table.test_values(learner.label, "episodes_to_goal")
        reached = table.test_values(learner.label, "reached")
        if needed is None or reached is None:
            continue
        late, honest = int((reached == 0).sum()), float(needed.mean())
        told = "none did"
        if reached.any():
            naive = format_number(float(needed[reached > 0].mean()))
            told = f"the mean of those that did is {naive} episodes"
        yield Finding(
            18,
            "Censored mean",
            learner.label,
            flagged=late > 0 and honest > WHOLE * spec.budget.horizon,
            evidence=f"{late} of {format_count(needed.size, 'trial')} never reached "
            f"the goal: {told}, the restricted mean {format_number(honest)} of "
            f"{format_count(spec.budget.horizon, 'episode')}.",
            remedy="Compare agents by their regret; longer trials leave fewer of them "
            "censored.",
        )
