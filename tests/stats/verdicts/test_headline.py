"""The headline: at most 15 words, whatever the run and however long its names."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from engine.catalogue import catalogue
from engine.contract.events import Block
from engine.contract.kinds import KINDS
from engine.contract.run_spec import Choice, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.learner_claims import CALLS, CANT_TELL, Claim, make_claims
from engine.stats.verdicts.writer import write_verdict
from tests.stats.made_up import FINE_TUNED, PROTO, TUNED, chosen, few_spec, spec
from tests.stats.made_up_searches import COLD, WARM, search_spec
from tests.stats.made_up_trials import RANDOM, RL2, rl_spec
from tests.stats.verdicts.test_writer import made

CARDS = catalogue()["cards"]
TITLES = {card["name"]: card["title"] for card in CARDS}
TYPED = "my very own learner that has a name of more than ten words"


def spec_of(kind: str, family: str, mine: str, other: str, label: str) -> RunSpec:
    """Return a run of one learner against another; an empty label is the part's."""
    build, first, second = {
        "optimization": (spec, chosen(), TUNED),
        "few_shot": (few_spec, PROTO, FINE_TUNED),
        "rl": (rl_spec, RL2, RANDOM),
        "search": (search_spec, WARM, COLD),
    }[kind]
    pair = (
        first.model_copy(update={"name": mine, "label": label or mine}),
        second.model_copy(update={"name": other, "label": f"{other}_tuned"}),
    )
    return build(*pair, family=Choice(name=family), replicates=8)


def blocks_of(kind: str, run: RunSpec) -> list[Block]:
    """Return made-up blocks under the labels of a run."""
    alone, against, blocks = made()[kind]
    new = [alone.learners[0].label, against.learners[0].label]
    labels = dict(zip(new, (c.label for c in run.learners), strict=True))
    return [replace(block, learner=labels[block.learner]) for block in blocks]


def outcomes(claim: Claim) -> Iterator[Claim]:
    """Yield every way that the primary question can end."""
    for call, more, over in product(
        CALLS, (None, 1, 900), ("replicates", "episodes", "searches")
    ):
        if call == CANT_TELL or more is None:
            yield replace(claim, call=call, more_replicates=more, over=over)
    for call in ("better", "worse"):
        yield replace(
            claim,
            call=call,
            diverged=(1_234, 56_789),
            by_divergence=True,
            n_tasks=9_999,
        )
    yield replace(claim, call=CANT_TELL, n_replicates=1, over="replicates")


def named(slot: str, kind: str) -> list[str]:
    return [c["name"] for c in CARDS if c["slot"] == slot and kind in c["solves"]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_headline_has_at_most_fifteen_words(kind: str) -> None:
    learners = named("learner", kind)
    families = named("family", kind)
    longest = sorted(learners, key=lambda name: -len(TITLES[name].split()))[:3]
    runs = [
        *((family, longest[0], longest[1], "") for family in families),
        *((families[0], mine, longest[0], "") for mine in learners),
        *((families[0], mine, longest[0], TYPED) for mine in longest),
    ]
    seen = set()
    for family, mine, other, label in runs:
        run = spec_of(kind, family, mine, other, label)
        table = BlockTable(blocks_of(kind, run), kind)
        (claim,) = (c for c in make_claims(table, run, None) if c.primary)
        for outcome in outcomes(claim):
            verdict = write_verdict(table, run, [outcome], titles=TITLES)
            assert len(verdict.headline.split()) <= 15, verdict.headline
            assert verdict.headline.endswith(".")
            assert outcome.call.replace("equal", "equals").split()[0] in (
                verdict.headline.lower().replace("equal ", "equals ")
            ), verdict.headline
            seen.add(verdict.headline)
    assert len(seen) > len(runs)


def test_short_names_leave_room_for_metric_and_tasks() -> None:
    run = spec_of("few_shot", "sinusoids", "maml", "joint", "")
    table = BlockTable(blocks_of("few_shot", run), "few_shot")
    (claim,) = (c for c in make_claims(table, run, None) if c.primary)
    open_claim = replace(claim, call=CANT_TELL, more_replicates=40)
    verdict = write_verdict(table, run, [open_claim], titles=TITLES)
    assert verdict.headline == (
        "Can't tell yet whether MAML beats tuned joint training; needs about 40 more "
        "replicates."
    )
