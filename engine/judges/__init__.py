"""How tasks of a kind are judged: while training, and task by task in the tests."""

from engine.judges.few_shot import EpisodeJudge
from engine.judges.judge import Judge
from engine.judges.optimization import LandscapeJudge
from engine.judges.search import SpaceJudge

JUDGES: dict[str, Judge] = {
    "landscapes": LandscapeJudge(),
    "episodes": EpisodeJudge(),
    "spaces": SpaceJudge(),
}

__all__ = ["JUDGES", "Judge"]
