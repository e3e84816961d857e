"""Cost of runs of agents: counted in trials, timed by steps in environments."""

from app.client import client
from app.experiment.costs import COSTS, TUNING_TRIALS, CostModel, count_test_tasks
from engine.contract.kinds import RL
from engine.contract.run_spec import LearnerChoice, RunSpec

# A training trial is played and learned from; a test trial is only played.
LEARNING = 3.0


def count_trials(spec: RunSpec) -> float:
    """Return the approximate number of trials of all agents and replicates."""
    return _sum_trials(spec, 1.0)


def count_steps(spec: RunSpec) -> float:
    """Return the approximate number of steps played, or as long as that to learn."""
    steps = int(spec.family.knobs.get("steps", 1))  # a bandit's episode is one pull
    return _sum_trials(spec, LEARNING) * spec.budget.horizon * steps


def _sum_trials(spec: RunSpec, training: float) -> float:
    """Return the trials of all agents and replicates; a training trial weighs more."""
    budget, total = spec.budget, 0.0
    for learner in spec.learners:
        total += count_test_tasks(spec)
        total += _is_trained(learner) * training * budget.task_evaluations
        tuned = learner.knobs.get("tuning", "given") != "given"
        total += tuned * TUNING_TRIALS * budget.tuning_tasks
    return spec.replicates * total


def _is_trained(learner: LearnerChoice) -> bool:
    """Whether an agent learns from other environments, as its card says."""
    card = client.catalogue().cards.get(("learner", learner.name))
    return card is not None and bool(card.traits.get("trains"))


COSTS[RL.name] = CostModel(count_trials, count_steps)
