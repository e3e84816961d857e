"""The summary's numbers as rows of text, for people."""

from app.door import Run
from app.figures.theme import nice, number
from app.pictures import name
from engine.contract.blocks import Condition


def scores(run: Run, titles: dict[str, str]) -> list[dict[str, str]]:
    """Return the summary's numbers as rows of text: value [low, high]."""
    rows = []
    for entry in (run.summary or {}).get("conditions", []):
        condition = Condition(**entry["condition"])
        for label, values in entry["learners"].items():
            shown = {
                title: _interval(values[key], percent=key in run.kind.percent)
                for key, title in run.kind.scores.items()
                if key in values
            }
            gone = f"{values.get('diverged', 0)} of {values.get('members', 0)}"
            first = {"Tested": name(condition, titles), "Learner": nice(label)}
            rows.append({**first, **shown, "Diverged": gone})
    return rows


def _interval(value: dict[str, float | None], *, percent: bool = False) -> str:
    parts = [value.get(key) for key in ("mean", "low", "high")]
    # An accuracy's second decimal is what searches of a table differ in.
    shown = (lambda part: f"{100 * part:.2f}") if percent else number
    mean, low, high = ("n/a" if p is None else shown(p) for p in parts)
    return f"{mean} [{low}, {high}]"
