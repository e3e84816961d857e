"""Scores per kind of task: the validation score, and summaries of each test task."""

from engine.judges.judge import JUDGES, Judge

__all__ = ["JUDGES", "Judge"]
