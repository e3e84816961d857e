"""The verdict of a run: its claims in sentences, unfavorable ones included.

First the comparison in distribution with the baseline that decides, then with the
other baselines, then every other condition. What differs between kinds of task is in
their `VerdictTerms`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.block_table import (
    IN_DISTRIBUTION,
    BlockTable,
    baseline_learners,
    chosen_learners,
)
from engine.stats.condition_words import size_shifts
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms
from engine.stats.verdicts.phrases import describe_elsewhere, phrase_groups
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import capitalize_first


def write_verdict(
    table: BlockTable,
    spec: RunSpec,
    claims: Sequence[Claim],
    *,
    threshold: float | None = None,
    titles: Mapping[str, str] | None = None,
) -> str:
    """Write the verdict of a run.

    Args:
        table: The run's blocks.
        spec: The run.
        claims: All claims of the run.
        threshold: Nats, or the regret that a goal was moved to; None for neither.
        titles: Titles of parts, by name; spelled from the name otherwise.

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
        run: The numbers, claims and names that the verdict is based on.
        terms: The phrases of this kind of task.
    """

    def __init__(self, run: Evidence, terms: VerdictTerms) -> None:
        self.run, self.terms = run, terms

    def verdict(self) -> str:
        """Return the verdict on all chosen learners, or why there is none."""
        about, against = (
            chosen_learners(self.run.spec),
            baseline_learners(self.run.spec),
        )
        if not self.run.tested_labels(self.run.spec.learners):
            return "Nothing was tested, so there is no verdict."
        if not about:
            return f"{self._describe_levels(against)} Only baselines: no verdict."
        if not against:
            return (
                f"{self._describe_levels(about)} Baselines were turned off: no verdict."
            )
        return self._join_parts(
            {c.label: self._describe_learner(c.label) for c in about}
        )

    def _describe_levels(self, learners: Sequence[LearnerChoice]) -> str:
        head, levels = self.terms.head(self.run), self.terms.levels
        return f"{head}: {levels(self.run, learners)}."

    def _join_parts(self, parts: dict[str, str]) -> str:
        """Join the sentences about all learners."""
        ending = self.terms.ending(self.run)
        if not self.terms.one_by_one:
            first, *rest = parts.values()
            head = self.terms.head(self.run)
            return " ".join([f"{head}: {first}", *map(capitalize_first, rest), *ending])
        if len(parts) == 1:
            return " ".join([*parts.values(), *ending])
        named = [f"{self.run.names[label]}: {part}" for label, part in parts.items()]
        return " ".join([*named, *ending])

    def _describe_learner(self, label: str) -> str:
        """Return the sentences about one learner."""
        deciding = self.run.criterion.deciding
        mine = [c for c in self.run.claims_of(label) if c.metric == deciding]
        facing = [claim for claim in mine if claim.decisive]
        here = next((c for c in facing if c.condition == IN_DISTRIBUTION), None)
        if here is None:
            name = "It" if self.terms.one_by_one else self.run.names[label]
            return f"{name} was not tested against a baseline: no verdict."
        if isnan(here.low):
            levels = self.terms.description(self.run, here)
            return (
                f"{self._opening_sentence()}{levels} One {self.terms.sample}: "
                "no verdict."
            )
        beside = [c for c in mine if c.condition == IN_DISTRIBUTION and not c.decisive]
        there = [c for c in facing if c.condition != IN_DISTRIBUTION]
        told = [
            self._in_distribution_sentence(here, beside),
            self._elsewhere_sentences(there),
        ]
        return " ".join(filter(None, [*told, *self.terms.price(self.run, here)]))

    def _opening_sentence(self) -> str:
        return f"{self.terms.head(self.run)}: " if self.terms.one_by_one else ""

    def _in_distribution_sentence(self, claim: Claim, beside: Sequence[Claim]) -> str:
        """Return the sentence about the test in distribution."""
        run, terms = self.run, self.terms
        facts = ", ".join(terms.facts(run, claim))
        finding = f"{self._opening_sentence()}{terms.finding(run, claim)} ({facts})"
        others = phrase_groups([(run.names[c.against], c.call) for c in beside])
        first = "; ".join([finding, *terms.clauses(run, claim), *others])
        more = map(capitalize_first, terms.sentences(run, claim))
        return f"{'. '.join([first, *more])}."

    def _elsewhere_sentences(self, claims: Sequence[Claim]) -> str:
        """Return the sentences about all other conditions."""
        if not claims:
            return ""
        spec = self.run.spec
        # A claim holds a family's key; a sentence needs its display name.
        named = [
            replace(claim, condition=replace(claim.condition, family=family))
            for claim in claims
            for family in [self.terms.family_name(spec, claim.condition.family)]
        ]
        return describe_elsewhere(
            named, self.terms.rival(self.run, claims[0]), size_shifts(spec)
        )
