"""How tasks of a kind are judged: while training, and task by task in the tests."""

from engine.contract.kinds import FEW_SHOT, OPTIMIZATION, SEARCH
from engine.judges.few_shot import EpisodeJudge
from engine.judges.judge import Judge
from engine.judges.optimization import LandscapeJudge
from engine.judges.search import SpaceJudge

JUDGES: dict[str, Judge] = {
    OPTIMIZATION.name: LandscapeJudge(),
    FEW_SHOT.name: EpisodeJudge(),
    SEARCH.name: SpaceJudge(),
}

__all__ = ["JUDGES", "Judge"]
