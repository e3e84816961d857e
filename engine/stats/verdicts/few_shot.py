"""The terms of the verdict on few-shot tasks.

Levels are accuracies or mean squared errors, with the interval over trainings; of a
single training with the papers' interval over its episodes, which is said.
"""

from collections.abc import Sequence

from engine.contract.kinds import FEW_SHOT
from engine.contract.runs import LearnerChoice
from engine.stats.claims import Claim
from engine.stats.condition_words import place, sizes_of
from engine.stats.inference.metric_levels import level
from engine.stats.inference.spreads import spread
from engine.stats.verdicts.evidence import Evidence, gap, ordered
from engine.stats.verdicts.terms import TERMS, Terms
from engine.stats.verdicts.wording import counted, listed, titled

SINGLE = (
    "One training: these intervals are over its episodes only; how much another "
    "training would differ is unknown."
)


def _head(run: Evidence) -> str:
    knobs, (trainings, episodes) = run.spec.family.knobs, run.shape()
    ways = [f"{knobs['ways']}-way"] if run.rule.share and "ways" in knobs else []
    shots = [f"{knobs['shots']}-shot"] if "shots" in knobs else []
    sizes = f"n = {counted(trainings, 'training')} × {counted(episodes, 'episode')}"
    told = "; ".join(part for part in (" ".join([*ways, *shots]), sizes) if part)
    return f"On unseen {run.family} ({told})"


def _levels(run: Evidence, learners: Sequence[LearnerChoice]) -> str:
    labels = run.tested(learners)
    return listed([f"{run.names[at]} {_unit(run)}{_level(run, at)}" for at in labels])


def _description(run: Evidence, here: Claim) -> str:
    levels = _both_levels(run, here.learner, here.against)
    return f"{run.names[here.learner]} {levels} of {run.names[here.against]}."


def _facts(run: Evidence, here: Claim) -> list[str]:
    ahead, behind = ordered(here)
    mine, other = run.diverged(ahead, behind)
    size = run.shape().replicates * run.shape().tasks
    lost = [f"diverged {mine} against {other} of {size:,}"] if mine or other else []
    return [_both_levels(run, ahead, behind), _gap(run, here), *lost]


def _both_levels(run: Evidence, first: str, second: str) -> str:
    return f"{_unit(run)}{_level(run, first)} against {_level(run, second)}"


def _level(run: Evidence, label: str) -> str:
    """Write a learner's level in distribution with its interval."""
    errors = run.deciding(label)
    if errors is None:
        return "not tested"
    rows = 1.0 - errors if run.rule.share else errors
    found = level(run.rule.told if run.rule.share else run.rule.deciding, rows)
    text = f"{_number(run, found.mean)}{' %' if run.rule.share else ''}"
    if found.n > 1:
        return f"{text} [{_number(run, found.low)}, {_number(run, found.high)}]"
    return f"{text} ± {_number(run, spread(rows).half)}" if _single(run) else text


def _gap(run: Evidence, here: Claim) -> str:
    found = gap(here)
    ends = f"{_number(run, found.low)}, {_number(run, found.high)}".replace("-", "−")
    unit = " points" if run.rule.share else ""
    return f"{_number(run, found.mean)}{unit} [{ends}] apart"


def _number(run: Evidence, value: float) -> str:
    return f"{100 * value:.1f}" if run.rule.share else f"{value:.3g}"


def _unit(run: Evidence) -> str:
    return "" if run.rule.share else "MSE "


def _single(run: Evidence) -> bool:
    return run.shape().replicates == 1 < run.shape().tasks


def _ending(run: Evidence) -> list[str]:
    return [*_not_applicable(run), *([SINGLE] if _single(run) else [])]


def _not_applicable(run: Evidence) -> list[str]:
    """Name the conditions that some learner could not take and others could."""
    missing: dict[str, list[str]] = {}
    labels = run.tested(run.spec.learners)
    for condition in run.table.conditions():
        lacking = [
            run.names[at] for at in labels if run.deciding(at, condition) is None
        ]
        if lacking and len(lacking) < len(run.spec.learners):
            at = place(condition, sizes_of(run.spec))
            missing.setdefault(listed(lacking), []).append(at)
    return [
        f"Not applicable to {names}: {listed(places)}."
        for names, places in missing.items()
    ]


TERMS[FEW_SHOT.name] = Terms(
    sample="episode",
    names=titled,
    head=_head,
    levels=_levels,
    description=_description,
    facts=_facts,
    ending=_ending,
)
