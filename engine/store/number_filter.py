"""A condition on a number of a run, as typed: "area < -3"."""

import math
import re
from typing import NamedTuple

from engine.contract.errors import Refused
from engine.contract.kinds import KINDS
from engine.contract.metrics import METRICS
from engine.contract.text_decoding import clean

# As the screen writes them, and in SQL.
RELATIONS = {"<": "<", "≤": "<=", "≥": ">=", ">": ">", "=": "="}
_TYPED = {sql: sign for sign, sql in RELATIONS.items()}
_FORM = re.compile(r"\s*([A-Za-z_]\w*)\s*(<=|>=|[<>=≤≥])\s*(\S+)\s*")


class NumberFilter(NamedTuple):
    """A condition on a number of a run.

    Args:
        name: One of `number_names`.
        relation: One of `RELATIONS`.
        value: What the number is compared with, in the score's unit.
    """

    name: str
    relation: str
    value: float


def number_names() -> dict[str, str]:
    """Return what runs are filtered by, and its name on the screen.

    These are the scores of every kind of task, the number of replicates, and the
    difference from the main rival.
    """
    named = {"difference": "Difference from the main rival", "replicates": "Replicates"}
    for kind in KINDS.values():
        for name, title in kind.metrics.scores.items():
            named.setdefault(name, title)
        for rule in kind.criteria:
            named.setdefault(rule.deciding, METRICS[rule.deciding].label)
    return named


def parse_number_filter(text: str) -> NumberFilter:
    """Return the condition that a text states.

    Raises:
        Refused: If it is anything else, with what is allowed.

    >>> parse_number_filter("final_regret <= 0.02")
    NumberFilter(name='final_regret', relation='≤', value=0.02)
    """
    found = _FORM.fullmatch(text)
    if not found:
        raise Refused(
            f"write a number, a relation and a value, such as area < -3, not "
            f"{clean(text)[:40]!r}",
            "where",
        )
    name, sign, typed = found.groups()
    if name not in number_names():
        known = ", ".join(sorted(number_names()))
        raise Refused(f"runs have no number {name[:40]!r}; use one of {known}", "where")
    return NumberFilter(name, _TYPED.get(sign, sign), _read_value(typed))


def _read_value(typed: str) -> float:
    try:
        value = float(typed)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Refused(f"the value must be a finite number, not {typed[:40]!r}", "where")
    return value
