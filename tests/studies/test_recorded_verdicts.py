"""A claim that is measured again gives the verdict that ships."""

import pytest

from app.client import recorded_claims
from engine import studies
from engine.catalogue import discover_parts
from engine.contract.events import Artefact, Block, Event, Timing
from engine.contract.run_spec import RunSpec
from engine.export import RunRecord
from engine.runner.loop import run
from engine.stats.claims_board import judge_study
from tests.in_memory_run_cache import InMemoryRunCache
from tests.record_claims import settled

discover_parts()
BOARD = recorded_claims.read_board()
# The cheapest whole claim: random search alone, on each of Mosaic's tasks.
AGAIN = "patterns"


def record_of(spec: RunSpec, key: str, events: list[Event]) -> RunRecord:
    """Return the record of a run from its events."""
    return RunRecord(
        key,
        spec,
        [event for event in events if isinstance(event, Block)],
        [event for event in events if isinstance(event, Timing)],
        [event for event in events if isinstance(event, Artefact)],
    )


def test_that_claim_was_recorded_by_the_runs_of_today() -> None:
    today = tuple(settled(spec)[1] for spec in studies.study(AGAIN).specs)
    assert BOARD.verdicts[AGAIN].keys == today


# Half a minute: shapes are checked in tests.
@pytest.mark.torture
def test_a_cheap_claim_measured_again_is_the_recorded_one() -> None:
    held = BOARD.verdicts[AGAIN]
    settled_runs = [settled(spec) for spec in studies.study(AGAIN).specs]
    records = [
        record_of(full, key, list(run(full, InMemoryRunCache())))
        for full, key in settled_runs
    ]
    found = judge_study(AGAIN, records)
    assert found.verdict == held.verdict.verdict
    numbers = (found.estimate, found.low, found.high)
    recorded = (held.verdict.estimate, held.verdict.low, held.verdict.high)
    assert numbers == pytest.approx(recorded, rel=1e-6)
