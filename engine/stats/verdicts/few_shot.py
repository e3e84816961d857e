"""The verdict on few-shot tasks: claims in words, whoever wins.

One sentence for each chosen learner: what was found in place against the best tuned
or trained baseline; then the other baselines; then where it was carried to. Levels
are accuracies or mean squared errors, with the interval over trainings; of a single
training with the papers' interval over its episodes, which is said.
"""

from collections.abc import Mapping, Sequence

from engine.contract.blocks import Condition
from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import HERE, Table, baselines, chosen
from engine.stats.claims import Claim
from engine.stats.condition_words import place, sizes_of, words
from engine.stats.inference.metric_levels import level
from engine.stats.inference.spreads import spread
from engine.stats.verdicts.phrases import away, grouped
from engine.stats.verdicts.wording import be, capital, counted, listed, titled

SINGLE = (
    "One training: these intervals are over its episodes only; how much another "
    "training would differ is unknown."
)


class EpisodeSpeaker:
    """Says what a few-shot run found.

    Args:
        table: The run's blocks.
        spec: The run.
        titles: What parts are called, by name; spelled from the name otherwise.
    """

    def __init__(
        self, table: Table, spec: RunSpec, titles: Mapping[str, str] | None = None
    ) -> None:
        self.table, self.spec, self.rule = table, spec, table.yardstick
        self.names = titled(spec, titles)
        self.unit = "" if self.rule.share else "MSE "

    def verdict(self, claims: Sequence[Claim]) -> str:
        """Return the sentences for all chosen learners, or why there is none."""
        about, against = chosen(self.spec), baselines(self.spec)
        if not about:
            return f"{self._alone(against)} Only baselines: no verdict."
        if not against:
            return f"{self._alone(about)} Baselines were turned off: no verdict."
        parts = [self._about(c.label, claims) for c in about]
        parts[1:] = [capital(part) for part in parts[1:]]
        text = " ".join([f"{self._head()}: {parts[0]}", *parts[1:], *self._unfit()])
        return f"{text} {SINGLE}" if self._single() else text

    def _head(self) -> str:
        knobs = self.spec.family.knobs
        ways = [f"{knobs['ways']}-way"] if self.rule.share and "ways" in knobs else []
        shots = [f"{knobs['shots']}-shot"] if "shots" in knobs else []
        sizes = f"n = {counted(self._shape()[0], 'training')} × "
        sizes += counted(self._shape()[1], "episode")
        told = "; ".join(part for part in (" ".join([*ways, *shots]), sizes) if part)
        return f"On unseen {words(self.spec.family.name)} ({told})"

    def _shape(self) -> tuple[int, int]:
        found = [self._errors(c.label) for c in self.spec.learners]
        rows = next((row for row in found if row is not None), None)
        return (0, 0) if rows is None else (rows.shape[0], rows.shape[1])

    def _single(self) -> bool:
        return self._shape()[0] == 1 and self._shape()[1] > 1

    def _errors(self, label: str, condition: Condition = HERE) -> Floats | None:
        return self.table.tests(label, self.rule.deciding, condition)

    def _alone(self, learners: Sequence[LearnerChoice]) -> str:
        tested = [c.label for c in learners if self._errors(c.label) is not None]
        found = [
            f"{self.names[label]} {self.unit}{self.level(label)}" for label in tested
        ]
        return f"{self._head()}: {listed(found)}."

    def _about(self, label: str, claims: Sequence[Claim]) -> str:
        mine = [c for c in claims if c.learner == label]
        here = next((c for c in mine if c.primary and c.condition == HERE), None)
        if here is None:
            return f"{self.names[label]} was not tested beside a baseline: no verdict."
        if here.call == "description":
            return f"{self._described(here)} One episode: no verdict."
        beside = [c for c in mine if c.condition == HERE and not c.primary]
        others = grouped([(self.names[c.against], c.call) for c in beside])
        there = [c for c in mine if c.primary and c.condition != HERE]
        rival, sizes = self.names[here.against], sizes_of(self.spec)
        carried = away(there, rival, sizes) if there else ""
        text = "; ".join([self._in_place(here), *others])
        return f"{text}. {carried}".strip()

    def _described(self, here: Claim) -> str:
        mine, other = self.names[here.learner], self.names[here.against]
        return (
            f"{mine} {self.unit}{self.level(here.learner)} against "
            f"{self.level(here.against)} of {other}."
        )

    def _in_place(self, here: Claim) -> str:
        mine, other = self.names[here.learner], self.names[here.against]
        ahead, behind = (here.learner, here.against)
        if here.call == "worse":
            ahead, behind, mine, other = behind, ahead, other, mine
        found = f"{mine} {be(mine)} better than {other}"
        if here.call == "no difference":
            within = f" to within {self.rule.within}" if here.equivalent else ""
            sure = "no" if here.equivalent else "no certain"
            found = f"{sure} difference between {mine} and {other}{within}"
        facts = [
            f"{self.unit}{self.level(ahead)} against {self.level(behind)}",
            self._gap(here),
            *self._lost(ahead, behind),
        ]
        return f"{found} ({', '.join(facts)})"

    def level(self, label: str) -> str:
        """Write a learner's level in place with its interval."""
        errors = self._errors(label)
        if errors is None:
            return "not tested"
        rows = 1.0 - errors if self.rule.share else errors
        name = self.rule.told if self.rule.share else self.rule.deciding
        found, both = level(name, rows), spread(rows)
        text = f"{self._number(found.mean)}{' %' if self.rule.share else ''}"
        if found.n > 1:
            ends = f"{self._number(found.low)}, {self._number(found.high)}"
            return f"{text} [{ends}]"
        return f"{text} ± {self._number(both.half)}" if self._single() else text

    def _number(self, value: float) -> str:
        return f"{100 * value:.1f}" if self.rule.share else f"{value:.3g}"

    def _gap(self, here: Claim) -> str:
        """Write by how much they differ, the better one first."""
        low, high = sorted((abs(here.low), abs(here.high)))
        if here.low < 0 < here.high:
            sign = -1.0 if here.difference > 0 else 1.0
            low, high = sorted((-sign * here.low, -sign * here.high))
        size = self._number(abs(here.difference))
        ends = f"{self._number(low)}, {self._number(high)}".replace("-", "−")
        unit = " points" if self.rule.share else ""
        return f"{size}{unit} [{ends}] apart"

    def _lost(self, ahead: str, behind: str) -> list[str]:
        rows = [self.table.tests(label, "diverged") for label in (ahead, behind)]
        counts = [0 if row is None else int(row.sum()) for row in rows]
        size = self._shape()[0] * self._shape()[1]
        told = f"diverged {counts[0]} against {counts[1]} of {size:,}"
        return [told] if any(counts) else []

    def _unfit(self) -> list[str]:
        """Name the conditions that some learner could not take and others could."""
        missing: dict[str, list[str]] = {}
        for condition in self.table.conditions():
            at = place(condition, sizes_of(self.spec))
            lacking = [
                self.names[c.label]
                for c in self.spec.learners
                if self._errors(c.label) is not None
                and self._errors(c.label, condition) is None
            ]
            if lacking and len(lacking) < len(self.spec.learners):
                missing.setdefault(listed(lacking), []).append(at)
        return [
            f"Not applicable to {names}: {listed(places)}."
            for names, places in missing.items()
        ]
