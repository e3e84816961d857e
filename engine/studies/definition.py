"""Definition of a study: a claim of the field, and how it is tested.

The protocol is fixed before anything is measured, and states what would support the
claim and what would refute it.
"""

from typing import Any, NamedTuple

from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec
from engine.presets.builders import baseline, candidate, spec_as_json

# At least 50 searches per condition: trainings × searches of each.
TRAININGS, SEARCHES, HORIZON = 10, 5, 100
SEED = 11


class Study(NamedTuple):
    """One claim, and the runs that test it.

    Args:
        name: Also the name of the judge in `engine.stats.claims_board`.
        title: Short title for lists.
        sentence: The claim, as the field repeats it.
        protocol: What is run, what is measured, and what counts as supported, not
            supported, depends, or can't tell yet.
        specs: The runs; studies that share runs compute them once.
        ground: Name of the space on which it is measured.
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
        """Return the study as JSON data, default values of its specs left out."""
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
        family: Family of the source and target tasks.
        learners: The search strategies.
        sources: Searches of source tasks per training.
        horizon: Evaluations of a search.
        tests: Further families to be searched in meta-test.
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
