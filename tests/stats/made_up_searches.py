"""Searches that nobody made: regret traces with a known truth, as blocks."""

import numpy as np

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec
from engine.stats.task_metrics.search import summarize_searches
from tests.stats.made_up import HERE, Array, number

HORIZON = 100
GOAL = 0.01


def found_at(first: Array, horizon: int = HORIZON, late: float = 0.2) -> Array:
    """Return regrets that fall from `late` to 0 at the given evaluations.

    Args:
        first: Number of the evaluation, from 1; above the horizon for never.
        horizon: How many there are.
        late: Regret before it.
    """
    evaluation = np.arange(1, horizon + 1)
    return np.where(evaluation < np.asarray(first, float)[..., None], late, 0.0)


def searches(
    label: str,
    regret: Array,
    condition: Condition = HERE,
    *,
    price: float = 1.0,
    tried: Array | None = None,
    switch: int | None = None,
) -> list[Block]:
    """Return what tests with these regrets leave behind; (replicate, task, step)."""
    steps = np.arange(1.0, regret.shape[-1] + 1)
    traces = {
        "regret": regret,
        "score": 1.0 - regret,
        "signal": 1.0 - regret,
        "architecture": np.broadcast_to(steps, regret.shape)
        if tried is None
        else tried,
        "spent": np.broadcast_to(price * steps, regret.shape),
    }
    if switch is not None:
        traces["capped"] = np.broadcast_to(1.0 * (steps > switch), regret.shape)
    goal = np.full(regret.shape[:2], GOAL)
    rows = summarize_searches(traces, goal, 1000)
    at = {"step": tuple(steps.tolist())}
    axes = ("replicate", "task", "step")
    blocks = [
        Block(label, "test", name, axes, t.astype(np.float32), condition, at)
        for name, t in traces.items()
    ]
    blocks += [
        Block(label, "test", name, ("replicate", "task"), row, condition)
        for name, row in rows.items()
    ]
    return blocks


def trained(label: str, evaluations: float) -> Block:
    """Return that a strategy had so many evaluations on source tasks."""
    return number(label, "train", "gradient_evaluations", evaluations)


def strategy(label: str, role: str = "chosen", **knobs: object) -> LearnerChoice:
    name = label if "_" in label else f"{label}_evolution"
    return LearnerChoice(name=name, label=label, role=role, knobs=knobs)


WARM = strategy("warm")
COLD = strategy("cold", "baseline")
RANDOM = strategy("random_search", "baseline")


def search_spec(*learners: LearnerChoice, **changes: object) -> RunSpec:
    settings: dict[str, object] = {
        "family": Choice(name="nk_landscape", knobs={"goal": GOAL}),
        "learners": learners or (WARM, COLD),
        "budget": Budget(horizon=HORIZON, test_tasks=60),
        "replicates": 1,
    }
    return RunSpec(**(settings | changes))


def times(mean: float, seed: int, replicates: int = 1, tasks: int = 60) -> Array:
    """Return evaluations to the goal that vary geometrically about a mean."""
    draw = np.random.default_rng(seed)
    return draw.geometric(1.0 / mean, (replicates, tasks)).astype(float)
