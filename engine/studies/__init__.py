"""Studies: sentences that the field repeats, each with the runs that decide about it.

Pure data: specs like any other, so that they are queued, cached, resumed and exported
like any other. `engine.stats.claims_board` judges their numbers.
"""

from functools import cache

from engine.contract.errors import Refused
from engine.studies.benchmarks import ground
from engine.studies.builders import Study
from engine.studies.scaling import scaling
from engine.studies.transfer import transferring

__all__ = ["Study", "studies", "study"]


@cache
def studies() -> tuple[Study, ...]:
    """Return every study, on what is here; parts must have been discovered."""
    here = ground()
    return (*transferring(here), *scaling(here))


def study(name: str) -> Study:
    """Return the study of that name.

    Raises:
        Refused: If there is none; the message lists what there is.
    """
    for found in studies():
        if found.name == name:
            return found
    have = ", ".join(found.name for found in studies())
    raise Refused(f"no study is called {name[:40]!r}; there are: {have}", "study")
