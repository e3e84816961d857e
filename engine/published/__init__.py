"""Published figures to compare runs with, each with its protocol and its source.

A published number is only comparable under its protocol, so every row states it. Its
provenance is stated, too: read in the source itself, or taken from another paper, a
review or a replication. What nobody could read again is left out.
"""

from engine.contract.run_spec import RunSpec
from engine.published import few_shot, rl, search
from engine.published.published_figure import HEARD, READ, PublishedFigure

__all__ = [
    "HEARD",
    "READ",
    "ROWS",
    "PublishedFigure",
    "describe_differences",
    "figures_for_run",
    "figures_for_task",
]

ROWS = (*few_shot.rows(), *rl.rows(), *search.rows())


def figures_for_task(
    task: str, ways: int, shots: int, target: str = "", trial: str = ""
) -> list[PublishedFigure]:
    """Return the published figures of a task.

    Args:
        task: Name of the family here.
        ways: Classes of an episode; 0 for regression and searches.
        shots: Examples per class, or in all for regression; 0 for searches.
        target: Data set that is searched on; empty for episodes.
        trial: Size of the trials of agents; empty for others.

    >>> [row.value for row in figures_for_task("sinusoids", 0,
    ...     5) if row.learner == "maml"]
    [1.13]
    """
    wanted = (task, ways, shots, target, trial)
    return [r for r in ROWS if (r.task, r.ways, r.shots, r.target, r.trial) == wanted]


def figures_for_run(spec: RunSpec) -> list[PublishedFigure]:
    """Return the published figures to show beside a run's test in distribution.

    Args:
        spec: The completed spec; its family's name, ways, shots and target must match.
    """
    knobs = spec.family.knobs
    sizes = int(knobs.get("ways", 0)), int(knobs.get("shots", 0))
    target, trial = str(knobs.get("target", "")), rl.describe_trial(spec)
    return figures_for_task(spec.family.name, *sizes, target, trial)


def describe_differences(spec: RunSpec) -> list[str]:
    """Return how a run's searches differ from those of the papers, in sentences.

    Args:
        spec: The completed spec of a run that has published figures.

    Returns:
        A sentence per difference; empty if there is none.
    """
    return search.describe_differences(spec) if spec.family.name == search.TASK else []
