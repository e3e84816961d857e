"""How tasks of a kind are judged: while training, and task by task in the tests."""

from engine.judges.judge import JUDGES, Judge

__all__ = ["JUDGES", "Judge"]
