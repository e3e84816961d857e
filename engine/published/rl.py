"""Published returns of agents on bandits and tabular MDPs, by the length of a trial.

Source: Duan et al. (2016), arXiv:1611.02779, tables 1 and 2; Mishra et al. (2018),
arXiv:1707.03141, tables 3 and 4, for SNAIL.
"""

from collections.abc import Iterator

from engine.contract.run_spec import RunSpec
from engine.published.published_figure import (
    HEARD,
    MethodFigures,
    PublishedFigure,
    without_intervals,
)

BANDIT, MDP = "bernoulli_bandit", "tabular_mdp"
_RL2, _SNAIL = "Duan et al. 2016 (RL²)", "Mishra et al. 2018 (SNAIL)"
PULLED = (
    "Mean total reward of a trial; arms pay 1 with p ~ U(0, 1). An arm that was never "
    "pulled counts as the mean of its prior for greedy and UCB1"
)
PLAYED = (
    "Mean total reward of a trial; 10 states, 5 actions, 10 steps an episode, dynamics "
    "~ Dirichlet(1), mean rewards ~ N(1, 1), their noise of variance 1"
)
BANDITS = ((5, 10), (10, 10), (5, 100), (10, 100), (5, 500))  # arms, pulls
MDPS = (10, 100)  # episodes

# Knobs that a run must share with the papers.
_SAME: dict[str, dict[str, float]] = {
    BANDIT: {"low": 0.0, "high": 1.0},
    MDP: {"states": 10, "actions": 5, "steps": 10},
}


def _method(method: str, learner: str, *values: float) -> MethodFigures:
    source = _SNAIL if learner == "snail_policy" else _RL2
    return MethodFigures(method, learner, without_intervals(*values), source, HEARD)


_BANDIT_ROWS = (
    _method("Random", "random_actions", 5.0, 5.0, 49.9, 49.9, 249.8),
    _method("Gittins index", "gittins", 6.6, 6.6, 78.3, 82.8, 405.8),
    _method("Thompson sampling", "thompson", 5.7, 5.5, 74.7, 76.7, 402.0),
    _method("UCB1", "ucb1", 6.7, 6.7, 78.0, 82.4, 405.8),
    _method("ε-greedy", "epsilon_greedy", 6.6, 6.6, 75.4, 77.4, 388.2),
    _method("Greedy", "greedy", 6.6, 6.6, 74.8, 77.1, 380.6),
    _method("RL²", "rl2", 6.7, 6.7, 78.7, 83.5, 401.6),
    _method("SNAIL", "snail_policy", 6.6, 6.7, 79.1, 83.5, 408.1),
)
_MDP_ROWS = (
    _method("Random", "random_actions", 100.1, 999.4),
    _method("PSRL", "psrl", 138.1, 1939.5),
    _method("OPSRL", "", 144.1, 1973.9),
    _method("UCRL2", "", 146.6, 1942.1),
    _method("ε-greedy", "", 132.8, 1778.2),
    _method("RL²", "rl2", 156.2, 1913.7),
    _method("SNAIL", "snail_policy", 159.1, 1953.1),
)


def rows() -> Iterator[PublishedFigure]:
    """Yield every published return, method by method."""
    pulled = [f"{arms} arms, {pulls} pulls" for arms, pulls in BANDITS]
    played = [f"{count} episodes" for count in MDPS]
    yield from _figures(BANDIT, _BANDIT_ROWS, pulled, PULLED)
    yield from _figures(MDP, _MDP_ROWS, played, PLAYED)


def _figures(
    task: str, methods: tuple[MethodFigures, ...], trials: list[str], protocol: str
) -> Iterator[PublishedFigure]:
    for one in methods:
        for trial, figure in zip(trials, one.figures, strict=True):
            assert figure is not None
            yield PublishedFigure(
                task,
                0,
                0,
                one.method,
                one.learner,
                *figure,
                protocol,
                one.source,
                one.provenance,
                trial=trial,
            )


def describe_trial(spec: RunSpec) -> str:
    """Return a run's trials in the words of the rows; empty if nothing is published.

    Args:
        spec: The completed spec.
    """
    family, length = spec.family, spec.budget.horizon
    if any(family.knobs.get(k) != v for k, v in _SAME.get(family.name, {}).items()):
        return ""
    if family.name == BANDIT:
        return f"{family.knobs.get('arms')} arms, {length} pulls"
    return f"{length} episodes" if family.name == MDP else ""
