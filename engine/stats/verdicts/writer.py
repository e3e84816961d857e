"""The one writer of verdicts: claims in words, the unwelcome as readily.

First what was found in distribution against the baseline that decides, then the
other baselines, then every other condition. What kinds of task say differently stands
in their `Terms`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.block_table import HERE, Table, baselines, chosen
from engine.stats.claims import Claim
from engine.stats.condition_words import sizes_of
from engine.stats.verdicts.evidence import Evidence
from engine.stats.verdicts.phrases import away, grouped
from engine.stats.verdicts.terms import TERMS, Terms
from engine.stats.verdicts.wording import capital


def write_verdict(
    table: Table,
    spec: RunSpec,
    claims: Sequence[Claim],
    *,
    threshold: float | None = None,
    titles: Mapping[str, str] | None = None,
) -> str:
    """Write what a run found.

    Args:
        table: The run's blocks.
        spec: The run.
        claims: All that could be compared.
        threshold: Nats, or the regret that a goal was moved to; None for neither.
        titles: What parts are called, by name; spelled from the name otherwise.

    Returns:
        The sentences for all chosen learners, or why there is no verdict.
    """
    terms = TERMS[table.kind.name]
    names = terms.names(spec, titles)
    run = Evidence(table, spec, claims, threshold, titles or {}, names)
    return VerdictWriter(run, terms).verdict()


class VerdictWriter:
    """Writes a verdict in the terms of a kind of task.

    Args:
        run: What the verdict rests upon.
        terms: What this kind says in its own way.
    """

    def __init__(self, run: Evidence, terms: Terms) -> None:
        self.run, self.terms = run, terms

    def verdict(self) -> str:
        """Return the verdict on all chosen learners, or why there is none."""
        about, against = chosen(self.run.spec), baselines(self.run.spec)
        if not self.run.tested(self.run.spec.learners):
            return "Nothing was tested, so there is no verdict."
        if not about:
            return f"{self._levels(against)} Only baselines: no verdict."
        if not against:
            return f"{self._levels(about)} Baselines were turned off: no verdict."
        return self._whole({c.label: self._about(c.label) for c in about})

    def _levels(self, learners: Sequence[LearnerChoice]) -> str:
        head, levels = self.terms.head(self.run), self.terms.levels
        return f"{head}: {levels(self.run, learners)}."

    def _whole(self, parts: dict[str, str]) -> str:
        """Join what is said of each learner."""
        ending = self.terms.ending(self.run)
        if not self.terms.one_by_one:
            first, *rest = parts.values()
            head = self.terms.head(self.run)
            return " ".join([f"{head}: {first}", *map(capital, rest), *ending])
        if len(parts) == 1:
            return " ".join([*parts.values(), *ending])
        named = [f"{self.run.names[label]}: {part}" for label, part in parts.items()]
        return " ".join([*named, *ending])

    def _about(self, label: str) -> str:
        """Say all that was found of one learner."""
        deciding = self.run.rule.deciding
        mine = [c for c in self.run.about(label) if c.metric == deciding]
        facing = [claim for claim in mine if claim.primary]
        here = next((c for c in facing if c.condition == HERE), None)
        if here is None:
            name = "It" if self.terms.one_by_one else self.run.names[label]
            return f"{name} was not tested beside a baseline: no verdict."
        if here.call == "description":
            levels = self.terms.description(self.run, here)
            return f"{self._lead()}{levels} One {self.terms.sample}: no verdict."
        beside = [c for c in mine if c.condition == HERE and not c.primary]
        there = [c for c in facing if c.condition != HERE]
        told = [self._found(here, beside), self._away(there)]
        return " ".join(filter(None, [*told, *self.terms.price(self.run, here)]))

    def _lead(self) -> str:
        return f"{self.terms.head(self.run)}: " if self.terms.one_by_one else ""

    def _found(self, here: Claim, beside: Sequence[Claim]) -> str:
        """Say what was found in distribution."""
        run, terms = self.run, self.terms
        facts = ", ".join(terms.facts(run, here))
        finding = f"{self._lead()}{terms.finding(run, here)} ({facts})"
        others = grouped([(run.names[c.against], c.call) for c in beside])
        first = "; ".join([finding, *terms.clauses(run, here), *others])
        more = map(capital, terms.sentences(run, here))
        return f"{'. '.join([first, *more])}."

    def _away(self, claims: Sequence[Claim]) -> str:
        """Say what was found under every other condition."""
        if not claims:
            return ""
        spec = self.run.spec
        named = [
            replace(claim, condition=replace(claim.condition, family=family))
            for claim in claims
            for family in [self.terms.family_name(spec, claim.condition.family)]
        ]
        return away(named, self.terms.rival(self.run, claims[0]), sizes_of(spec))
