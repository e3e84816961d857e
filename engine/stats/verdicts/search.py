"""The terms of the verdict on searches.

The mean regret decides, in the sentence that is shown large; then evaluations to the
goal (restricted means: who never got there counts with the whole horizon), and last
what a strategy had spent before, and when that is paid back.
"""

from collections.abc import Sequence

import numpy as np

from engine.contract.kinds import SEARCH
from engine.contract.runs import LearnerChoice
from engine.stats.block_table import is_trained
from engine.stats.claims import Claim, difference, vary_freely
from engine.stats.family_names import place_of
from engine.stats.independent_units import level_of
from engine.stats.inference.intervals import Interval
from engine.stats.search.break_even import break_even
from engine.stats.verdicts.evidence import Evidence, gap, ordered
from engine.stats.verdicts.terms import TERMS, Terms
from engine.stats.verdicts.wording import (
    capital,
    counted,
    interval,
    listed,
    number,
    titled,
)

SINGLE = (
    "One training: intervals with a trained strategy are over its searches only; how "
    "much another training would differ is unknown."
)


def _head(run: Evidence) -> str:
    family = run.spec.family
    title = run.titles.get(family.name) or run.family
    where = f" ({family.knobs['target']})" if "target" in family.knobs else ""
    return f"On unseen searches of {title}{where}"


def _levels(run: Evidence, learners: Sequence[LearnerChoice]) -> str:
    found = [f"{run.names[c.label]} {_level(run, c.label)}" for c in learners]
    return f"mean regret {listed(found)} points"


def _description(run: Evidence, here: Claim) -> str:
    mine, other = run.names[here.learner], run.names[here.against]
    return (
        f"{mine} with a mean regret of {_level(run, here.learner)} against "
        f"{_level(run, here.against)} points of {other}."
    )


def _facts(run: Evidence, here: Claim) -> list[str]:
    ahead, behind = (_level(run, label) for label in ordered(here))
    apart = f"{_points(run, gap(here))} apart"
    return [f"mean regret {ahead} against {behind} points", apart]


def _level(run: Evidence, label: str) -> str:
    found = level_of(run.table, run.spec, label, run.rule.deciding)
    return "not tested" if found is None else _points(run, found)


def _points(run: Evidence, found: Interval) -> str:
    mean, low, high = (f"{run.rule.scale * value:.2f}" for value in found[:3])
    text = mean if found.n < 2 else f"{mean} [{low}, {high}]"
    return text.replace("-", "−")


def _sentences(run: Evidence, here: Claim) -> list[str]:
    return [*_holm(here), *_evaluations(run, here), *_sooner(run, here)]


def _holm(here: Claim) -> list[str]:
    """Say why an interval beside 0 is no difference."""
    if here.call != "no difference" or here.equivalent or here.low < 0 < here.high:
        return []
    return [
        "the interval leaves 0 out, but no longer when the other comparisons of this "
        "run are allowed for"
    ]


def _evaluations(run: Evidence, here: Claim) -> list[str]:
    """Say how many evaluations each of two took to the goal."""
    labels = ordered(here)
    goal = run.rule.beside
    found = [level_of(run.table, run.spec, label, goal) for label in labels]
    told = [interval(each) for each in found if each is not None]
    if len(told) < len(labels):
        return []
    text = f"evaluations to {_goal(run)}: {' against '.join(told)}"
    return [f"{text}{_unmet(run, labels)}"]


def _goal(run: Evidence) -> str:
    if run.threshold is not None:
        return f"a regret of {run.rule.scale * run.threshold:g} points"
    share = run.spec.family.knobs.get("goal")
    if not isinstance(share, (int, float)):
        return "the goal"
    return f"the best {100 * share:g} %"


def _unmet(run: Evidence, labels: Sequence[str]) -> str:
    """Say how many searches got to the goal, where some did not."""
    found = [run.table.tests(label, "reached") for label in labels]
    shares = [float(row.mean()) for row in found if row is not None]
    if all(share == 1.0 for share in shares):
        return ""
    told = " and ".join(f"{100 * share:.0f} %" for share in shares)
    return f" ({told} of the searches got there)"


def _sooner(run: Evidence, here: Claim) -> list[str]:
    """Say where the evaluations to the goal tell another story."""
    alike = "no later" if here.call == "worse" else "no sooner"
    speed = {"better": "sooner", "worse": "later", "no difference": alike}
    return [
        f"{run.names[claim.learner]} finds the goal {speed[claim.call]}"
        for claim in run.otherwise(here)
    ]


def _price(run: Evidence, here: Claim) -> list[str]:
    """Say what was evaluated on sources, and how many targets pay it back."""
    label, rival = here.learner, here.against
    source = sum(run.table.spent(label, phase) for phase in ("train", "tune"))
    if not source:
        return []
    text = f"{capital(run.names[label])} took {source:,} evaluations beforehand"
    mine, other = (run.table.tests(at, run.rule.beside) for at in (label, rival))
    if mine is None or other is None:
        return [f"{text}."]
    free = vary_freely(run.table, run.spec, (label, rival))
    saved = difference(run.rule, other, mine, free=free)
    return [f"{text}, {_targets(break_even(source, saved))}."]


def _targets(found: Interval) -> str:
    if not np.isfinite(found.mean):
        return "which no number of targets pays back"
    ends = [number(v) if np.isfinite(v) else "never" for v in (found.low, found.high)]
    count = number(found.mean)
    return f"paid back after {count} targets [{ends[0]}, {ends[1]}]"


def _ending(run: Evidence) -> list[str]:
    """Say what the intervals are over, and what the trained had seen."""
    trainings, searches = run.shape()
    labels = [c.label for c in run.spec.learners]
    if not any(is_trained(run.table, run.spec, label) for label in labels):
        return [f"Measured over {_count(trainings * searches)}."]
    source = run.spec.family.knobs.get("source")
    learned = f" (source: {source})" if source is not None else ""
    each = f"{_count(searches)}{' each' if trainings > 1 else ''}"
    sizes = f"Measured over {counted(trainings, 'training')}{learned} with {each}."
    return [sizes, SINGLE] if trainings == 1 < searches else [sizes]


def _count(n: int) -> str:
    return f"{n:,} {'search' if n == 1 else 'searches'}"


TERMS[SEARCH.name] = Terms(
    sample="search",
    names=titled,
    head=_head,
    levels=_levels,
    description=_description,
    facts=_facts,
    family_name=place_of,
    sentences=_sentences,
    price=_price,
    ending=_ending,
)
