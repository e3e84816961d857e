"""Every kind of task, once: its name, its words, its metrics, and what decides in it.

The record of a kind stands in a file of its name here. What a kind computes or draws
stands in a file of that name in each layer: how its tasks are judged in
`engine.judges`, what is filmed in `engine.runner.films`, what its verdict says in
`engine.stats.verdicts`, which charts it has in `app.charts`, how a run of it is viewed
in `app.views.run`.
"""

from collections.abc import Iterable

from engine.contract.kinds.few_shot import FEW_SHOT
from engine.contract.kinds.layers import ByKind
from engine.contract.kinds.optimization import OPTIMIZATION
from engine.contract.kinds.record import Criterion, FieldWords, Kind, Metrics, Words
from engine.contract.kinds.search import SEARCH

__all__ = [
    "FEW_SHOT",
    "KINDS",
    "OLD_NAMES",
    "OPTIMIZATION",
    "SEARCH",
    "ByKind",
    "Criterion",
    "FieldWords",
    "Kind",
    "Metrics",
    "Words",
    "current_name",
    "first_of_page",
    "kind_named",
    "mismatch",
    "recorded_kind",
]
# In the order in which the screen offers them.
KINDS: dict[str, Kind] = {kind.name: kind for kind in (OPTIMIZATION, FEW_SHOT, SEARCH)}

# What 0.3.0 and earlier wrote; links, stores and scripts with these names still open.
OLD_NAMES = {
    "landscapes": "optimization",
    "episodes": "few_shot",
    "spaces": "search",
    "fewshot": "few_shot",
    "fewshot_smoke": "few_shot_smoke",
    "episode_curves": "few_shot_curves",
}


def current_name(name: str) -> str:
    """Return what a kind, or what is named after one, is called today.

    >>> current_name("episodes"), current_name("few_shot"), current_name("smoke")
    ('few_shot', 'few_shot', 'smoke')
    """
    return OLD_NAMES.get(name, name)


def kind_named(name: object) -> Kind:
    """Return a kind; the first one where none has that name.

    >>> kind_named("few_shot").title, kind_named(None).title
    ('Few-shot', 'Optimizer')
    """
    return KINDS.get(current_name(str(name)), OPTIMIZATION)


def first_of_page(page: str) -> Kind:
    """Return the kind that a page begins with.

    >>> first_of_page("search").name, first_of_page("lab").name
    ('search', 'optimization')
    """
    return next((kind for kind in KINDS.values() if kind.page == page), OPTIMIZATION)


def mismatch(learner: str, solves: Iterable[str], family: str, kind: str) -> str:
    """Say that a learner is for another kind of task than a family draws.

    >>> mismatch("lr_scale", ["optimization"], "sinusoids", "few_shot")
    'lr_scale learns optimizers; sinusoids is a few-shot family'
    """
    does = " or ".join(KINDS[each].words.does for each in sorted(solves))
    return f"{learner} {does}; {family} is {KINDS[kind].words.family}"


# Metrics that only one kind had, when specs did not say their kind yet.
_OLD_SEARCH = frozenset({"regret", "regret_area", "validation_regret"})
_OLD_FEW_SHOT = frozenset({"lesson_loss", "validation_error", "error"})


def recorded_kind(metrics: Iterable[str]) -> str:
    """Return the kind of a run that was recorded when specs did not say theirs.

    Args:
        metrics: Names of what it holds.

    Returns:
        The kind's name; empty where there are no metrics.

    >>> recorded_kind(["area"]), recorded_kind(["query_mse"]), recorded_kind([])
    ('optimization', 'few_shot', '')
    """
    held = set(metrics)
    if held & _OLD_SEARCH:
        return SEARCH.name
    if held & _OLD_FEW_SHOT or any(name.startswith("query_") for name in held):
        return FEW_SHOT.name
    return OPTIMIZATION.name if held else ""
