"""Studies: claims that the field repeats, each with the runs that test it.

Pure data: their specs are queued, cached, resumed and exported like any other.
`engine.stats.claims_board` judges the results.
"""

from functools import cache

from engine.contract.errors import Refused
from engine.studies.agents import agent_studies
from engine.studies.definition import Study
from engine.studies.few_shot import few_shot_studies
from engine.studies.few_shot_methods import few_shot_method_studies
from engine.studies.optimizers import optimizer_studies
from engine.studies.patterns_and_costs import pattern_and_cost_studies
from engine.studies.study_benchmarks import study_benchmark
from engine.studies.transfer import transfer_studies

__all__ = ["Study", "studies", "study"]


@cache
def studies() -> tuple[Study, ...]:
    """Return every study, on the available data; parts must have been discovered."""
    here = study_benchmark()
    searches = (*transfer_studies(here), *pattern_and_cost_studies(here))
    few_shot = (*few_shot_method_studies(), *few_shot_studies())
    return (*searches, *optimizer_studies(), *few_shot, *agent_studies())


def study(name: str) -> Study:
    """Return the study of that name.

    Raises:
        Refused: If there is none; the message lists the existing ones.
    """
    for found in studies():
        if found.name == name:
            return found
    have = ", ".join(found.name for found in studies())
    raise Refused(f"no study is called {name[:40]!r}; there are: {have}", "study")
