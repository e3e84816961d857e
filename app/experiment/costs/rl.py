"""Cost of runs of agents: counted in trials, timed by episodes."""

from app.experiment.costs import COSTS, TUNING_TRIALS, CostModel, count_test_tasks
from engine.contract.kinds import RL
from engine.contract.run_spec import RunSpec


def count_trials(spec: RunSpec) -> float:
    """Return the approximate number of trials of all agents and replicates."""
    budget = spec.budget
    each = budget.task_evaluations + count_test_tasks(spec)
    tuned = sum(e.knobs.get("tuning", "given") != "given" for e in spec.learners)
    tuning = tuned * TUNING_TRIALS * budget.tuning_tasks
    return float(spec.replicates * (len(spec.learners) * each + tuning))


def count_played_episodes(spec: RunSpec) -> float:
    """Return the approximate number of episodes of all agents and replicates."""
    return count_trials(spec) * spec.budget.horizon


COSTS[RL.name] = CostModel(count_trials, count_played_episodes)
