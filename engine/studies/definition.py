"""What a study is: a sentence of the field, and how it is put to the test.

The protocol is fixed before anything is measured, and says what would count for the
sentence and what against it.
"""

from typing import Any, NamedTuple

from engine.contract.runs import Budget, Choice, LearnerChoice, RunSpec
from engine.presets.builders import baseline, candidate, spec_as_json

# At least 50 searches of everything: trainings × searches of each.
TRAININGS, SEARCHES, HORIZON = 10, 5, 100
SEED = 11


class Study(NamedTuple):
    """One sentence, and the runs that decide about it.

    Args:
        name: Also of the judge in `engine.stats.claims_board`.
        title: In a list.
        sentence: As the field repeats it.
        protocol: What is run, what is measured, and what counts as supported, not
            supported, or depends.
        specs: The runs; several studies share theirs, so they are computed once.
        ground: On which space it is measured.
        matrix: Whether its runs fill a transfer matrix.
    """

    name: str
    title: str
    sentence: str
    protocol: str
    specs: tuple[RunSpec, ...]
    ground: str
    matrix: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as data, its specs without what is default."""
        return self._asdict() | {"specs": [spec_as_json(spec) for spec in self.specs]}


COLD = baseline("regularized_evolution", "cold")
RANDOM = baseline("random_search")
WARM = candidate("warm_evolution", "warm")
GATED = candidate("warm_evolution", "gated", gate=0.3)
SHUFFLED = baseline("warm_evolution", "shuffled", shuffled=True)


def search_spec(
    family: Choice,
    *learners: LearnerChoice,
    sources: int = 14,
    horizon: int = HORIZON,
    tests: tuple[Choice, ...] = (),
) -> RunSpec:
    """Return a run of searches on tables.

    Args:
        family: What is learned on, and searched on.
        learners: Who searches.
        sources: How many searches each training does on the tasks it learns from.
        horizon: Evaluations of a search.
        tests: Further families to be searched on.
    """
    return RunSpec(
        family=family,
        test_families=tests,
        learners=learners,
        budget=Budget(
            task_evaluations=sources,
            tasks_per_step=sources,
            validation_tasks=1,
            validate_every=10_000,
            test_tasks=SEARCHES,
            horizon=horizon,
        ),
        replicates=TRAININGS,
        seed=SEED,
    )
