"""The detector of training losses that say something else than held-out losses."""

from collections.abc import Iterator

from engine.contract.run_spec import RunSpec
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable, threshold_of
from engine.stats.diagnosis.finding import Finding
from engine.stats.learner_claims import CANT_TELL, Claim, make_claims
from engine.stats.verdicts.wording import format_number

HELD_OUT, TRAINING = "held_log_loss", "area"


def misleading_training_loss(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """30: a learner is better by training loss and not by held-out loss, or vice versa.

    Whoever looks at training losses alone would choose the other learner.
    """
    if table.criterion.deciding != HELD_OUT:
        return
    claims = make_claims(table, spec, threshold_of(table, spec))
    here = [c for c in claims if c.decisive and c.condition == IN_DISTRIBUTION]
    training = {(c.learner, c.against): c for c in here if c.metric == TRAINING}
    for held in here:
        beside = training.get((held.learner, held.against))
        if held.metric != HELD_OUT or beside is None:
            continue
        yield Finding(
            30,
            "Misleading training loss",
            held.learner,
            flagged=CANT_TELL not in (held.call, beside.call)
            and held.call != beside.call,
            evidence=f"Against {held.against}: by held-out loss {_describe(held)}, by "
            f"training loss {_describe(beside)}.",
            remedy="Trust the held-out loss. Fewer steps, more examples or weight "
            "decay bring the two together.",
        )


def _describe(claim: Claim) -> str:
    ends = (claim.difference, claim.low, claim.high)
    mean, low, high = (format_number(end) for end in ends)
    return f"{claim.call} (difference in ln {mean} [{low}, {high}])"
