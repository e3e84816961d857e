"""The verdict on optimization tasks: claims in words, the unwelcome as readily.

First what was found in place against the tuned baseline, with steps to the
threshold for scale; then the other baselines; then where it was carried to.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from engine.contract.runs import RunSpec
from engine.stats.block_table import HERE, Table, baselines, chosen
from engine.stats.claims import Claim
from engine.stats.condition_words import words
from engine.stats.deciding_metrics import OPTIMIZATION
from engine.stats.inference.metric_levels import level
from engine.stats.verdicts.phrases import away, grouped, phrase
from engine.stats.verdicts.wording import (
    counted,
    interval,
    listed,
    names_of,
    rival_name,
)

DECIDING, BESIDE = OPTIMIZATION.deciding, OPTIMIZATION.beside


class Speaker:
    """Says what a run found.

    Args:
        table: The run's blocks.
        spec: The run.
        threshold: Nats; None where there is none.
        titles: What parts are called, by name; spelled from the name otherwise.
    """

    def __init__(
        self,
        table: Table,
        spec: RunSpec,
        threshold: float | None,
        titles: Mapping[str, str] | None = None,
    ) -> None:
        self.table, self.spec, self.threshold = table, spec, threshold
        self.names = names_of(spec, titles)
        self.metric = DECIDING if threshold is None else BESIDE

    def verdict(self, claims: list[Claim]) -> str:
        """Return the sentences for all chosen learners, or why there is none."""
        learners = [c.label for c in chosen(self.spec)]
        if not any(self._tested(c.label) for c in self.spec.learners):
            return "Nothing was tested, so there is no verdict."
        if not learners:
            return f"{self._alone(baselines(self.spec))} Only baselines: no verdict."
        if not baselines(self.spec):
            told = self._alone(chosen(self.spec))
            return f"{told} Baselines were turned off: no verdict."
        parts = [(label, self._about(label, claims)) for label in learners]
        if len(parts) == 1:
            return parts[0][1]
        return " ".join(f"{self.names[label]}: {text}" for label, text in parts)

    def _about(self, label: str, claims: list[Claim]) -> str:
        mine = [c for c in claims if c.learner == label]
        facing = [c for c in mine if c.primary and c.metric == DECIDING]
        here = next((c for c in facing if c.condition == HERE), None)
        if here is None:
            return "It was not tested beside a baseline: no verdict."
        if here.call == "description":
            return f"{self._described(here)} One replicate: no verdict."
        beside = [c for c in mine if c.condition == HERE]
        away = self._away([c for c in facing if c.condition != HERE])
        return f"{self._in_place(here, beside)} {away}".strip()

    def _described(self, here: Claim) -> str:
        rival = rival_name(self.spec, here.against, self.names)
        mine, other = self._level(here.learner), self._level(here.against, "")
        return (
            f"On unseen {self._family()}: {mine} against {other} for {rival} "
            f"({self._sizes(here)})."
        )

    def _in_place(self, here: Claim, beside: list[Claim]) -> str:
        rival = rival_name(self.spec, here.against, self.names)
        found = phrase(here.call, rival) + (
            f" to within {OPTIMIZATION.within}" if here.equivalent else ""
        )
        found += "" if self._steps_agree(here, beside) else " in mean loss"
        mine, other = self._level(here.learner), self._level(here.against, "")
        facts = [f"{mine} against {other}", *self._losses(here), self._sizes(here)]
        text = f"On unseen {self._family()}: {found} ({', '.join(facts)})"
        return (
            "; ".join([text, *self._speed(here, beside), *self._others(beside)]) + "."
        )

    def _steps_agree(self, here: Claim, beside: list[Claim]) -> bool:
        """Return whether the steps shown beside a call bear it out by themselves."""
        calls = [c.call for c in beside if c.primary and c.metric == BESIDE]
        return here.call == "no difference" or calls in ([], [here.call])

    def _speed(self, here: Claim, beside: list[Claim]) -> list[str]:
        """Say where the steps to the threshold tell another story."""
        words = {"better": "sooner", "worse": "later"}
        return [
            f"it meets the threshold {words[claim.call]}"
            for claim in beside
            if claim.primary and claim.metric == BESIDE
            if claim.call in words and claim.call != here.call
        ]

    def _others(self, beside: list[Claim]) -> list[str]:
        others = [c for c in beside if c.metric == DECIDING and not c.primary]
        return grouped([(self.names[c.against], c.call) for c in others])

    def _away(self, claims: list[Claim]) -> str:
        if not claims:
            return ""
        return away(claims, rival_name(self.spec, claims[0].against, self.names))

    def _alone(self, learners: Iterable[object]) -> str:
        labels = [getattr(learner, "label", "") for learner in learners]
        tested = [label for label in labels if self._tested(label)]
        found = [f"{self.names[label]} {self._level(label)}" for label in tested]
        rows = self.table.tests(tested[0], DECIDING)
        shape = (0, 0) if rows is None else rows.shape
        return f"On unseen {self._family()}: {listed(found)} ({_sizes(*shape)})."

    def _tested(self, label: str) -> bool:
        return self.table.tests(label, DECIDING) is not None

    def _level(self, label: str, unit: str | None = None) -> str:
        rows = self.table.tests(label, self.metric)
        if rows is None:
            return "not tested"
        if self.metric == DECIDING:
            unit = " mean log loss" if unit is None else unit
            return interval(level(DECIDING, rows), unit)
        reached = self.table.tests(label, "reached")
        if reached is not None and not np.any(reached):
            return f"never there in {rows.max():.0f} steps"
        return interval(level(BESIDE, rows), " steps" if unit is None else unit)

    def _losses(self, claim: Claim) -> list[str]:
        counts = [
            0 if rows is None else int(rows.sum())
            for rows in (self.table.tests(at, "diverged") for at in _pair(claim))
        ]
        members = claim.n_replicates * claim.n_tasks
        mine, other = counts
        return [f"diverged {mine} against {other} of {members}"] if any(counts) else []

    def _sizes(self, claim: Claim) -> str:
        return _sizes(claim.n_replicates, claim.n_tasks)

    def _family(self) -> str:
        return words(self.spec.family.name)


def _sizes(replicates: int, tasks: int) -> str:
    return f"n = {counted(replicates, 'replicate')} × {counted(tasks, 'task')}"


def _pair(claim: Claim) -> tuple[str, str]:
    return claim.learner, claim.against
