"""The summary's numbers as rows of text, condition by condition."""

from collections.abc import Mapping
from typing import Any

from app.charts.optimization import condition_title
from app.client.client import Run
from app.figures.theme import format_number, learner_name
from engine.contract.events import Condition
from engine.contract.metrics import METRICS
from engine.stats.verdicts.wording import join_words

# Scores that count a task which diverged with a cap.
CAPPED = frozenset({name for name, m in METRICS.items() if m.worst}) | {
    "area",
    "error",
    "nll",
}

_LOST = {"nll": "nll_capped"}  # what counts the tasks at the cap, if not those lost


def score_rows(run: Run, titles: dict[str, str]) -> list[dict[str, str]]:
    """Return the summary's numbers as rows of text: value [low, high]."""
    rows = []
    for entry in (run.summary or {}).get("conditions", []):
        condition = Condition(**entry["condition"])
        for label, values in entry["learners"].items():
            shown = {
                title: _format_score(run, key, values)
                for key, title in run.kind.metrics.scores.items()
                if key in values
            }
            gone = f"{values.get('diverged', 0)} of {values.get('members', 0)}"
            first = {
                "Tested": condition_title(condition, run.spec, titles),
                "Learner": learner_name(label),
            }
            rows.append({**first, **shown, "Diverged": gone})
    return rows


def _format_score(run: Run, key: str, values: Mapping[str, Any]) -> str:
    """Return a score as text; one that holds a cap is "at least" so much."""
    arrived = (values.get("reached") or {}).get("mean")
    if key == "rmst" and arrived is not None:
        share, total = arrived, 1.0
    else:
        lost = values.get(_LOST.get(key, "diverged"), 0)
        total = values.get("members", 0)
        # Of classes, all wrong is the true worst.
        is_share = key == "error" and "final_accuracy" in values
        share = total - lost if key in CAPPED and not is_share else total
    if total and not share and key not in _LOST:
        return "not reached" if key == "rmst" else "blew up"
    text = format_interval(values[key], percent=key in run.kind.metrics.percent)
    if share == total:
        return text
    # The interval of numbers that are cut off would be about the cap.
    return f"at least {text.partition(' [')[0]}"


def constant_spread_notes(run: Run) -> list[str]:
    """Say which learners only predict values, so that they were given a density."""
    labels = (run.summary or {}).get("constant_spread", [])
    if not labels:
        return []
    names = join_words([learner_name(label) for label in labels])
    return [
        "Likelihood, coverage and calibration are of a constant spread, from "
        f"validation: {names}."
    ]


def format_interval(value: Mapping[str, float | None], *, percent: bool = False) -> str:
    """Return a mean and its interval as text: value [low, high]."""
    parts = [value.get(key) for key in ("mean", "low", "high")]
    # Searches of a table differ only in the second decimal of an accuracy.
    shown = (lambda part: f"{100 * part:.2f}") if percent else format_number
    mean, low, high = ("n/a" if p is None else shown(p) for p in parts)
    return f"{mean} [{low}, {high}]"
