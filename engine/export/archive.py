"""Exporting a run as one archive file, and importing it into another installation.

An archive is a zip of JSON, CSV and safetensors, with the sha256 of every member; the
same run gives the same bytes.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from engine.contract.annotations import Annotations
from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block
from engine.contract.jobs import Job
from engine.contract.run_spec import RunSpec, canonical_json
from engine.contract.text_decoding import clean
from engine.export.archive_reader import ENDED, FORMAT, ArchivedRun, read_archived_run
from engine.export.exported_files import RunRecord, config_json, metrics_csv
from engine.stats import run_summary
from engine.store import (
    NoRun,
    Store,
    annotations,
    array_codec,
    arrow_codec,
    timing_sums,
)
from engine.store.external_runs import CompletedRun, file_completed_run
from engine.store.queue import Submission
from engine.store.row_seals import sha256_hex

_DATE = (1980, 1, 1, 0, 0, 0)  # so that the same run gives the same bytes

OTHER_SUMMARY = "the archive's summary did not match its numbers and was recomputed"

NO_ANNOTATIONS = Annotations()

KeysOf = Callable[[RunSpec], Iterable[str]]
Summarize = Callable[[list[Block], RunSpec], Mapping[str, object]]


def export_archive(store: Store, key: str) -> bytes:
    """Return a run as the bytes of one archive.

    Args:
        store: Where the run is.
        key: The run's key.

    Raises:
        StoreError: If there is no such run, or it is damaged.
    """
    job = store.job(key)
    if job is None:
        raise NoRun(key)
    # What others wrote of their run is theirs.
    is_own = store.owns(key)
    given = annotations.read_annotations(store.index, key) if is_own else Annotations()
    return pack_archive(RunRecord.from_store(store, key), job, given)


def pack_archive(
    record: RunRecord, job: Job, given: Annotations = NO_ANNOTATIONS
) -> bytes:
    """Return a run as the bytes of one archive.

    Args:
        record: The run.
        job: Its state, title and times.
        given: The user's tags and note.
    """
    members = {
        "config.json": config_json(record.spec),
        "summary.json": _json_bytes(record.summary),
        "fingerprint.json": _json_bytes(record.fingerprint),
        "timings.json": _json_bytes(timing_sums.timings_as_rows(record.timings)),
        "blocks.safetensors": _pack_blocks(record.blocks),
        "metrics.csv": metrics_csv(record),
    }
    for place, artefact in enumerate(record.artefacts):
        members[f"artefact-{place:03d}.safetensors"] = _pack_artefact(artefact)
    manifest = _manifest(job, given, members)
    return _zip_members({"manifest.json": manifest, **members})


def _manifest(job: Job, given: Annotations, members: Mapping[str, bytes]) -> bytes:
    fields = ("key", "state", "title", "created", "started", "finished", "attempt")
    run = {name: getattr(job, name) for name in (*fields, "error")}
    # Left out where empty, so that earlier releases read the archive, too.
    run |= {name: value for name, value in given._asdict().items() if value}
    return _json_bytes(
        {
            "format": FORMAT,
            "run": run,
            "members": {name: sha256_hex(data) for name, data in members.items()},
        }
    )


def _json_bytes(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()


def _pack_blocks(blocks: list[Block]) -> bytes:
    held = {f"{place:06d}": block.array for place, block in enumerate(blocks)}
    return array_codec.pack(
        held, {"blocks": [arrow_codec.block_header(block) for block in blocks]}
    )


def _pack_artefact(artefact: Artefact) -> bytes:
    about = {"name": artefact.name, "kind": artefact.kind, "info": artefact.info}
    return array_codec.pack(artefact.arrays, about)


def _zip_members(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def read_archive(data: bytes) -> RunRecord:
    """Return the run of an archive without storing it.

    Args:
        data: The archive's bytes.

    Raises:
        Refused: If it is not an archive of a run, in one sentence.
    """
    arrived = read_archived_run(data)
    texts = arrived.texts
    return RunRecord(
        arrived.job.key,
        arrived.spec,
        arrived.blocks,
        arrived.timings,
        arrived.artefacts,
        texts.get("summary"),
        texts.get("fingerprint"),
    )


def import_run(
    store: Store,
    data: bytes,
    keys_of: KeysOf | None = None,
    summarize: Summarize = run_summary.summarize,
    tell: Callable[[str], None] = lambda line: None,
) -> Job:
    """Store the run of a trusted archive; for others use `import_in_subprocess`.

    A run whose key is taken, or is that of its spec with earlier versions of its parts,
    is stored as a copy under a new key, so that an imported run never stands for one
    that would be computed here from the same spec. An unfinished run is imported as
    interrupted. Statistics and verdict are always recomputed from the blocks.

    Args:
        store: Where the run is stored.
        data: The archive's bytes.
        keys_of: Yields a completed spec's key, then those that it had with earlier
            versions; without it the key is not checked.
        summarize: Computes statistics and verdict from blocks.
        tell: Called with one line if something was changed on import.

    Returns:
        The job of the stored run.

    Raises:
        Refused: If it is not an archive of a run, in one sentence; nothing is stored.
        StoreError: If it cannot be stored.
    """
    came = read_archived_run(data)
    current = keys_of is None or _is_current(came, keys_of)
    arrived = with_recomputed_summary(came, summarize)
    if _summary_differs(came, arrived):
        tell(OTHER_SUMMARY)
    key = arrived.job.key
    if not current:
        key = _copy_id(key, hashlib.sha256(data).hexdigest())
    serial = 0  # counts up until a key is free
    while not file_completed_run(store.index, _finished_run(arrived, key)):
        serial += 1
        key = _copy_id(arrived.job.key, str(serial))
    job = store.job(key)
    if job is None:
        raise NoRun(key)
    return job


def _is_current(arrived: ArchivedRun, keys_of: KeysOf) -> bool:
    """Return whether a run's key is the one that its spec has here today.

    Raises:
        Refused: If its spec never had this key.
    """
    given, first = arrived.job.key, ""
    try:
        for key in keys_of(arrived.spec):
            if key == given:
                return not first
            first = first or key
    except Refused:
        return False  # a part is not installed here: imported under a new key
    raise Refused(
        f"manifest.json in this archive: run.key: {given} is not the key of its spec, "
        f"{first}; export the run again",
        "manifest.json",
    )


def _summary_differs(came: ArchivedRun, own: ArchivedRun) -> bool:
    """Return whether an archive's summary differs from the recomputed one."""
    given, found = came.texts.get("summary"), own.texts.get("summary")
    return given is not None and canonical_json(given) != canonical_json(found)


def with_recomputed_summary(arrived: ArchivedRun, summarize: Summarize) -> ArchivedRun:
    """Return an archived run with its summary recomputed; only an ended run has one.

    Args:
        arrived: The run.
        summarize: Computes statistics and verdict from blocks.

    Raises:
        Refused: If the blocks allow no summary, as no run that ended has such blocks.
    """
    texts = {name: text for name, text in arrived.texts.items() if name != "summary"}
    if arrived.job.state in ENDED:
        try:
            texts["summary"] = dict(summarize(arrived.blocks, arrived.spec))
            canonical_json(texts["summary"])
        except (MemoryError, ImportError):  # not the archive's fault
            raise
        except Exception:  # forged numbers can make a statistic fail in any way
            raise Refused(
                "blocks.safetensors in this archive: no verdict can be computed from "
                "the numbers, though the run ended; export the run again",
                "blocks.safetensors",
            ) from None
    return arrived._replace(texts=texts)


def _copy_id(key: str, of: str) -> str:
    return hashlib.sha256(f"{key} copy {of}".encode()).hexdigest()


def _finished_run(arrived: ArchivedRun, key: str) -> CompletedRun:
    job = arrived.job
    title = job.title if key == job.key else clean(f"{job.title} (copy)")
    row = Submission(arrived.spec, key, title).first_row(job.state, 0)
    done = job.state in ENDED
    row = replace(
        row,
        created=job.created,
        started=job.started,
        finished=job.finished,
        attempt=job.attempt,
        error=job.error,
        stage="end" if done else "",
        done=float(done),
    )
    return CompletedRun(row, arrived.texts, arrived.blocks, arrived.artefacts)
