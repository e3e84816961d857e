"""Judges of claims on agents: pairs of agents, by their regret in the same trials."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from engine.contract.events import Condition
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable
from engine.stats.claims_board.study_verdict import (
    FinishedRun,
    Measurement,
    StudyVerdict,
    judge_measurements,
    mean_over_units,
    undecided_verdict,
)
from engine.stats.inference.intervals import Interval

UNIT = "% of the regret of random actions saved"


class AgentPair(NamedTuple):
    """Two agents of a run that are compared.

    Args:
        agent: Label of the one that the claim favors.
        against: Label of the other.
        within: By how much the agent may lose more than the other, in percent of what
            random actions lose.
        shift: The shift under which they are tested, at all severities of the run;
            empty for the tasks that they were trained for.
    """

    agent: str
    against: str
    within: float = 0.0
    shift: str = ""


# By study: the pairs that decide, and those that stand beside them.
AGENT_PAIRS: dict[str, tuple[tuple[AgentPair, ...], tuple[AgentPair, ...]]] = {
    "bayes_optimal_memory": (
        (AgentPair("rl2", "bayes_optimum", within=5.0),),
        (AgentPair("rl2", "thompson"), AgentPair("rl2", "random_actions")),
    ),
    "learned_critic": (
        (
            AgentPair("meta_critic", "fresh_critic"),
            AgentPair("meta_critic", "multi_task_policy"),
        ),
        (AgentPair("both_learned", "multi_task_policy"),),
    ),
    "sampling_credit": (
        (AgentPair("maml_rl", "log_prob"),),
        (AgentPair("maml_rl", "policy_from_scratch"),),
    ),
    "harder_tasks": (
        (AgentPair("maml_rl", "policy_from_scratch", shift="goal_outside"),),
        (AgentPair("maml_rl", "policy_from_scratch"),),
    ),
}


def agent_judge(name: str) -> Callable[[Sequence[FinishedRun]], StudyVerdict]:
    """Return the judge of a study of agents.

    Args:
        name: A key of `AGENT_PAIRS`.
    """
    deciding, beside = AGENT_PAIRS[name]

    def judge(runs: Sequence[FinishedRun]) -> StudyVerdict:
        if not runs:
            return undecided_verdict("nothing was run")
        run = runs[0]  # the only one
        table = BlockTable(run.blocks, run.spec.kind)
        found = [_savings(table, pair) for pair in deciding]
        if not all(found):
            return undecided_verdict("an agent was not tested")
        extra = [each for pair in beside for each in _savings(table, pair)]
        return judge_measurements([each for some in found for each in some], extra)

    return judge


def _savings(table: BlockTable, pair: AgentPair) -> list[Measurement]:
    """Return a pair's savings by rising severity; empty if one was not tested."""
    places = [IN_DISTRIBUTION]
    if pair.shift:
        places = [c for c in table.conditions() if c.shift == pair.shift]
    measured = [(c, measure_saving(table, pair, c)) for c in places]
    return [
        Measurement(_title(pair, c), found, UNIT, -pair.within)
        for c, found in measured
        if found is not None
    ]


def _title(pair: AgentPair, at: Condition) -> str:
    where = f", {at.shift} {at.severity:g}" if at.shift else ""
    return f"regret of {pair.agent} against {pair.against}{where}"


def measure_saving(
    table: BlockTable, pair: AgentPair, condition: Condition
) -> Interval | None:
    """Return how much less an agent loses than the other, over replicates.

    Args:
        table: The run's blocks.
        pair: Who is compared.
        condition: Where.

    Returns:
        In percent of what random actions lose in the same trials; None where one of
        them was not tested.
    """
    own = table.test_values(pair.agent, "trial_regret", condition)
    other = table.test_values(pair.against, "trial_regret", condition)
    random = table.test_values(pair.agent, "random_regret", condition)
    if own is None or other is None or random is None:
        return None
    less = other.mean(axis=1) - own.mean(axis=1)
    return mean_over_units(100.0 * less / random.mean(axis=1))
