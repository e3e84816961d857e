"""The verdict of a run: a headline on its primary question, and what stands below it.

What differs between kinds of task is in their `VerdictTerms`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.block_table import BlockTable, baseline_learners, chosen_learners
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.claim_words import title_metric
from engine.stats.verdicts.comparisons import (
    describe_elsewhere,
    describe_in_distribution,
    describe_primary,
    describe_stop,
)
from engine.stats.verdicts.headline import (
    NO_BASELINES,
    NO_TESTS,
    NOT_COMPARED,
    ONLY_BASELINES,
    write_headline,
)
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms
from engine.stats.verdicts.notes import list_notes
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import join_words, learner_names


class Verdict(NamedTuple):
    """The verdict of a run.

    Args:
        headline: The answer to the primary question, at most 15 words.
        comparisons: Sentences with the numbers; a page shows them as table and chips.
        notes: Short sentences on costs, sizes, levels and warnings.
    """

    headline: str
    comparisons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Return all of it as one text."""
        return " ".join((self.headline, *self.comparisons, *self.notes))


def write_verdict(
    table: BlockTable,
    spec: RunSpec,
    claims: Sequence[Claim],
    *,
    threshold: float | None = None,
    titles: Mapping[str, str] | None = None,
) -> Verdict:
    """Write the verdict of a run.

    Args:
        table: The run's blocks.
        spec: The run.
        claims: All claims of the run.
        threshold: Nats, or the regret that a goal was moved to; None for neither.
        titles: Titles of parts, by name; spelled from the name otherwise.
    """
    terms, names = TERMS[table.kind.name], learner_names(spec, titles)
    run = Evidence(table, spec, claims, threshold, titles or {}, names)
    if not run.tested_labels(spec.learners):
        return Verdict(NO_TESTS)
    about = chosen_learners(spec)
    if not about:
        return Verdict(ONLY_BASELINES, _levels(run, terms, spec.learners))
    duels = filter(None, (describe_in_distribution(run, c.label) for c in about))
    ending = terms.ending(run)
    if run.primary is None:
        levels = _levels(run, terms, about)
        reason = NOT_COMPARED if baseline_learners(spec) else NO_BASELINES
        return Verdict(reason, (*levels, *duels), tuple(ending))
    elsewhere = (each for c in about for each in describe_elsewhere(run, c.label))
    primary = filter(
        None,
        (
            describe_primary(run, terms, run.primary),
            describe_stop(run.spec, run.primary, run.shape().replicates),
        ),
    )
    return Verdict(
        write_headline(run, terms, run.primary),
        (*primary, *duels, *elsewhere),
        (*list_notes(run, terms, run.primary), *ending),
    )


def headline_of(
    table: BlockTable,
    spec: RunSpec,
    claims: Sequence[Claim],
    titles: Mapping[str, str] | None = None,
) -> str:
    """Return the headline of claims that were stored without one.

    Args:
        table: The run's blocks.
        spec: The run.
        claims: All claims of the run.
        titles: Titles of parts, by name.

    Returns:
        The headline; empty if no claim is primary.
    """
    names = learner_names(spec, titles)
    run = Evidence(table, spec, claims, None, titles or {}, names)
    if run.primary is None:
        return ""
    return write_headline(run, TERMS[table.kind.name], run.primary)


def _levels(
    run: Evidence, terms: VerdictTerms, learners: Sequence[LearnerChoice]
) -> tuple[str]:
    found = [
        f"{run.names[label]} {terms.level(run, label)}"
        for label in run.tested_labels(learners)
    ]
    called = title_metric(run.criterion)
    return (f"{called} {terms.place(run)}: {join_words(found)}.",)
