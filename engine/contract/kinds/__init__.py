"""The kinds of task: the name, wording, metrics and criteria of each.

Each kind has a module of its name here. What it computes or draws stands in a module of
that name in each layer: how its tasks are judged in `engine.judges`, its films in
`engine.runner.films`, its verdict in `engine.stats.verdicts`, its charts in
`app.charts`, the view of its runs in `app.views.run`.
"""

from collections.abc import Iterable

from engine.contract.kinds.by_kind import ByKind
from engine.contract.kinds.few_shot import FEW_SHOT
from engine.contract.kinds.kind_record import (
    Criterion,
    FieldWords,
    Kind,
    Metrics,
    Words,
)
from engine.contract.kinds.optimization import OPTIMIZATION
from engine.contract.kinds.rl import RL
from engine.contract.kinds.search import SEARCH

__all__ = [
    "FEW_SHOT",
    "KINDS",
    "OLD_NAMES",
    "OPTIMIZATION",
    "RL",
    "SEARCH",
    "ByKind",
    "Criterion",
    "FieldWords",
    "Kind",
    "Metrics",
    "Words",
    "current_name",
    "kind_named",
    "mismatch",
    "recorded_kind",
]
# In the order of the menus.
KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (OPTIMIZATION, FEW_SHOT, RL, SEARCH)
}

# Names of 0.3.0 and earlier; links, stores and scripts that use them still work.
OLD_NAMES = {
    "landscapes": "optimization",
    "episodes": "few_shot",
    "spaces": "search",
    "fewshot": "few_shot",
    "fewshot_smoke": "few_shot_smoke",
    "episode_curves": "few_shot_curves",
}


def current_name(name: str) -> str:
    """Return today's name of a kind, or of something named after one.

    >>> current_name("episodes"), current_name("few_shot"), current_name("smoke")
    ('few_shot', 'few_shot', 'smoke')
    """
    return OLD_NAMES.get(name, name)


def kind_named(name: object) -> Kind:
    """Return a kind by its name, old or new; optimization for an unknown name.

    >>> kind_named("few_shot").title, kind_named(None).title
    ('Few-shot', 'Optimizer')
    """
    return KINDS.get(current_name(str(name)), OPTIMIZATION)


def mismatch(learner: str, solves: Iterable[str], family: str, kind: str) -> str:
    """Return the error for a learner and a family of different kinds.

    >>> mismatch("lr_scale", ["optimization"], "sinusoids", "few_shot")
    'lr_scale learns optimizers; sinusoids is a few-shot family'
    """
    does = " or ".join(KINDS[each].words.does for each in sorted(solves))
    return f"{learner} {does}; {family} is {KINDS[kind].words.family}"


# Metrics that told a kind when specs did not yet contain it.
_OLD_SEARCH = frozenset({"regret", "regret_area", "validation_regret"})
_OLD_FEW_SHOT = frozenset({"lesson_loss", "validation_error", "error"})


def recorded_kind(metrics: Iterable[str]) -> str:
    """Return the kind of a run whose spec is too old to contain it.

    Args:
        metrics: Names of the run's metrics.

    Returns:
        The kind's name; empty if there are no metrics.

    >>> recorded_kind(["area"]), recorded_kind(["query_mse"]), recorded_kind([])
    ('optimization', 'few_shot', '')
    """
    held = set(metrics)
    if held & _OLD_SEARCH:
        return SEARCH.name
    if held & _OLD_FEW_SHOT or any(name.startswith("query_") for name in held):
        return FEW_SHOT.name
    return OPTIMIZATION.name if held else ""
