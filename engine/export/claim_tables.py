"""The claims of a run as CSV: one comparison of two learners per row."""

import csv
import io
import math

from engine.export.exported_files import RunRecord
from engine.export.long_format import text_cell
from engine.stats.block_table import BlockTable, threshold_of
from engine.stats.learner_claims import Claim, make_claims

CLAIMED = (
    "learner",
    "against",
    "test_family",
    "shift",
    "severity",
    "metric",
    "call",
    "difference",
    "low",
    "high",
    "level",
    "margin",
    "primary",
    "decisive",
    "n_replicates",
    "n_tasks",
    "over",
    "probability_of_improvement",
    "diverged",
    "diverged_against",
    "by_divergence",
    "more_replicates",
)


def claims_csv(record: RunRecord) -> bytes:
    """Return a run's claims as CSV, one row per pair, metric and condition.

    `call` is better, worse, equal or can't tell yet, and follows from `low` and `high`,
    the interval of the difference at `level`; `by_divergence` is 1 where the tasks that
    were lost decided instead.

    Args:
        record: The run.

    Returns:
        UTF-8 bytes with the columns `CLAIMED`.
    """
    table = BlockTable(record.blocks, record.spec.kind)
    claims = make_claims(table, record.spec, threshold_of(table, record.spec))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CLAIMED)
    writer.writerows(_csv_row(claim) for claim in claims)
    return out.getvalue().encode()


def _csv_row(claim: Claim) -> tuple[object, ...]:
    at, numbers = claim.condition, (claim.difference, claim.low, claim.high)
    return (
        text_cell(claim.learner),
        text_cell(claim.against),
        text_cell(at.family),
        text_cell(at.shift),
        at.severity,
        claim.metric,
        claim.call,
        *(number if math.isfinite(number) else "" for number in numbers),
        claim.level,
        claim.margin,
        int(claim.primary),
        int(claim.decisive),
        claim.n_replicates,
        claim.n_tasks,
        claim.over,
        claim.probability_of_improvement,
        *claim.diverged,
        int(claim.by_divergence),
        "" if claim.more_replicates is None else claim.more_replicates,
    )
