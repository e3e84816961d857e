"""Reading an untrusted archive: bounded in size, never unpickled, nothing executed.

Members are read by name from a fixed list, each up to a limit that is enforced during
decompression, and checked against the sha256 in the manifest; nothing is unpacked to
disk. Their content is checked against the archive's spec, see `block_checks`.
"""

import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from engine.contract.annotations import clean_annotations
from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Timing
from engine.contract.jobs import FINAL, Job, JobState
from engine.contract.parsing import SPEC_LIMIT, parse_spec
from engine.contract.run_spec import RunSpec, StrictModel
from engine.contract.text_decoding import clean
from engine.contract.validation_messages import describe_value
from engine.export import zip_members as zipped
from engine.export.artefact_checks import (
    check_fingerprint,
    missing_frozen_weights,
    read_artefact,
)
from engine.export.block_checks import (
    BlockReader,
    check_labels,
    first_problem,
)
from engine.export.spec_contents import diverged_learners
from engine.store import array_codec
from engine.store import timing_sums as store_timings
from engine.store.fact_rows import ANNOTATIONS

FORMAT = 1
ENDED = (JobState.DONE, JobState.DIVERGED)
_TIME = Field(None, ge=0, le=1e11)  # seconds since the epoch, up to the year 5138
# What the libraries raise for bytes that are not what they expect.
_READING = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
    RecursionError,
)


class ArchivedRun(NamedTuple):
    """The run of an archive, checked; `texts` holds its JSON values by name."""

    job: Job
    spec: RunSpec
    texts: dict[str, Any]
    blocks: list[Block]
    timings: list[Timing]
    artefacts: list[Artefact]


class _ManifestRun(StrictModel):
    """The run's entry in a manifest; times are seconds since the epoch."""

    key: str = Field(pattern="^[0-9a-f]{64}$")
    state: JobState = Field(strict=False)
    title: str
    created: float | None = _TIME
    started: float | None = _TIME
    finished: float | None = _TIME
    attempt: int = Field(ge=0, lt=2**31)
    error: str
    tags: list[str] = Field([], max_length=1_000)
    note: str = Field("", max_length=100_000)


class _Manifest(StrictModel):
    """The manifest of an archive: the run, and the sha256 of each member."""

    format: int
    run: _ManifestRun
    members: dict[str, str]


class _Timing(StrictModel):
    """One row of timings.json: seconds of work, and bytes of peak memory."""

    learner: str
    stage: str
    seconds: float = Field(ge=0, le=1e11)
    count: int = Field(1, ge=0, lt=2**63)
    peak: int = Field(0, ge=0, lt=2**63)


def read_archived_run(data: bytes) -> ArchivedRun:
    """Read and check an archive without storing its run.

    Args:
        data: The archive's bytes, from any source.

    Raises:
        Refused: If it is not an archive of a run, in one sentence with the member.
    """
    with _errors_name_member(""), zipped.open_archive(data) as archive:
        return _read_run(archive)


@contextmanager
def _errors_name_member(member: str) -> Iterator[None]:
    """Turn every error of a member into one sentence that names the member."""
    try:
        yield
    except _MemberError:
        raise
    except Refused as refusal:
        raise _member_error(member, refusal.message, refusal.field) from None
    except ValidationError as error:
        raise _member_error(member, first_problem(error)) from None
    except _READING as error:
        raise _member_error(member, _describe_error(error)) from None


def _describe_error(error: Exception) -> str:
    """Return a library's error in plain words."""
    match error:
        case array_codec.InvalidArrays():
            return str(error)
        case KeyError():
            return f"it lacks {clean(str(error))[:60]}"
        case zipfile.BadZipFile() | zlib.error() | EOFError():
            return "it is not a zip file, or was truncated or damaged"
    return "its content is not what an export writes"


class _MemberError(Refused):
    """A refusal whose message names its member already."""


def _member_error(member: str, reason: str, field: str = "") -> Refused:
    what = f"{member} in this archive" if member else "this is not an archive of a run"
    return _MemberError(f"{what}: {reason}; export the run again", field or member)


def _read_run(archive: zipped.ZipReader) -> ArchivedRun:
    manifest = _read_manifest(archive)
    with _errors_name_member("config.json"):
        spec = parse_spec(archive.read("config.json", SPEC_LIMIT))
        check_labels(spec)
    with _errors_name_member("timings.json"):
        timings = _parse_timings(archive.read_json("timings.json"), spec)
    texts = {name: _read_object(archive, name) for name in ("summary", "fingerprint")}
    with _errors_name_member("blocks.safetensors"):
        blocks = _read_blocks(archive.read("blocks.safetensors"), spec)
    artefacts = _read_artefacts(archive)
    with _errors_name_member("manifest.json"):
        _check_outcome(manifest.state, spec, blocks, artefacts)
    return ArchivedRun(
        job=_make_job(manifest),
        spec=spec,
        texts={
            **{name: value for name, value in texts.items() if value is not None},
            "spec": spec.model_dump(mode="json"),
            "timings": store_timings.timings_as_rows(timings),
            ANNOTATIONS: clean_annotations(manifest.tags, manifest.note)._asdict(),
        },
        timings=store_timings.sum_timings(timings),
        blocks=blocks,
        artefacts=artefacts,
    )


def _read_manifest(archive: zipped.ZipReader) -> _ManifestRun:
    """Read the manifest, and check every member against its checksum there."""
    with _errors_name_member("manifest.json"):
        body = archive.read_json("manifest.json")
        # first: a newer format may have fields that are refused as unknown
        if isinstance(body, dict) and isinstance(body.get("format"), int):
            _check_format(body["format"])
        manifest = _Manifest.model_validate(body)
    for name in archive.names | manifest.members.keys():
        if name != "manifest.json":
            _verify_checksum(archive, name, manifest.members)
    return manifest.run


def _check_format(number: int) -> None:
    if number > FORMAT:
        raise Refused(
            f"this archive has format {number}; this Metascope reads up to {FORMAT}",
            "format",
        )


def _verify_checksum(
    archive: zipped.ZipReader, name: str, digests: Mapping[str, str]
) -> None:
    with _errors_name_member(clean(name)[:60]):
        if name not in archive.names or digests.get(name) != archive.digest(name):
            raise Refused("it was changed or is missing")


def _read_object(archive: zipped.ZipReader, name: str) -> dict[str, Any] | None:
    with _errors_name_member(f"{name}.json"):
        value = archive.read_json(f"{name}.json")
        if value is not None and not isinstance(value, dict):
            raise Refused(f"it must be a JSON object, not {repr(value)[:40]}")
        if name == "fingerprint":
            check_fingerprint(value)
        return value


def _make_job(run: _ManifestRun) -> Job:
    unfinished = run.state not in FINAL
    error = "it was unfinished when exported" if unfinished else clean(run.error)
    return Job(
        key=run.key,
        state=JobState.INTERRUPTED if unfinished else run.state,
        title=clean(run.title),
        created=time.time() if run.created is None else run.created,
        started=run.started,
        finished=run.finished,
        attempt=run.attempt,
        error=error,
    )


def _parse_timings(listed: Any, spec: RunSpec) -> list[Timing]:
    labels = {"", *(learner.label for learner in spec.learners)}
    if not isinstance(listed, list):
        raise Refused(f"it must be a list of timings, not {describe_value(listed)}")
    found = []
    for row in listed:
        if not isinstance(row, list) or not 4 <= len(row) <= 5:
            raise Refused(
                f"a timing must be a list of 4 or 5 values, not {repr(row)[:40]}"
            )
        # not strict: the peak is left out where memory was not measured
        timing = _Timing(**dict(zip(_Timing.model_fields, row, strict=False)))
        if timing.learner not in labels:
            raise Refused(f"the spec names no learner {clean(timing.learner)[:40]!r}")
        named = (clean(timing.learner), clean(timing.stage))
        found.append(Timing(*named, timing.seconds, timing.count, timing.peak))
    return found


def _read_blocks(data: bytes, spec: RunSpec) -> list[Block]:
    held, info = array_codec.unpack(data)
    found = BlockReader(spec)
    if not isinstance(info["blocks"], list):
        raise Refused(f"blocks: must be a list, not {describe_value(info['blocks'])}")
    for place, header in enumerate(info["blocks"]):
        found.add(header, held[f"{place:06d}"])
    return found.held


def _check_outcome(
    state: JobState, spec: RunSpec, blocks: list[Block], artefacts: list[Artefact]
) -> None:
    """Check that an ended run's blocks and artefacts agree with its state."""
    if state not in ENDED:
        return
    gone = diverged_learners(spec, blocks)
    if state == JobState.DIVERGED and not gone:
        raise Refused(
            "run.state: diverged, though every chosen learner has finite tasks"
        )
    if state == JobState.DONE and gone:
        raise Refused(
            f"run.state: done, though every task of {gone[0][:40]!r} diverged"
        )
    if names := missing_frozen_weights(spec, blocks, artefacts):
        raise Refused(
            f"run.state: {state}, though the frozen weights of {names[0][:40]!r} are "
            "missing"
        )


def _read_artefacts(archive: zipped.ZipReader) -> list[Artefact]:
    found: dict[str, Artefact] = {}
    for name in sorted(filter(zipped.ARTEFACT.fullmatch, archive.names)):
        with _errors_name_member(name):
            made = read_artefact(archive.read(name))
            if made.name in found:
                raise Refused(f"another artefact has the name {made.name[:40]!r}, too")
            found[made.name] = made
    return list(found.values())
