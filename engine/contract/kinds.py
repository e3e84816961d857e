"""Every kind of task, once: its name, what its tasks are, and what decides in it.

The names are the same everywhere: in code and folders, in `solves` of a part, on the
command line. What a kind's numbers are called on the screen stands in `app.kinds`, how
they are computed in `engine.judges`, how they are compared in
`engine.stats.deciding_metrics`.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    Args:
        name: What it is called everywhere.
        tasks: What its tasks are called in a sentence.
        does: What a learner of it does, in a sentence.
        family: What a family of it is called in a sentence.
        validation: The metric that chooses the checkpoint.
        tuning: The metric that chooses a rate.
        fixed_examples: Whether a learner is built for a task's examples and answers,
            so that it can only be asked about tasks that are alike in both.
        numpy: Whether its tasks hold numpy's arrays instead of tensors.
    """

    name: str
    tasks: str
    does: str
    family: str
    validation: str
    tuning: str
    fixed_examples: bool = False
    numpy: bool = False


OPTIMIZATION = Kind(
    name="optimization",
    tasks="optimization tasks",
    does="learns optimizers",
    family="an optimizer family",
    validation="validation",
    tuning="tuning",
)
FEW_SHOT = Kind(
    name="few_shot",
    tasks="few-shot tasks",
    does="learns few-shot tasks",
    family="a few-shot family",
    validation="validation_error",
    tuning="tuning_error",
    fixed_examples=True,
)
SEARCH = Kind(
    name="search",
    tasks="architecture searches",
    does="searches architectures",
    family="an architecture family",
    validation="validation_regret",
    tuning="validation_regret",
    numpy=True,
)

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


def mismatch(learner: str, solves: Iterable[str], family: str, kind: str) -> str:
    """Say that a learner is for another kind of task than a family draws.

    >>> mismatch("lr_scale", ["optimization"], "sinusoids", "few_shot")
    'lr_scale learns optimizers; sinusoids is a few-shot family'
    """
    does = " or ".join(KINDS[each].does for each in sorted(solves))
    return f"{learner} {does}; {family} is {KINDS[kind].family}"
