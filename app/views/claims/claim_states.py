"""What the board knows of each claim: its verdict, its runs, and where from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from app.charts.figure_cache import get_or_make
from app.client import client
from app.client.catalogue import Study
from app.client.recorded_claims import ListedClaim, RecordedVerdict, read_board
from app.views.claims import studies
from app.views.claims.studies import StudyRun
from engine.contract import kinds
from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.contract.kinds import Kind
from engine.stats.claims_board import StudyVerdict, judge_study


class VerdictLook(NamedTuple):
    """How a verdict is shown: a sign and a style, never a color alone.

    Args:
        sign: Stands before the verdict's word.
        css: End of the name of its CSS class.
        counted: The word for several such claims.
    """

    sign: str
    css: str
    counted: str


VERDICTS = {  # in the order in which they are counted
    "supported": VerdictLook("✓", "yes", "supported"),
    "not supported": VerdictLook("✕", "no", "not supported"),
    "depends": VerdictLook("↗", "depends", "case-dependent"),
    "can't tell yet": VerdictLook("?", "open", "open"),
}


class ClaimState(NamedTuple):
    """A claim with its verdict so far.

    Args:
        claim: Its texts, and how many runs test it.
        study: Its study; None until the catalogue is ready.
        runs: The runs of the study; empty until then, or if it cannot be run here.
        verdict: Of the store's own runs, else the recorded one, if there is one.
        recorded: The recorded verdict, if that is shown.
        is_outdated: Whether the recorded runs are no longer those of the study.
        refusal: Why the study cannot be run here; empty if it can.
    """

    claim: ListedClaim
    study: Study | None = None
    runs: tuple[StudyRun, ...] = ()
    verdict: StudyVerdict | None = None
    recorded: RecordedVerdict | None = None
    is_outdated: bool = False
    refusal: str = ""

    @property
    def kind(self) -> Kind:
        """Return the kind of its tasks."""
        return kinds.kind_named(self.claim.kind)

    @property
    def missing_runs(self) -> list[StudyRun]:
        """Return the runs that are not done here."""
        return [run for run in self.runs if not run.is_done]

    @property
    def is_alive(self) -> bool:
        """Whether any of its runs is queued or running."""
        return any(run.is_alive for run in self.runs)

    @property
    def seconds(self) -> float:
        """Return how long its finished runs took here, in all."""
        jobs = [run.job for run in self.runs if run.job is not None and run.is_done]
        return sum(
            job.finished - job.started
            for job in jobs
            if job.started is not None and job.finished is not None
        )


def list_claims() -> list[ClaimState]:
    """Return all claims; before the catalogue is ready, as they were recorded."""
    if not client.is_catalogue_ready():
        return [_recorded_state(claim) for claim in read_board().claims]
    every = studies.list_studies()
    keys = [key for study in every for key in _keys_of(study)]
    jobs = client.jobs_by_key(keys)  # in one query: there are hundreds
    return [_study_state(study, jobs) for study in every]


def _keys_of(study: Study) -> list[str]:
    try:
        return [key for _, key in studies.settle(study)]
    except Refused:
        return []


def group_by_kind(
    claims: Sequence[ClaimState],
) -> Iterator[tuple[Kind, list[ClaimState]]]:
    """Yield the claims of each kind of task that has any, in the order of menus."""
    for kind in kinds.KINDS.values():
        if some := [each for each in claims if each.kind is kind]:
            yield kind, some


def count_verdicts(claims: Sequence[ClaimState]) -> str:
    """Return how many claims are measured, and with which verdicts, as a text."""
    found = [each.verdict.verdict for each in claims if each.verdict is not None]
    counts = {look.counted: found.count(word) for word, look in VERDICTS.items()}
    told = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    return f"{len(found)} of {len(claims)} measured" + (f": {told}" if told else "")


def _recorded_state(claim: ListedClaim) -> ClaimState:
    held = read_board().verdicts.get(claim.name)
    return ClaimState(claim, verdict=held.verdict if held else None, recorded=held)


def _study_state(study: Study, jobs: Mapping[str, Job]) -> ClaimState:
    kind = client.kind_of_spec(study.specs[0])
    claim = ListedClaim(
        study.name,
        study.title,
        study.sentence,
        study.protocol,
        study.ground,
        study.matrix,
        kind.name,
        len(study.specs),
    )
    try:
        runs = tuple(studies.with_jobs(studies.settle(study), jobs))
    except Refused as refusal:
        return _recorded_state(claim)._replace(study=study, refusal=refusal.message)
    if all(run.is_done for run in runs):
        return ClaimState(claim, study, runs, _judge(study, runs))
    found = _recorded_state(claim)._replace(study=study, runs=runs)
    return found._replace(is_outdated=is_outdated(study))


def is_outdated(study: Study) -> bool:
    """Whether a verdict was recorded by runs that are no longer those of the study."""
    held = read_board().verdicts.get(study.name)
    return held is not None and held.keys != studies.portable_keys(study)


def _judge(study: Study, runs: Sequence[StudyRun]) -> StudyVerdict:
    done = studies.finished_runs(runs)
    name = ("judged", study.name, *(run.cache_key for run in done))
    return get_or_make(name, lambda: judge_study(study.name, done))
