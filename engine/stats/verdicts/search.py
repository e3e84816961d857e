"""The verdict on searches: claims in words, whoever wins.

For each chosen strategy: what was found in place against the best baseline, by mean
regret, in the sentence that is shown large; then evaluations to the goal (restricted
means: who never got there counts with the whole horizon), the other baselines, where
it was carried to, what it had spent before, and when that is paid back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.block_table import HERE, Table, baselines, chosen, is_trained
from engine.stats.claims import Claim, difference, vary_freely
from engine.stats.condition_words import words
from engine.stats.family_names import place_of
from engine.stats.independent_units import level_of
from engine.stats.inference.intervals import Interval
from engine.stats.search.break_even import break_even
from engine.stats.verdicts.phrases import away, grouped
from engine.stats.verdicts.wording import (
    be,
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


class SearchSpeaker:
    """Says what a run of searches found.

    Args:
        table: The run's blocks.
        spec: The run.
        titles: What parts are called, by name; spelled from the name otherwise.
        level: The regret that the goal was moved to, share; none for the run's own.
    """

    def __init__(
        self,
        table: Table,
        spec: RunSpec,
        titles: Mapping[str, str] | None = None,
        level: float | None = None,
    ) -> None:
        self.table, self.spec, self.rule = table, spec, table.yardstick
        self.level = level
        self.names, self.titles = titled(spec, titles), titles or {}

    def verdict(self, claims: Sequence[Claim]) -> str:
        """Return the sentences for all chosen strategies, or why there is none."""
        about, against = chosen(self.spec), baselines(self.spec)
        if not about:
            return f"{self._alone(against)} Only baselines: no verdict."
        if not against:
            return f"{self._alone(about)} Baselines were turned off: no verdict."
        parts = [self._about(c.label, claims) for c in about]
        parts[1:] = [capital(part) for part in parts[1:]]
        text = " ".join([f"{self._head()}: {parts[0]}", *parts[1:], self._sizes()])
        return f"{text} {SINGLE}" if self._single() else text

    def _head(self) -> str:
        name, knobs = self.spec.family.name, self.spec.family.knobs
        title = self.titles.get(name) or words(name)
        where = f" ({knobs['target']})" if "target" in knobs else ""
        return f"On unseen searches of {title}{where}"

    def _sizes(self) -> str:
        """Say what the intervals are over, and what the trained had seen."""
        rows, searches = self._shape()
        if not self._trained():
            return f"Measured over {_searches(rows * searches)}."
        source = self.spec.family.knobs.get("source")
        learned = f" (source: {source})" if source is not None else ""
        each = f"{_searches(searches)}{' each' if rows > 1 else ''}"
        return f"Measured over {counted(rows, 'training')}{learned} with {each}."

    def _goal(self) -> str:
        if self.level is not None:
            return f"a regret of {self.rule.scale * self.level:g} points"
        share = self.spec.family.knobs.get("goal")
        if not isinstance(share, (int, float)):
            return "the goal"
        return f"the best {100 * share:g} %"

    def _known_goal(self) -> bool:
        return any(self._goals(c.label) is not None for c in self.spec.learners)

    def _goals(self, label: str) -> Interval | None:
        return level_of(self.table, self.spec, label, self.rule.beside)

    def _trained(self) -> list[str]:
        labels = [c.label for c in self.spec.learners]
        return [at for at in labels if is_trained(self.table, self.spec, at)]

    def _shape(self) -> tuple[int, int]:
        found = [
            self.table.tests(c.label, self.rule.deciding) for c in self.spec.learners
        ]
        rows = next((row for row in found if row is not None), np.zeros((0, 0)))
        return rows.shape[0], rows.shape[1]

    def _single(self) -> bool:
        return bool(self._trained()) and self._shape()[0] == 1 < self._shape()[1]

    def _alone(self, learners: Sequence[LearnerChoice]) -> str:
        told = [f"{self.names[c.label]} {self._level(c.label)}" for c in learners]
        return f"{self._head()}: mean regret {listed(told)} points."

    def _about(self, label: str, claims: Sequence[Claim]) -> str:
        mine = [c for c in claims if c.learner == label]
        facing = [c for c in mine if c.primary and c.metric == self.rule.deciding]
        here = next((c for c in facing if c.condition == HERE), None)
        if here is None:
            return f"{self.names[label]} was not tested beside a baseline: no verdict."
        beside = [c for c in mine if c.condition == HERE]
        if here.call == "description":
            return f"{self._described(here)} One search: no verdict."
        others = [
            (self.names[c.against], c.call)
            for c in beside
            if c.metric == self.rule.deciding and not c.primary
        ]
        told = ["; ".join([self._in_place(here), *grouped(others)]), *_allowed(here)]
        told += [*self._evaluations(here), *self._sooner(here, beside)]
        there = [c for c in facing if c.condition != HERE]
        told[1:] = [capital(sentence) for sentence in told[1:]]
        text = f"{'. '.join(told)}. {self._away(there)}".strip()
        return f"{text} {self._paid(here)}".strip()

    def _described(self, here: Claim) -> str:
        mine, other = self.names[here.learner], self.names[here.against]
        return (
            f"{mine} with a mean regret of {self._level(here.learner)} against "
            f"{self._level(here.against)} points of {other}."
        )

    def _in_place(self, here: Claim) -> str:
        ahead, behind = _ordered(here)
        mine, other = self.names[ahead], self.names[behind]
        found = f"{mine} {be(mine)} better than {other}"
        if here.call == "no difference":
            within = f" to within {self.rule.within}" if here.equivalent else ""
            sure = "no" if here.equivalent else "no certain"
            found = f"{sure} difference between {mine} and {other}{within}"
        levels = f"{self._level(ahead)} against {self._level(behind)} points"
        return f"{found} (mean regret {levels}, {self._gap(here)})"

    def _level(self, label: str) -> str:
        rows = self.table.tests(label, self.rule.deciding)
        found = level_of(self.table, self.spec, label, self.rule.deciding)
        if rows is None or found is None:
            return "not tested"
        return self._points(found)

    def _points(self, found: Interval) -> str:
        mean, low, high = (f"{self.rule.scale * value:.2f}" for value in found[:3])
        text = mean if found.n < 2 else f"{mean} [{low}, {high}]"
        return text.replace("-", "−")

    def _gap(self, here: Claim) -> str:
        """Write by how much they differ; positive is in favor of the one ahead."""
        sign = -1.0 if here.difference < 0 else 1.0
        low, high = sorted((sign * here.low, sign * here.high))
        size = abs(here.difference)
        return f"{self._points(Interval(size, low, high, 2))} apart"

    def _evaluations(self, here: Claim) -> list[str]:
        ahead, behind = _ordered(here)
        first, second = self._goals(ahead), self._goals(behind)
        if first is None or second is None:
            return []
        text = f"evaluations to {self._goal()}: {interval(first)} against "
        return [f"{text}{interval(second)}{self._unmet(ahead, behind)}"]

    def _unmet(self, *labels: str) -> str:
        """Say how many never got there, where some did not."""
        found = [self.table.tests(label, "reached") for label in labels]
        shares = [float(row.mean()) for row in found if row is not None]
        if all(share == 1.0 for share in shares):
            return ""
        told = " and ".join(f"{100 * share:.0f} %" for share in shares)
        return f" ({told} of the searches got there)"

    def _sooner(self, here: Claim, beside: Sequence[Claim]) -> list[str]:
        """Say where the evaluations to the goal tell another story."""
        alike = "no later" if here.call == "worse" else "no sooner"
        spoken = {"better": "sooner", "worse": "later", "no difference": alike}
        return [
            f"{self.names[claim.learner]} finds the goal {spoken[claim.call]}"
            for claim in beside
            if claim.primary and claim.metric == self.rule.beside
            if claim.call in spoken and claim.call != here.call
        ]

    def _away(self, claims: Sequence[Claim]) -> str:
        if not claims:
            return ""
        named = [
            replace(c, condition=replace(c.condition, family=at))
            for c in claims
            for at in (place_of(self.spec, c.condition.family),)
        ]
        return away(named, self.names[claims[0].against])

    def _paid(self, here: Claim) -> str:
        """Say what was evaluated on sources, and how many targets pay it back."""
        label, rival = here.learner, here.against
        source = sum(self.table.spent(label, phase) for phase in ("train", "tune"))
        if not source:
            return ""
        text = f"{capital(self.names[label])} took {source:,} evaluations beforehand"
        pair = [self.table.tests(at, self.rule.beside) for at in (rival, label)]
        if pair[0] is None or pair[1] is None:
            return f"{text}."
        free = vary_freely(self.table, self.spec, (label, rival))
        saved = difference(self.rule, pair[0], pair[1], free=free)
        return f"{text}, {_targets(break_even(source, saved))}."


def _ordered(here: Claim) -> tuple[str, str]:
    """Return the two labels of a claim, the better one first."""
    if here.call == "worse":
        return here.against, here.learner
    return here.learner, here.against


def _allowed(here: Claim) -> list[str]:
    """Say why an interval beside 0 is no difference."""
    if here.call != "no difference" or here.equivalent or here.low < 0 < here.high:
        return []
    return [
        "the interval leaves 0 out, but no longer when the other comparisons of this "
        "run are allowed for"
    ]


def _targets(found: Interval) -> str:
    if not np.isfinite(found.mean):
        return "which no number of targets pays back"
    ends = [number(v) if np.isfinite(v) else "never" for v in (found.low, found.high)]
    count = number(found.mean)
    return f"paid back after {count} targets [{ends[0]}, {ends[1]}]"


def _searches(n: int) -> str:
    return f"{n:,} {'search' if n == 1 else 'searches'}"
