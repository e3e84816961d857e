"""Reading an archive that came from anywhere: inert, bounded, and never unpickled.

Members are read by name from a fixed list, each no longer than it says and with the
sha256 that the manifest tells; nothing is unpacked to disk.
"""

import io
import math
import re
import time
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.contract.blocks import Artefact, Block, Timing
from engine.contract.cards import clean
from engine.contract.errors import Refused
from engine.contract.jobs import FINAL, Job, JobState
from engine.contract.reading import parse_json, parse_spec
from engine.contract.runs import RunSpec
from engine.store import NoRun, arrays, chunks, sums
from engine.store.rows import check_key
from engine.store.seals import digest

FORMAT = 1
BYTES_LIMIT = 200_000_000
UNPACKED_LIMIT = 800_000_000
JSON_LIMIT = 20_000_000
ARTEFACTS = 200
_FIXED = ("manifest.json", "config.json", "summary.json", "fingerprint.json")
_ARTEFACT = re.compile(r"artefact-\d{3}\.safetensors")
_OTHERS = ("timings.json", "blocks.safetensors", "metrics.csv")
_READING = (
    *(zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, IndexError),
    *(AttributeError, EOFError, OSError, NotImplementedError, RuntimeError),
    *(MemoryError, OverflowError, RecursionError),
)


class Arrived(NamedTuple):
    """A run as an archive tells it, checked."""

    job: Job
    spec: RunSpec
    texts: dict[str, Any]
    blocks: list[Block]
    timings: list[Timing]
    artefacts: list[Artefact]


def arrive(data: bytes) -> Arrived:
    """Read an archive without filing it.

    Raises:
        Refused: If it is no archive of a run.
    """
    if len(data) > BYTES_LIMIT:
        raise Refused(f"an archive may hold {BYTES_LIMIT:,} bytes, not {len(data):,}")
    try:
        return _arrived(_members(data))
    except Refused:
        raise
    except _READING as error:
        first = clean(str(error).partition("\n")[0])[:80] or type(error).__name__
        raise Refused(f"this is no archive of a run: {first}") from None


def _members(data: bytes) -> dict[str, bytes]:
    """Return the members of a zip, by names from a fixed list, each verified."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        _check_list(listed)
        members = {info.filename: _bounded(archive, info) for info in listed}
    manifest = parse_json(members["manifest.json"], JSON_LIMIT)
    if manifest["format"] > FORMAT:
        raise Refused(
            f"this archive has format {int(manifest['format'])}; this Metascope "
            f"reads up to {FORMAT}",
            "format",
        )
    for name in members.keys() | manifest["members"].keys():
        if name != "manifest.json":
            _verify(name, members, manifest["members"])
    return members


def _check_list(listed: list[zipfile.ZipInfo]) -> None:
    names = [info.filename for info in listed]
    for info in listed:
        name = clean(info.filename)[:60]
        fixed = info.filename in (*_FIXED, *_OTHERS)
        if not fixed and not _ARTEFACT.fullmatch(info.filename):
            raise Refused(f"this archive holds {name!r}, which no run has")
        if info.flag_bits & 0x1:
            raise Refused(f"{name!r} in this archive is encrypted")
    if len(set(names)) != len(names) or len(names) > ARTEFACTS:
        raise Refused("this archive holds a member twice, or too many of them")
    total = sum(info.file_size for info in listed)
    if total > UNPACKED_LIMIT:
        raise Refused(f"this archive unpacks to {total:,} bytes: too many")


def _bounded(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read a member, never more than it says that it holds."""
    with archive.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise Refused(f"{info.filename!r} is not as long as it says")
    return data


def _verify(name: str, members: Mapping[str, bytes], told: Mapping[str, str]) -> None:
    if name not in members or told.get(name) != digest(members[name]):
        raise Refused(f"{clean(name)[:60]!r} in this archive was changed or is missing")


def _arrived(members: Mapping[str, bytes]) -> Arrived:
    told = parse_json(members["manifest.json"], JSON_LIMIT)["run"]
    spec = parse_spec(members["config.json"])
    names = sorted(name for name in members if _ARTEFACT.fullmatch(name))
    texts = {
        name: _object(parse_json(members[f"{name}.json"], JSON_LIMIT))
        for name in ("summary", "fingerprint")
    }
    timings = parse_json(members["timings.json"], JSON_LIMIT)
    return Arrived(
        job=_job(told),
        spec=spec,
        texts={
            **{name: value for name, value in texts.items() if value is not None},
            "spec": spec.model_dump(mode="json"),
            "timings": sums.flat(_timing(*each) for each in timings),
        },
        timings=sums.summed(_timing(*each) for each in timings),
        blocks=_blocks(members["blocks.safetensors"]),
        artefacts=[_artefact(members[name]) for name in names],
    )


def _object(value: object) -> object:
    if value is not None and not isinstance(value, dict):
        raise ValueError("a summary is a JSON object")
    return value


def _job(told: Mapping[str, object]) -> Job:
    state = JobState(str(told["state"]))
    unfinished = state not in FINAL
    return Job(
        key=_id(told["key"]),
        state=JobState.INTERRUPTED if unfinished else state,
        title=clean(str(told["title"])),
        created=_seconds(told["created"]) or time.time(),
        started=_seconds(told["started"]),
        finished=_seconds(told["finished"]),
        attempt=int(_seconds(told["attempt"]) or 0),
        error="it was unfinished when exported" if unfinished else _line(told["error"]),
    )


def _id(value: object) -> str:
    try:
        return check_key(str(value))
    except NoRun:
        raise ValueError("its id is none that a run can have") from None


def _line(value: object) -> str:
    return clean(str(value))


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a time must be a number")
    if not math.isfinite(value) or abs(value) > 1e11:
        raise ValueError("a time must be a finite number")
    return value


def _timing(
    learner: object, stage: object, seconds: object, count: object, peak: object = 0
) -> Timing:
    spent, times, most = _seconds(seconds), _seconds(count), _seconds(peak)
    named = (clean(str(learner)), clean(str(stage)))
    return Timing(*named, spent or 0.0, int(times or 0), int(most or 0))


def _blocks(data: bytes) -> list[Block]:
    held, info = arrays.unpack(data)
    blocks = []
    for place, header in enumerate(info["blocks"]):
        array = held[f"{place:06d}"]
        if [array.dtype.str[1:], list(array.shape)] != [
            header["dtype"],
            header["shape"],
        ]:
            raise ValueError("a block is not of the shape that its header says")
        blocks.append(chunks.block_of({**_worded(header), "values": array.tobytes()}))
    return blocks


def _worded(header: Mapping[str, object]) -> Mapping[str, object]:
    """Check that what should be text is text, cleaned as every name is."""
    for name in ("learner", "phase", "metric", "family", "shift", "coords", "dtype"):
        if not isinstance(header[name], str):
            raise TypeError(f"{name} of a block must be text")
    names = {name: clean(str(header[name])) for name in ("learner", "family", "shift")}
    severity = _seconds(header["severity"])
    if severity is None:
        raise ValueError("a block has no severity")
    return {**header, **names, "severity": float(severity)}


def _artefact(data: bytes) -> Artefact:
    held, about = arrays.unpack(data)
    info = about["info"]
    if not isinstance(info, dict):
        raise TypeError("an artefact's info is a JSON object")
    return Artefact(clean(str(about["name"])), clean(str(about["kind"])), held, info)
