"""Cost of few-shot runs: counted in episodes, timed by gradients."""

from app.experiment.costs import COSTS, TUNING_TRIALS, CostModel, count_test_tasks
from engine.contract.kinds import FEW_SHOT
from engine.contract.run_spec import RunSpec


def count_episodes(spec: RunSpec) -> float:
    """Return the approximate number of episodes of all learners and replicates."""
    budget = spec.budget
    each = budget.task_evaluations + count_test_tasks(spec)
    tuned = sum(e.knobs.get("tuning", "given") != "given" for e in spec.learners)
    tuning = tuned * TUNING_TRIALS * budget.tuning_tasks
    return float(spec.replicates * (len(spec.learners) * each + tuning))


def count_answers(spec: RunSpec) -> int:
    """Return how often a test episode is answered: online, after each example."""
    knobs = spec.family.knobs
    shots = knobs.get("shots", 1) if knobs.get("online") else 1
    return int(knobs.get("presentations", shots))


def count_episode_gradients(spec: RunSpec) -> float:
    """Return the approximate number of gradients of all learners and replicates.

    An episode takes one for the query loss and one per inner step of the learner.
    """
    budget = spec.budget
    total = 0.0
    for learner in spec.learners:
        knobs = learner.knobs
        inner = int(knobs.get("inner_steps", 0))
        steps = int(knobs.get("steps", 0) or knobs.get("test_steps", 0) or inner)
        answered = 1 + (max(steps, budget.horizon) if steps else 0)
        answered *= count_answers(spec)
        met = budget.task_evaluations * (1 + inner) + count_test_tasks(spec) * answered
        tuned = knobs.get("tuning", "given") != "given"
        total += met + tuned * TUNING_TRIALS * budget.tuning_tasks * answered
    return spec.replicates * total


COSTS[FEW_SHOT.name] = CostModel(count_episodes, count_episode_gradients)
