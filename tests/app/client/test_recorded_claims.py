"""The board that ships lists today's claims, and its numbers read back as written."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from app.client import recorded_claims
from engine import studies
from engine.catalogue import discover_parts
from engine.stats.claims_board import STUDY_JUDGES
from engine.stats.claims_board.study_verdict import Verdict
from engine.stats.search.transfer_matrix import CellIntervals, TransferMatrix
from tests.record_claims import matrix_as_json, settled

discover_parts()
BOARD = recorded_claims.read_board()


@pytest.fixture
def no_data_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the studies use what ships alone, as the recorded board did."""
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path))
    studies.studies.cache_clear()
    yield
    studies.studies.cache_clear()


@pytest.mark.usefixtures("no_data_pack")
def test_todays_claims_are_listed_with_todays_words() -> None:
    told = [claim[:6] for claim in BOARD.claims]
    known = [each._replace(specs=()) for each in studies.studies()]
    assert told == [
        (s.name, s.title, s.sentence, s.protocol, s.ground, s.matrix) for s in known
    ]


@pytest.mark.usefixtures("no_data_pack")
def test_a_claim_is_listed_with_its_kind_and_its_number_of_runs() -> None:
    for claim, study in zip(BOARD.claims, studies.studies(), strict=True):
        assert claim.kind == settled(study.specs[0])[0].kind
        assert claim.runs == len(study.specs)


def test_recorded_verdicts_are_whole() -> None:
    assert BOARD.verdicts.keys() <= STUDY_JUDGES.keys()
    for held in BOARD.verdicts.values():
        assert held.verdict.verdict in get_args(Verdict)
        assert math.isfinite(held.verdict.estimate) and held.verdict.rows
        assert held.seconds > 0 and held.machine


def test_a_recorded_claim_with_a_matrix_has_it_with_its_control() -> None:
    for claim in BOARD.claims:
        has_matrix = claim.matrix and claim.name in BOARD.verdicts
        assert (claim.name in BOARD.matrices) == has_matrix
    for matrix in BOARD.matrices.values():
        assert matrix.found.sources and matrix.control is not None
        assert matrix.control.sources == matrix.found.sources


@pytest.fixture
def matrix() -> TransferMatrix:
    def intervals(*rows: list[float]) -> CellIntervals:
        return CellIntervals(*(np.array([row]) for row in rows))

    known = intervals([0.1, np.nan], [-0.2, np.nan], [0.3, np.inf])
    return TransferMatrix(
        sources=("rings",),
        targets=("digits", "rings"),
        learner="warm",
        against="cold",
        first=10,
        jump_start=known,
        ratio=known,
        gain=known,
        area=known,
        break_even=known,
        calls=(("better", None),),
        level=np.array([[0.95, np.nan]]),
        n=np.array([[10, 0]]),
        single=False,
    )


def test_a_matrix_reads_back_as_it_was_written(matrix: TransferMatrix) -> None:
    text = json.dumps(matrix_as_json(matrix))
    again = recorded_claims._read_matrix(json.loads(text))
    for name, value in matrix._asdict().items():
        read = getattr(again, name)
        assert type(read) is type(value)
        if name in ("sources", "targets", "calls"):
            assert read == value
        else:
            np.testing.assert_array_equal(np.asarray(read), np.asarray(value))
